package dev.lastmile.http;

import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Rejects a request whose cookies cannot be parsed, with a problem detail (400).
 *
 * <p>Without it the first use of the cookies inside the servlet container fails, and the client
 * gets a page with a stack trace. Jetty keeps the parsed cookies on the request for later use.
 */
final class CookieValidator extends Handler.Wrapper {
  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    try {
      Request.getCookies(request);
    } catch (HttpException.RuntimeException e) {
      Response.writeError(request, response, callback, HttpStatus.BAD_REQUEST_400, null, e);
      return true;
    }
    return super.handle(request, response, callback);
  }
}
