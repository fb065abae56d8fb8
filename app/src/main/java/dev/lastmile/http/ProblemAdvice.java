package dev.lastmile.http;

import dev.lastmile.http.RejectionMetrics.Reason;
import dev.lastmile.updates.InvalidValueException;
import dev.lastmile.updates.JsonText;
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
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.StreamReadException;

/**
 * Turns exceptions into problem details (RFC 9457).
 *
 * <p>A client error names the field and the limit. No problem contains a stack trace.
 */
@RestControllerAdvice
class ProblemAdvice extends ResponseEntityExceptionHandler {
  private static final Pattern PATH = Pattern.compile("\\[\"([^\"]{1,64})\"]|\\[(\\d+)]");

  private final RejectionMetrics rejections;

  ProblemAdvice(RejectionMetrics rejections) {
    this.rejections = rejections;
  }

  @ExceptionHandler
  ProblemDetail invalid(InvalidValueException e) {
    ProblemDetail problem =
        ProblemDetail.forStatusAndDetail(HttpStatus.BAD_REQUEST, String.valueOf(e.getMessage()));
    problem.setProperty("field", e.field());
    problem.setProperty("limit", e.limit());
    return problem;
  }

  /** Handles numbers that the JSON parser accepts but cannot convert. */
  @ExceptionHandler
  ProblemDetail unreadableNumber(NumberFormatException e) {
    return invalid(new InvalidValueException("body", "JSON with numbers in the supported range"));
  }

  @Override
  protected @Nullable ResponseEntity<Object> handleHttpMessageNotReadable(
      HttpMessageNotReadableException e,
      HttpHeaders headers,
      HttpStatusCode status,
      WebRequest request) {
    rejections.count(Reason.BODY_JSON);
    ProblemDetail problem =
        ProblemDetail.forStatusAndDetail(
            status, "the body must be JSON in the documented form" + reason(e));
    problem.setProperty("field", field(e));
    problem.setProperty("limit", "valid JSON with values of the documented types");
    return handleExceptionInternal(e, problem, headers, status, request);
  }

  /** What the parser says of a body that is no JSON; of other ones the field says enough. */
  private static String reason(HttpMessageNotReadableException e) {
    return e.getMostSpecificCause() instanceof JacksonException json
            && (json instanceof StreamReadException || json instanceof StreamConstraintsException)
        ? ": " + JsonText.reason(json)
        : "";
  }

  /**
   * The location of the error in the JSON document; {@code body} if the parser does not report it.
   */
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
