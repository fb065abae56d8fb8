package dev.lastmile;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.QuietException;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Invocable;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;

/**
 * Reads a request's JSON before anybody looks at the request: whole, within limits of size and
 * time, without a thread that waits for it. Whoever sends by the drop costs a connection and what
 * has come of the body; all bodies that are being read have a limit together.
 *
 * <p>Nothing but JSON is read here, and what is not read here nobody can read: other types are
 * refused by their name.
 */
final class Bodies extends Handler.Wrapper {
  private final HttpProperties limits;
  private final LongSupplier nanos;

  /** Bytes of the bodies that are being read. */
  private final AtomicLong held = new AtomicLong();

  Bodies(HttpProperties limits, LongSupplier nanos) {
    this.limits = limits;
    this.nanos = nanos;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    if (!hasBody(request)) {
      return super.handle(request, response, callback);
    }
    if (!isJson(request)) {
      return super.handle(ReadRequest.withoutBody(request), response, callback);
    }
    Reading reading = new Reading(request, response, callback);
    if (request.getLength() > limits.maxBody()) {
      reading.refuse(new BodyTooLargeException(limits.maxBody()));
    } else {
      reading.run();
    }
    return true;
  }

  private static boolean hasBody(Request request) {
    return request.getLength() > 0 || request.getHeaders().contains(HttpHeader.TRANSFER_ENCODING);
  }

  /** As those see it who want JSON. */
  private static boolean isJson(Request request) {
    String type = request.getHeaders().get(HttpHeader.CONTENT_TYPE);
    if (MediaType.APPLICATION_JSON_VALUE.equals(type)) {
      return true;
    }
    try {
      String subtype = type == null ? "" : MediaType.parseMediaType(type).getSubtype();
      return subtype.equals("json") || subtype.endsWith("+json");
    } catch (InvalidMediaTypeException e) {
      return false;
    }
  }

  private final class Reading implements Invocable.Task {
    private final Request request;
    private final Response response;
    private final Callback callback;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private final long sinceNanos = nanos.getAsLong();

    Reading(Request request, Response response, Callback callback) {
      this.request = request;
      this.response = response;
      this.callback = callback;
    }

    /** Reads what has come; runs again when more has. */
    @Override
    public void run() {
      while (true) {
        Content.Chunk chunk = request.read();
        if (chunk == null) {
          // Only what has to be waited for is held.
          if (held.get() > limits.maxBodies()) {
            refuse(new BodiesFullException(limits.maxBodies()));
          } else {
            request.demand(this);
          }
          return;
        }
        if (Content.Chunk.isFailure(chunk)) {
          fail(chunk);
          return;
        }
        boolean last = chunk.isLast();
        add(chunk);
        if (body.size() > limits.maxBody()) {
          refuse(new BodyTooLargeException(limits.maxBody()));
          return;
        }
        if (last) {
          pass();
          return;
        }
        if (nanos.getAsLong() - sinceNanos > limits.bodyTimeout().toNanos()) {
          refuse(new BodyTooSlowException(limits.bodyTimeout()));
          return;
        }
      }
    }

    private void add(Content.Chunk chunk) {
      ByteBuffer bytes = chunk.getByteBuffer();
      byte[] copy = new byte[bytes.remaining()];
      bytes.get(copy);
      chunk.release();
      body.writeBytes(copy);
      held.addAndGet(copy.length);
    }

    /** Once, when nothing more is read. */
    private void letGo() {
      held.addAndGet(-body.size());
    }

    private void pass() {
      letGo();
      Request whole = ReadRequest.withBody(request, body.toByteArray());
      ServletThreads.serve(getHandler(), whole, response, callback);
    }

    private void fail(Content.Chunk failed) {
      if (failed.getFailure() instanceof TimeoutException && !failed.isLast()) {
        // A body of which nothing comes any more is too slow as well: the connection was idle.
        refuse(new BodyTooSlowException(limits.bodyTimeout()));
      } else {
        letGo();
        callback.failed(failed.getFailure());
      }
    }

    /** Once, instead of passing it on. */
    private void refuse(Exception cause) {
      letGo();
      Response.writeError(request, response, callback, new QuietException.Exception(cause));
    }

    @Override
    public InvocationType getInvocationType() {
      return InvocationType.NON_BLOCKING;
    }
  }
}
