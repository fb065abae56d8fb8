package dev.lastmile.streams;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.http.JettyProblems;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.IteratingCallback;
import org.eclipse.jetty.util.thread.Invocable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a connection's send queue to its socket without blocking a thread.
 *
 * <p>The first write, with the response headers, uses Jetty's HTTP. All others go directly to the
 * socket. One write is in progress at a time, and frames that are queued meanwhile leave together
 * in the next one. {@link IteratingCallback} ensures it: {@link #process} runs on the thread that
 * called {@link #flush} or that completed the previous write, never on two threads at once.
 */
final class StreamWriter extends IteratingCallback implements Writer {
  private static final Logger LOG = LoggerFactory.getLogger(StreamWriter.class);
  private static final byte[] LAST_CHUNK = "\r\n0\r\n\r\n".getBytes(US_ASCII);

  /** An intended abort: it needs no log event and no stack trace. */
  private static final class Aborted extends EofException {
    private static final long serialVersionUID = 1L;

    @Override
    public synchronized Throwable fillInStackTrace() {
      return this;
    }
  }

  private final StreamConnection connection;
  private final StreamRegistry registry;
  private final Reconciler reconciler;
  private final Ticker ticker;
  private final StreamSocket socket;

  /** The response until its first write has ended; then null. */
  private @Nullable Response response;

  /**
   * Completes the HTTP exchange; null after {@link StreamSocket#takeOver}, when HTTP no longer owns
   * the response.
   */
  private @Nullable Callback callback;

  /** Whether frames are chunks; false for HTTP/1.0 clients. */
  private final boolean chunked;

  /** Used by {@link #process} and its completions only, like {@code ended}. */
  private boolean begun;

  private boolean ended;

  private volatile boolean ending;

  StreamWriter(
      StreamConnection connection,
      StreamRegistry registry,
      Reconciler reconciler,
      Ticker ticker,
      StreamSocket socket,
      boolean chunked,
      Response response,
      Callback callback) {
    this.connection = connection;
    this.registry = registry;
    this.reconciler = reconciler;
    this.ticker = ticker;
    this.socket = socket;
    this.chunked = chunked;
    this.response = response;
    this.callback = callback;
  }

  @Override
  protected Action process() {
    if (begun && response != null) {
      response = null;
      if (!socket.takeOver()) {
        // HTTP still holds a buffer; failing the response releases it.
        registry.close(connection, CloseReason.CLIENT_GONE);
        return Action.IDLE;
      }
      callback = null;
    }
    // HTTP makes the chunk of the first write.
    ByteBuffer next = connection.nextWrite(ticker.read(), chunked && response == null);
    if (next == null) {
      if (!ending) {
        return Action.IDLE;
      }
      if (ended || !chunked) {
        return Action.SUCCEEDED;
      }
      ended = true;
      next = ByteBuffer.wrap(LAST_CHUNK);
    }
    if (response == null) {
      socket.getEndPoint().write(this, next);
    } else {
      begun = true;
      response.write(false, next, this);
    }
    return Action.SCHEDULED;
  }

  @Override
  protected void onSuccess() {
    StreamPosition.Flush flush = connection.written();
    try {
      reconciler.flushed(connection, flush);
    } catch (RuntimeException e) {
      // An exception here would stop the iteration, and the stream would never write again.
      LOG.atError().setCause(e).addKeyValue("flush", flush).log("flush_settlement_failed");
    }
  }

  @Override
  protected void onCompleteSuccess() {
    // Ends the response: the kernel sends the remaining bytes, then closes the connection.
    socket.close();
  }

  @Override
  protected void onCompleteFailure(Throwable cause) {
    boolean network = cause instanceof IOException || cause instanceof TimeoutException;
    registry.close(connection, network ? CloseReason.CLIENT_GONE : CloseReason.ERROR);
    Callback http = callback;
    if (http != null) {
      http.failed(cause);
    }
  }

  @Override
  public InvocationType getInvocationType() {
    return Invocable.InvocationType.NON_BLOCKING;
  }

  @Override
  public void flush() {
    iterate();
  }

  @Override
  public void end() {
    ending = true;
    iterate();
  }

  @Override
  public void abort() {
    // The socket first: its close makes the write in progress fail, and only then does it complete.
    EofException cause = new Aborted();
    socket.getEndPoint().close(cause);
    abort(cause);
  }

  @Override
  public void reject() {
    Response answer = response;
    Callback http = callback;
    if (answer != null && http != null) {
      withdrawHeaders(answer);
      JettyProblems.write(answer.getRequest(), answer, http, StreamHandler.unavailable());
    }
  }

  /** Removes the headers of a stream from a response that becomes a problem. */
  static void withdrawHeaders(Response response) {
    response.getHeaders().remove("X-Accel-Buffering");
    response.getHeaders().remove(HttpHeader.TRANSFER_ENCODING);
  }
}
