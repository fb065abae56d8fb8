package dev.lastmile.demo.page;

import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** Answers callbacks with 503 while this replica has the fault {@code refuse-callbacks}. */
final class CallbackRefusal extends Handler.Wrapper {
  private final OwnFaults own;

  CallbackRefusal(OwnFaults own) {
    this.own = own;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    boolean isCallback = Request.getPathInContext(request).startsWith("/api/callbacks/");
    if (isCallback && own.faults().contains(DemoFault.REFUSE_CALLBACKS)) {
      Response.writeError(request, response, callback, HttpStatus.SERVICE_UNAVAILABLE_503);
      return true;
    }
    return super.handle(request, response, callback);
  }
}
