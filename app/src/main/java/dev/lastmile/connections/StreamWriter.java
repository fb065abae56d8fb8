package dev.lastmile.connections;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.IteratingCallback;
import org.eclipse.jetty.util.thread.Invocable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a connection's send queue to its socket without ever blocking a thread: the first write,
 * with the head of the answer, through Jetty's HTTP, all others straight to the socket.
 *
 * <p>One write is under way at a time; what is queued meanwhile leaves together in the next one.
 * {@link IteratingCallback} sees to that: {@link #process} runs in whichever thread called {@link
 * #flush} or completed the write before, never in two at once.
 */
final class StreamWriter extends IteratingCallback implements Writer {
  private static final Logger LOG = LoggerFactory.getLogger(StreamWriter.class);
  private static final byte[] LAST_CHUNK = "\r\n0\r\n\r\n".getBytes(US_ASCII);

  /** Cutting a stream is no fault to log, and needs no stack. */
  private static final class Aborted extends EofException {
    private static final long serialVersionUID = 1L;

    @Override
    public synchronized Throwable fillInStackTrace() {
      return this;
    }
  }

  private final Connection connection;
  private final Registry registry;
  private final Reconciler reconciler;
  private final Expectations expectations;
  private final LongSupplier nanos;
  private final StreamSocket socket;

  /** The answer until it has begun; then null. */
  private @Nullable Response response;

  /** Its end, for HTTP; null as above: an answer that has begun is HTTP's no more. */
  private @Nullable Callback callback;

  /** Whether frames are chunks: not for a client of HTTP/1.0. */
  private final boolean chunked;

  /** Used by {@link #process} and its completions only, as is the next. */
  private boolean begun;

  private boolean ended;

  private volatile boolean ending;

  StreamWriter(
      Connection connection,
      Registry registry,
      Reconciler reconciler,
      Expectations expectations,
      LongSupplier nanos,
      StreamSocket socket,
      boolean chunked,
      Response response,
      Callback callback) {
    this.connection = connection;
    this.registry = registry;
    this.reconciler = reconciler;
    this.expectations = expectations;
    this.nanos = nanos;
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
        // HTTP still has a buffer; told that its answer has failed, it gives that back.
        registry.close(connection, DisconnectReason.CLIENT_GONE);
        return Action.IDLE;
      }
      callback = null;
    }
    // The chunk that leaves with the head is made by HTTP.
    ByteBuffer next = connection.nextWrite(nanos.getAsLong(), chunked && response == null);
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
    Connection.Flush flush = connection.written();
    try {
      expectations.flushed(connection.group(), flush);
    } catch (RuntimeException e) {
      // Going on would leave the iteration half-way, and the stream silent for ever.
      LOG.atError().setCause(e).addKeyValue("flush", flush).log("flush_not_settled");
    }
    if (connection.awaitsPage()) {
      reconciler.request(connection.group());
    }
  }

  @Override
  protected void onCompleteSuccess() {
    // That is the answer's end: the kernel sends what it has, and then says so.
    socket.close();
  }

  @Override
  protected void onCompleteFailure(Throwable cause) {
    boolean network = cause instanceof IOException || cause instanceof TimeoutException;
    registry.close(connection, network ? DisconnectReason.CLIENT_GONE : DisconnectReason.ERROR);
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
    // First the socket: a write that is under way fails by that, and only then completes.
    EofException cause = new Aborted();
    socket.getEndPoint().close(cause);
    abort(cause);
  }

  @Override
  public void refuse() {
    Response answer = response;
    Callback http = callback;
    if (answer != null && http != null) {
      Problems.unavailable(answer, http);
    }
  }
}
