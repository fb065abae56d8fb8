package dev.lastmile.connections;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Problem details (RFC 9457) of the stream endpoint, which answers in front of Spring. The texts
 * hold nothing from outside.
 */
final class Problems {
  private static final String RETRY_AFTER_SECONDS = "1";

  private Problems() {}

  static void unauthorized(Response response, Callback callback) {
    write(
        response,
        callback,
        HttpStatus.UNAUTHORIZED_401,
        "no valid identity cookie; POST /api/identity sets one",
        "");
  }

  static void crossSite(Response response, Callback callback) {
    write(
        response,
        callback,
        HttpStatus.FORBIDDEN_403,
        "Sec-Fetch-Site must be same-origin or none",
        ",\"field\":\"Sec-Fetch-Site\",\"limit\":\"same-origin or none\"");
  }

  static void badCursor(Response response, Callback callback, String field, String limit) {
    write(
        response,
        callback,
        HttpStatus.BAD_REQUEST_400,
        field + " must be " + limit,
        ",\"field\":\"" + field + "\",\"limit\":\"" + limit + "\"");
  }

  static void body(Response response, Callback callback) {
    write(
        response,
        callback,
        HttpStatus.BAD_REQUEST_400,
        "body must be empty",
        ",\"field\":\"body\",\"limit\":\"empty\"");
  }

  static void methodNotAllowed(Response response, Callback callback) {
    response.getHeaders().put(HttpHeader.ALLOW, "GET");
    write(response, callback, HttpStatus.METHOD_NOT_ALLOWED_405, "a stream is read by GET", "");
  }

  static void full(Response response, Callback callback, String field, int limit) {
    response.getHeaders().put(HttpHeader.RETRY_AFTER, RETRY_AFTER_SECONDS);
    write(
        response,
        callback,
        HttpStatus.SERVICE_UNAVAILABLE_503,
        "too many streams: at most " + limit + " (" + field + ")",
        ",\"field\":\"" + field + "\",\"limit\":" + limit);
  }

  static void tooOften(Response response, Callback callback, long seconds, int most) {
    response.getHeaders().put(HttpHeader.RETRY_AFTER, Long.toString(seconds));
    write(
        response,
        callback,
        HttpStatus.TOO_MANY_REQUESTS_429,
        "too often: at most " + most + " at once; wait",
        ",\"field\":\"lastmile.rate.streams\",\"limit\":" + most);
  }

  static void unavailable(Response response, Callback callback) {
    response.getHeaders().put(HttpHeader.RETRY_AFTER, RETRY_AFTER_SECONDS);
    write(
        response,
        callback,
        HttpStatus.SERVICE_UNAVAILABLE_503,
        "the stream cannot begin now; ask again",
        "");
  }

  private static void write(
      Response response, Callback callback, int status, String detail, String members) {
    response.setStatus(status);
    response.getHeaders().remove("X-Accel-Buffering");
    response.getHeaders().remove(HttpHeader.TRANSFER_ENCODING);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/problem+json");
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    String problem =
        "{\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\",\"instance\":\"/api/stream\"%s}"
            .formatted(HttpStatus.getMessage(status), status, detail, members);
    response.write(true, ByteBuffer.wrap(problem.getBytes(UTF_8)), callback);
  }
}
