package dev.lastmile.http;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.http.RejectionMetrics.Reason;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Invocable;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;

/**
 * Reads a whole JSON request body into memory before the request is passed on.
 *
 * <p>It limits the size ({@code lastmile.http.max-body}), the time ({@code
 * lastmile.http.body-timeout}) and the bytes of all bodies that are incomplete, and of all that are
 * complete and not answered ({@code lastmile.http.max-bodies}, for each). It never blocks. A slow
 * client occupies a connection and the bytes received so far, but no thread.
 *
 * <p>Only JSON is read. A body of another type cannot be read by later handlers; controllers reject
 * such a request by its content type.
 */
@Component
@Order(HandlerOrder.REQUEST_BODIES)
final class RequestBodyReader extends Handler.Wrapper {
  private final HttpProperties limits;
  private final RejectionMetrics rejections;
  private final Ticker ticker;

  /** Bytes of all bodies that are incomplete. */
  private final AtomicLong held = new AtomicLong();

  /** Bytes of all complete bodies whose requests are not answered. */
  private final AtomicLong served = new AtomicLong();

  RequestBodyReader(HttpProperties limits, RejectionMetrics rejections, Ticker ticker) {
    this.limits = limits;
    this.rejections = rejections;
    this.ticker = ticker;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    if (!hasBody(request)) {
      return super.handle(request, response, callback);
    }
    if (!isJson(request)) {
      // No size limit applies to this body, so reading it fails.
      Content.Chunk failure = Content.Chunk.from(new IOException("only a JSON body can be read"));
      return super.handle(new BufferedRequest(request, failure), response, callback);
    }
    Reading reading = new Reading(request, response, callback);
    if (request.getLength() > limits.maxBody()) {
      reading.rejectSize();
    } else {
      reading.run();
    }
    return true;
  }

  private static boolean hasBody(Request request) {
    return request.getLength() > 0 || request.getHeaders().contains(HttpHeader.TRANSFER_ENCODING);
  }

  /** Whether Spring's JSON converter accepts the content type. */
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
    private final long sinceNanos = ticker.read();

    Reading(Request request, Response response, Callback callback) {
      this.request = request;
      this.response = response;
      this.callback = callback;
    }

    /** Reads the available bytes; Jetty calls it again when more have arrived. */
    @Override
    public void run() {
      while (true) {
        Content.Chunk chunk = request.read();
        if (chunk == null) {
          // This limit applies to bodies that have to wait for more bytes.
          if (held.get() > limits.maxBodies()) {
            rejectMemory("in progress");
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
          rejectSize();
          return;
        }
        if (last) {
          pass();
          return;
        }
        if (ticker.read() - sinceNanos > limits.bodyTimeout().toNanos()) {
          rejectTime();
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

    /** Releases the count of this body; called once, after the last read. */
    private void release() {
      held.addAndGet(-body.size());
    }

    private void pass() {
      int size = body.size();
      if (served.addAndGet(size) > limits.maxBodies()) {
        served.addAndGet(-size);
        rejectMemory("of requests that are not answered");
        return;
      }
      release();
      Callback answered = Callback.from(callback, releaseOnce(served, size));
      Content.Chunk whole = Content.Chunk.from(ByteBuffer.wrap(body.toByteArray()), true);
      VirtualThreadHandoff.serve(
          getHandler(), new BufferedRequest(request, whole), response, answered);
    }

    /** Static, so that it does not keep the body. Some handlers complete a request twice. */
    private static Runnable releaseOnce(AtomicLong total, int size) {
      AtomicInteger left = new AtomicInteger(size);
      return () -> total.addAndGet(-left.getAndSet(0));
    }

    private void fail(Content.Chunk failed) {
      if (failed.getFailure() instanceof TimeoutException && !failed.isLast()) {
        // The connection's idle timeout, without any further byte, also means a slow body.
        rejectTime();
      } else {
        release();
        callback.failed(failed.getFailure());
      }
    }

    private void rejectSize() {
      int limit = limits.maxBody();
      String detail = "the body must be at most " + limit + " bytes";
      reject(
          Reason.BODY_SIZE,
          new RequestProblem(HttpStatus.CONTENT_TOO_LARGE, detail, "body", limit));
    }

    private void rejectTime() {
      long limit = limits.bodyTimeout().toMillis();
      String detail = "the body must arrive within " + limit + " ms";
      reject(
          Reason.BODY_TIME, new RequestProblem(HttpStatus.REQUEST_TIMEOUT, detail, "body", limit));
    }

    private void rejectMemory(String which) {
      int limit = limits.maxBodies();
      String detail =
          "too many request bodies "
              + which
              + ": at most "
              + limit
              + " bytes in total; retry later";
      String field = "lastmile.http.max-bodies";
      reject(
          Reason.BODY_MEMORY,
          new RequestProblem(HttpStatus.SERVICE_UNAVAILABLE, detail, field, limit).retryAfter(1));
    }

    /**
     * Rejects the request; called once, instead of {@link #pass}. The rest of the body is not read,
     * so the connection is closed after the response.
     */
    private void reject(Reason reason, RequestProblem problem) {
      release();
      rejections.count(reason);
      problem.getHeaders().set(HttpHeaders.CONNECTION, "close");
      JettyProblems.write(request, response, callback, problem);
    }

    @Override
    public InvocationType getInvocationType() {
      return InvocationType.NON_BLOCKING;
    }
  }
}
