package dev.lastmile.callbacks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.coordination.Change;
import dev.lastmile.coordination.RedisAwayException;
import dev.lastmile.updates.InvalidValueException;
import io.opentelemetry.context.Scope;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.QuietException;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Promise;
import org.jspecify.annotations.Nullable;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import org.springframework.web.ErrorResponse;
import org.springframework.web.HttpMediaTypeNotSupportedException;
import org.springframework.web.HttpRequestMethodNotSupportedException;

/**
 * {@code POST /api/callbacks/{operationId}}, in front of the servlets: a callback costs no thread
 * and no servlet. It is read and checked on the selector and answered on the event loop of Redis,
 * when Redis has stored it.
 *
 * <p>What is refused is left to the server's error handler, which makes the problem of it.
 */
final class CallbackHandler extends Handler.Wrapper {
  private static final String PATH = "/api/callbacks/";

  private final Callbacks callbacks;
  private final Route route;

  CallbackHandler(Callbacks callbacks, Route route) {
    this.callbacks = callbacks;
    this.route = route;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    String operationId = operationId(Request.getPathInContext(request));
    if (operationId.isEmpty()) {
      return super.handle(request, response, callback);
    }
    Route.Served served = route.begin(request);
    try (Scope _ = served.makeCurrent()) {
      new Exchange(operationId, request, response, callback, served).begin();
    }
    return true;
  }

  /** Empty if the path is another one. */
  private static String operationId(String path) {
    return path.startsWith(PATH) && path.indexOf('/', PATH.length()) < 0
        ? path.substring(PATH.length())
        : "";
  }

  private static boolean isJson(@Nullable String type) {
    if (MediaType.APPLICATION_JSON_VALUE.equals(type)) {
      return true;
    }
    try {
      return type != null && MediaType.APPLICATION_JSON.includes(MediaType.parseMediaType(type));
    } catch (InvalidMediaTypeException e) {
      return false;
    }
  }

  /** One request and its answer; takes the body. */
  private final class Exchange implements Promise.Invocable<ByteBuffer> {
    private final String operationId;
    private final Request request;
    private final Response response;
    private final Callback callback;
    private final Route.Served served;

    Exchange(
        String operationId,
        Request request,
        Response response,
        Callback callback,
        Route.Served served) {
      this.operationId = operationId;
      this.request = request;
      this.response = response;
      this.callback = callback;
      this.served = served;
    }

    void begin() {
      String method = request.getMethod();
      String type = request.getHeaders().get(HttpHeader.CONTENT_TYPE);
      if (!HttpMethod.POST.is(method)) {
        refuse(new HttpRequestMethodNotSupportedException(method, List.of("POST")));
      } else if (!isJson(type)) {
        refuse(
            new HttpMediaTypeNotSupportedException(
                "Content-Type '" + type + "' is not supported.",
                List.of(MediaType.APPLICATION_JSON)));
      } else {
        // Its body has been read: succeeds at once.
        Content.Source.asByteBuffer(request, this);
      }
    }

    @Override
    public void succeeded(ByteBuffer body) {
      HttpFields headers = request.getHeaders();
      Webhook webhook =
          new Webhook(
              operationId,
              headers.get("webhook-id"),
              headers.get("webhook-timestamp"),
              headers.get("webhook-signature"),
              BufferUtil.toArray(body));
      callbacks.take(webhook).handle(this::answer).exceptionally(this::broken);
    }

    /** The body did not come. */
    @Override
    public void failed(Throwable cause) {
      callback.failed(cause);
      served.end(HttpStatus.BAD_REQUEST_400);
    }

    private @Nullable Void answer(@Nullable Change change, @Nullable Throwable failure) {
      if (change == null) {
        refuse(failure instanceof CompletionException ? failure.getCause() : failure);
        return null;
      }
      byte[] taken = ("{\"outcome\":\"" + change.wireName() + "\"}").getBytes(UTF_8);
      response.getHeaders().put(HttpHeader.CONTENT_TYPE, MediaType.APPLICATION_JSON_VALUE);
      response.write(true, ByteBuffer.wrap(taken), callback);
      served.end(response.getStatus());
      return null;
    }

    /** A fault while it was answered: nobody else would hear of it, and the client would wait. */
    private @Nullable Void broken(Throwable fault) {
      callback.failed(fault);
      served.end(HttpStatus.INTERNAL_SERVER_ERROR_500);
      return null;
    }

    /** What is no answer to the client but a fault of ours is logged by the server. */
    void refuse(@Nullable Throwable cause) {
      boolean expected =
          cause instanceof ErrorResponse
              || cause instanceof InvalidValueException
              || cause instanceof RedisAwayException;
      Throwable told = expected ? new QuietException.Exception(cause) : cause;
      Response.writeError(request, response, callback, told);
      served.end(response.getStatus());
    }

    @Override
    public InvocationType getInvocationType() {
      return InvocationType.NON_BLOCKING;
    }
  }
}
