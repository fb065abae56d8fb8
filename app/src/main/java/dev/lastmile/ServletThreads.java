package dev.lastmile;

import io.opentelemetry.context.Context;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * The border between what never waits and what may: handlers in front of this one run on Jetty's
 * selector, which reads all connections; the servlets behind it get a thread of their own, a
 * virtual one.
 *
 * <p>What is in front must therefore not block, and saves the change of threads, which costs as
 * much as everything else that a callback needs.
 */
final class ServletThreads extends Handler.Wrapper {
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

  /** Hands a request on where Jetty does not look at the result any more: it is answered. */
  static void serve(Handler next, Request request, Response response, Callback callback) {
    try {
      if (!next.handle(request, response, callback)) {
        Response.writeError(request, response, callback, HttpStatus.NOT_FOUND_404);
      }
    } catch (Throwable e) {
      // As Jetty does where it calls handlers: whoever asked is answered.
      Response.writeError(request, response, callback, e);
    }
  }
}
