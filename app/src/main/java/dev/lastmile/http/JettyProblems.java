package dev.lastmile.http;

import dev.lastmile.http.RejectionMetrics.Reason;
import dev.lastmile.updates.InvalidValueException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
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
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ProblemDetail;
import org.springframework.http.converter.json.ProblemDetailJacksonMixin;
import org.springframework.web.ErrorResponse;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes problem details for requests that are rejected before they reach Spring.
 *
 * <p>An exception of one of the service's own handlers gets the same problem as one of a controller
 * ({@link ProblemAdvice}). Requests that Jetty rejects have ambiguous paths, or invalid or too
 * large headers. Their problem contains nothing from the request, because nothing of it has been
 * checked.
 */
public final class JettyProblems extends ErrorHandler {
  private final RejectionMetrics rejections;
  private final ProblemAdvice advice;
  private final JsonMapper mapper;

  JettyProblems(RejectionMetrics rejections, ProblemAdvice advice, JsonMapper mapper) {
    this.rejections = rejections;
    this.advice = advice;
    this.mapper =
        mapper.rebuild().addMixIn(ProblemDetail.class, ProblemDetailJacksonMixin.class).build();
  }

  /**
   * Writes the problem of an exception in a handler that runs before the servlets, as a
   * controller's would be written. Any thread; returns at once.
   *
   * @param cause an {@link ErrorResponse} or an {@link InvalidValueException} has its own status;
   *     every other exception is logged by the server and answered with 500
   */
  public static void write(
      Request request, Response response, Callback callback, @Nullable Throwable cause) {
    boolean expected = cause instanceof ErrorResponse || cause instanceof InvalidValueException;
    Throwable reported = expected ? new QuietException.Exception(cause) : cause;
    Response.writeError(request, response, callback, reported);
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    Object reported = request.getAttribute(ERROR_EXCEPTION);
    @Nullable Throwable cause =
        reported instanceof QuietException.Exception quiet ? quiet.getCause() : null;
    switch (cause) {
      case InvalidValueException e ->
          answer(advice.invalid(e), HttpHeaders.EMPTY, request, response, callback);
      case ErrorResponse e -> answer(e.getBody(), e.getHeaders(), request, response, callback);
      case null, default -> answerForJetty(reported, request, response, callback);
    }
    return true;
  }

  private void answer(
      ProblemDetail body,
      HttpHeaders headers,
      Request request,
      Response response,
      Callback callback) {
    ProblemDetail problem = copy(body);
    response.setStatus(problem.getStatus());
    headers.forEach((name, values) -> response.getHeaders().put(name, String.join(", ", values)));
    instance(request).ifPresent(problem::setInstance);
    send(problem, request, response, callback);
  }

  /** One exception may answer several requests, so its own body is not changed. */
  private static ProblemDetail copy(ProblemDetail body) {
    ProblemDetail problem = ProblemDetail.forStatus(body.getStatus());
    problem.setTitle(body.getTitle());
    problem.setDetail(body.getDetail());
    if (body.getProperties() != null) {
      problem.setProperties(new LinkedHashMap<>(body.getProperties()));
    }
    return problem;
  }

  private static Optional<URI> instance(Request request) {
    try {
      return Optional.of(new URI(request.getHttpURI().getPath()));
    } catch (URISyntaxException e) {
      // Jetty accepts paths that are not valid URIs.
      return Optional.empty();
    }
  }

  private void answerForJetty(
      @Nullable Object cause, Request request, Response response, Callback callback) {
    int status = response.getStatus();
    if (cause instanceof HttpException rejected) {
      status = rejected.getCode();
      response.setStatus(status);
      rejections.count(
          status == HttpStatus.REQUEST_HEADER_FIELDS_TOO_LARGE_431
              ? Reason.HEAD_SIZE
              : Reason.MALFORMED);
    }
    if (HttpStatus.hasNoBody(status)) {
      SecurityHeaders.add(request, response.getHeaders());
      callback.succeeded();
      return;
    }
    String title = HttpStatus.getMessage(status);
    ProblemDetail problem =
        ProblemDetail.forStatusAndDetail(
            HttpStatusCode.valueOf(status), "the server rejected the request: " + title);
    problem.setTitle(title);
    send(problem, request, response, callback);
  }

  private void send(ProblemDetail problem, Request request, Response response, Callback callback) {
    SecurityHeaders.add(request, response.getHeaders());
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/problem+json");
    response.write(true, ByteBuffer.wrap(mapper.writeValueAsBytes(problem)), callback);
  }
}
