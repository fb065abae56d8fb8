package dev.lastmile.callbacks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.http.HandlerOrder;
import dev.lastmile.http.JettyProblems;
import dev.lastmile.http.RequestInstrumentation;
import dev.lastmile.store.ChangeResult;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.context.Scope;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Promise;
import org.jspecify.annotations.Nullable;
import org.springframework.core.annotation.Order;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import org.springframework.web.HttpMediaTypeNotSupportedException;
import org.springframework.web.HttpRequestMethodNotSupportedException;

/**
 * Serves {@code POST /api/callbacks/{operationId}} in front of the servlets, so a callback needs no
 * thread and no servlet.
 *
 * <p>The selector thread reads and verifies the callback. Redis's event loop sends the response
 * after Redis has stored the change. The server's error handler turns failures into problem
 * details.
 */
@Component
@Order(HandlerOrder.CALLBACKS)
final class CallbackHandler extends Handler.Wrapper {
  private static final String PATH = "/api/callbacks/";

  private final Callbacks callbacks;
  private final RequestInstrumentation route;

  CallbackHandler(Callbacks callbacks, MeterRegistry meters) {
    this.callbacks = callbacks;
    this.route = new RequestInstrumentation(meters, PATH + "{operationId}");
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    String operationId = operationId(Request.getPathInContext(request));
    if (operationId.isEmpty()) {
      return super.handle(request, response, callback);
    }
    RequestInstrumentation.Served served = route.begin(request);
    try (Scope _ = served.makeCurrent()) {
      new Exchange(callbacks, operationId, request, response, callback, served).begin();
    }
    return true;
  }

  /** The operation id in the path; empty for other paths. */
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

  /** One request and its response; receives the body. */
  private record Exchange(
      Callbacks callbacks,
      String operationId,
      Request request,
      Response response,
      Callback callback,
      RequestInstrumentation.Served served)
      implements Promise.Invocable<ByteBuffer> {
    void begin() {
      String method = request.getMethod();
      String type = request.getHeaders().get(HttpHeader.CONTENT_TYPE);
      if (!HttpMethod.POST.is(method)) {
        reject(new HttpRequestMethodNotSupportedException(method, List.of("POST")));
      } else if (!isJson(type)) {
        reject(
            new HttpMediaTypeNotSupportedException(
                "Content-Type '" + type + "' is not supported.",
                List.of(MediaType.APPLICATION_JSON)));
      } else {
        // Completes at once: {@code RequestBodyReader} has read the body.
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
      callbacks.take(webhook).handle(this::answer).exceptionally(this::fail);
    }

    /** The body could not be read. */
    @Override
    public void failed(Throwable cause) {
      callback.failed(cause);
      served.end(HttpStatus.BAD_REQUEST_400);
    }

    private @Nullable Void answer(@Nullable ChangeResult change, @Nullable Throwable failure) {
      if (change == null) {
        reject(failure instanceof CompletionException ? failure.getCause() : failure);
        return null;
      }
      byte[] body = ("{\"outcome\":\"" + change.wireName() + "\"}").getBytes(UTF_8);
      response.getHeaders().put(HttpHeader.CONTENT_TYPE, MediaType.APPLICATION_JSON_VALUE);
      response.write(true, ByteBuffer.wrap(body), callback);
      served.end(response.getStatus());
      return null;
    }

    /**
     * Fails the request after an exception while the response was written; otherwise the client
     * would wait for its timeout.
     */
    private @Nullable Void fail(Throwable fault) {
      callback.failed(fault);
      served.end(HttpStatus.INTERNAL_SERVER_ERROR_500);
      return null;
    }

    /** Rejects the request. An unexpected exception is logged by the server. */
    void reject(@Nullable Throwable cause) {
      JettyProblems.write(request, response, callback, cause);
      served.end(response.getStatus());
    }

    @Override
    public InvocationType getInvocationType() {
      return InvocationType.NON_BLOCKING;
    }
  }
}
