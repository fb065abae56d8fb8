package dev.lastmile;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import dev.lastmile.Refusals.Reason;
import dev.lastmile.coordination.RedisAwayException;
import dev.lastmile.updates.InvalidValueException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.io.QuietException;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.http.converter.json.ProblemDetailJacksonMixin;
import org.springframework.web.ErrorResponse;
import tools.jackson.databind.json.JsonMapper;

/**
 * Answers with a problem what is refused before Spring sees it. A handler of ours says why, and is
 * answered as {@link ProblemAdvice} answers a controller. What Jetty refuses, ambiguous paths,
 * broken or too large headers, is not repeated, since nothing of it has been checked.
 */
final class JettyProblems extends ErrorHandler {
  private final Refusals refusals;
  private final ProblemAdvice advice;
  private final JsonMapper mapper;

  JettyProblems(Refusals refusals, ProblemAdvice advice, JsonMapper mapper) {
    this.refusals = refusals;
    this.advice = advice;
    this.mapper =
        mapper.rebuild().addMixIn(ProblemDetail.class, ProblemDetailJacksonMixin.class).build();
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    Object cause = request.getAttribute(ERROR_EXCEPTION);
    Optional<ResponseEntity<ProblemDetail>> ours =
        cause instanceof QuietException.Exception quiet ? ours(quiet.getCause()) : Optional.empty();
    if (ours.isPresent()) {
      answer(ours.get(), request, response, callback);
    } else {
      answerForJetty(cause, request, response, callback);
    }
    return true;
  }

  private Optional<ResponseEntity<ProblemDetail>> ours(@Nullable Throwable cause) {
    return Optional.ofNullable(
        switch (cause) {
          case InvalidValueException e -> ResponseEntity.of(advice.invalid(e)).build();
          case RedisAwayException e -> advice.redisAway(e);
          case BodyTooLargeException e -> advice.tooLarge(e);
          case BodyTooSlowException e -> advice.tooSlow(e);
          case BodiesFullException e -> advice.bodiesFull(e);
          case ErrorResponse e ->
              ResponseEntity.status(e.getStatusCode()).headers(e.getHeaders()).body(e.getBody());
          case null, default -> null;
        });
  }

  private void answer(
      ResponseEntity<ProblemDetail> answer, Request request, Response response, Callback callback) {
    ProblemDetail problem = requireNonNull(answer.getBody());
    response.setStatus(answer.getStatusCode().value());
    answer
        .getHeaders()
        .forEach((name, values) -> response.getHeaders().put(name, String.join(", ", values)));
    instance(request).ifPresent(problem::setInstance);
    write(mapper.writeValueAsBytes(problem), request, response, callback);
  }

  private static Optional<URI> instance(Request request) {
    try {
      return Optional.of(new URI(request.getHttpURI().getPath()));
    } catch (URISyntaxException e) {
      // Jetty takes more than is one.
      return Optional.empty();
    }
  }

  private void answerForJetty(
      @Nullable Object cause, Request request, Response response, Callback callback) {
    int status = response.getStatus();
    if (cause instanceof HttpException refused) {
      status = refused.getCode();
      response.setStatus(status);
      refusals.count(
          status == HttpStatus.REQUEST_HEADER_FIELDS_TOO_LARGE_431
              ? Reason.HEAD_SIZE
              : Reason.MALFORMED);
    }
    if (HttpStatus.hasNoBody(status)) {
      SecureHeaders.add(request, response.getHeaders());
      callback.succeeded();
      return;
    }
    String title = HttpStatus.getMessage(status);
    String problem =
        "{\"title\":\"%s\",\"status\":%d,\"detail\":\"the request is not acceptable: %s\"}"
            .formatted(title, status, title);
    write(problem.getBytes(UTF_8), request, response, callback);
  }

  private static void write(byte[] problem, Request request, Response response, Callback callback) {
    SecureHeaders.add(request, response.getHeaders());
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/problem+json");
    response.write(true, ByteBuffer.wrap(problem), callback);
  }
}
