package dev.lastmile.http;

import io.opentelemetry.context.Context;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Moves requests from Jetty's selector thread to a virtual thread.
 *
 * <p>Handlers in front of it run on the selector, which reads all connections, and must not block.
 * They save the change of threads, which costs as much as the rest of a callback. The servlets
 * behind it may block.
 */
final class VirtualThreadHandoff extends Handler.Wrapper {
  @Override
  public InvocationType getInvocationType() {
    return InvocationType.NON_BLOCKING;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    Runnable servlets = () -> serve(getHandler(), request, response, callback);
    request.getComponents().getExecutor().execute(Context.current().wrap(servlets));
    return true;
  }

  /**
   * Calls a handler where Jetty no longer evaluates the result, and completes the response in every
   * case.
   */
  static void serve(Handler next, Request request, Response response, Callback callback) {
    try {
      if (!next.handle(request, response, callback)) {
        Response.writeError(request, response, callback, HttpStatus.NOT_FOUND_404);
      }
    } catch (Throwable e) {
      // As Jetty does: the client always gets a response.
      Response.writeError(request, response, callback, e);
    }
  }
}
