package dev.lastmile;

import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Refuses a request whose cookies cannot be read, with a problem, before anybody looks at them:
 * otherwise whoever looks first, inside of the servlets, fails, and the client gets a page with a
 * stack. What is read here is kept for those who look later.
 */
final class ReadableCookies extends Handler.Wrapper {
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
