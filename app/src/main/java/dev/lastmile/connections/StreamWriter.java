package dev.lastmile.connections;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.IteratingCallback;
import org.eclipse.jetty.util.thread.Invocable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a connection's send queue to its socket without ever blocking a thread.
 *
 * <p>One write is under way at a time; what is queued meanwhile leaves together in the next one.
 * {@link IteratingCallback} sees to that: {@link #process} runs in whichever thread called {@link
 * #flush} or completed the write before, never in two at once.
 */
final class StreamWriter extends IteratingCallback implements Writer {
  private static final Logger LOG = LoggerFactory.getLogger(StreamWriter.class);

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
  private final EndPoint endPoint;
  private final Response response;
  private final Callback callback;
  private volatile boolean ending;

  /** Used by {@link #process} and its completions only. */
  private boolean last;

  StreamWriter(
      Connection connection,
      Registry registry,
      Reconciler reconciler,
      Expectations expectations,
      LongSupplier nanos,
      EndPoint endPoint,
      Response response,
      Callback callback) {
    this.connection = connection;
    this.registry = registry;
    this.reconciler = reconciler;
    this.expectations = expectations;
    this.nanos = nanos;
    this.endPoint = endPoint;
    this.response = response;
    this.callback = callback;
  }

  @Override
  protected Action process() {
    if (last) {
      return Action.SUCCEEDED;
    }
    ByteBuffer next = connection.nextWrite(nanos.getAsLong());
    if (next != null) {
      response.write(false, next, this);
      return Action.SCHEDULED;
    }
    if (ending) {
      last = true;
      response.write(true, BufferUtil.EMPTY_BUFFER, this);
      return Action.SCHEDULED;
    }
    return Action.IDLE;
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
    callback.succeeded();
  }

  @Override
  protected void onCompleteFailure(Throwable cause) {
    boolean network = cause instanceof IOException || cause instanceof TimeoutException;
    registry.close(connection, network ? DisconnectReason.CLIENT_GONE : DisconnectReason.ERROR);
    callback.failed(cause);
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
    endPoint.close(cause);
    abort(cause);
  }

  @Override
  public void refuse() {
    // The connection is watched for its end and cannot serve another request.
    response.getHeaders().put(HttpHeader.CONNECTION, "close");
    Problems.unavailable(response, callback);
  }
}
