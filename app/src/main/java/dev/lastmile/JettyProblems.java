package dev.lastmile;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/**
 * Answers with a problem what Jetty refuses before Spring sees it: ambiguous paths, broken or too
 * large headers. Nothing of the request is repeated, since nothing of it has been checked.
 */
final class JettyProblems extends ErrorHandler {
  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    int status = response.getStatus();
    if (request.getAttribute(ERROR_EXCEPTION) instanceof HttpException refused) {
      status = refused.getCode();
      response.setStatus(status);
    }
    if (HttpStatus.hasNoBody(status)) {
      callback.succeeded();
      return true;
    }
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/problem+json");
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    String title = HttpStatus.getMessage(status);
    String problem =
        "{\"title\":\"%s\",\"status\":%d,\"detail\":\"the request is not acceptable: %s\"}"
            .formatted(title, status, title);
    response.write(true, ByteBuffer.wrap(problem.getBytes(UTF_8)), callback);
    return true;
  }
}
