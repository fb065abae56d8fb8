package dev.lastmile;

import dev.lastmile.Refusals.Reason;
import dev.lastmile.coordination.RedisAwayException;
import dev.lastmile.updates.InvalidValueException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;
import tools.jackson.core.JacksonException;

/**
 * Turns what goes wrong into problem details (RFC 9457). Whoever asks wrongly is told the field and
 * the limit; nobody is told a stack.
 */
@RestControllerAdvice
class ProblemAdvice extends ResponseEntityExceptionHandler {
  private static final Pattern PATH = Pattern.compile("\\[\"([^\"]{1,64})\"]|\\[(\\d+)]");

  private final Refusals refusals;

  ProblemAdvice(Refusals refusals) {
    this.refusals = refusals;
  }

  @ExceptionHandler
  ProblemDetail invalid(InvalidValueException e) {
    ProblemDetail problem =
        ProblemDetail.forStatusAndDetail(HttpStatus.BAD_REQUEST, String.valueOf(e.getMessage()));
    problem.setProperty("field", e.field());
    problem.setProperty("limit", e.limit());
    return problem;
  }

  @ExceptionHandler
  ResponseEntity<ProblemDetail> redisAway(RedisAwayException e) {
    ProblemDetail problem =
        ProblemDetail.forStatusAndDetail(
            HttpStatus.SERVICE_UNAVAILABLE,
            "the store cannot be reached; ask again (to create once only, with an Idempotency-Key)");
    return ResponseEntity.status(HttpStatus.SERVICE_UNAVAILABLE)
        .header(HttpHeaders.RETRY_AFTER, Long.toString(RedisAwayException.RETRY_AFTER.toSeconds()))
        .body(problem);
  }

  ResponseEntity<ProblemDetail> tooLarge(BodyTooLargeException e) {
    refusals.count(Reason.BODY_SIZE);
    ProblemDetail problem =
        ProblemDetail.forStatusAndDetail(
            HttpStatus.CONTENT_TOO_LARGE, "the body must be at most " + e.limit() + " bytes");
    problem.setProperty("field", "body");
    problem.setProperty("limit", e.limit());
    // What is left of the body is not read, so the connection cannot be used again.
    return ResponseEntity.status(HttpStatus.CONTENT_TOO_LARGE)
        .header(HttpHeaders.CONNECTION, "close")
        .body(problem);
  }

  ResponseEntity<ProblemDetail> bodiesFull(BodiesFullException e) {
    refusals.count(Reason.BODY_MEMORY);
    ProblemDetail problem =
        ProblemDetail.forStatusAndDetail(
            HttpStatus.SERVICE_UNAVAILABLE,
            "too many bodies are being read: at most " + e.limit() + " bytes together; ask again");
    problem.setProperty("field", "lastmile.http.max-bodies");
    problem.setProperty("limit", e.limit());
    return ResponseEntity.status(HttpStatus.SERVICE_UNAVAILABLE)
        .header(HttpHeaders.RETRY_AFTER, "1")
        .header(HttpHeaders.CONNECTION, "close")
        .body(problem);
  }

  ResponseEntity<ProblemDetail> tooSlow(BodyTooSlowException e) {
    refusals.count(Reason.BODY_TIME);
    ProblemDetail problem =
        ProblemDetail.forStatusAndDetail(
            HttpStatus.REQUEST_TIMEOUT,
            "the body must have come within " + e.limit().toMillis() + " ms");
    problem.setProperty("field", "body");
    problem.setProperty("limit", e.limit().toMillis());
    return ResponseEntity.status(HttpStatus.REQUEST_TIMEOUT)
        .header(HttpHeaders.CONNECTION, "close")
        .body(problem);
  }

  /** The reader of JSON lets a number pass that no arithmetic can hold, and fails only then. */
  @ExceptionHandler
  ProblemDetail unreadableNumber(NumberFormatException e) {
    return invalid(new InvalidValueException("body", "JSON whose numbers can be held"));
  }

  @Override
  protected @Nullable ResponseEntity<Object> handleHttpMessageNotReadable(
      HttpMessageNotReadableException e,
      HttpHeaders headers,
      HttpStatusCode status,
      WebRequest request) {
    refusals.count(Reason.BODY_JSON);
    ProblemDetail problem =
        ProblemDetail.forStatusAndDetail(
            status, "the body must be a JSON document of the documented form");
    problem.setProperty("field", field(e));
    problem.setProperty("limit", "valid JSON with values of the documented types");
    return handleExceptionInternal(e, problem, headers, status, request);
  }

  /** Where in the document it went wrong, if the reader of JSON can say. */
  private static String field(HttpMessageNotReadableException e) {
    StringBuilder field = new StringBuilder();
    if (e.getCause() instanceof JacksonException json) {
      Matcher path = PATH.matcher(String.valueOf(json.getPathReference()));
      while (path.find()) {
        if (path.group(2) != null) {
          field.append('[').append(path.group(2)).append(']');
        } else {
          field.append(field.isEmpty() ? "" : ".").append(path.group(1));
        }
      }
    }
    return field.isEmpty() ? "body" : field.toString();
  }
}
