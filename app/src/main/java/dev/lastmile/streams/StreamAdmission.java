package dev.lastmile.streams;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Decides whether this replica admits streams.
 *
 * <p>While it rejects them, new streams get 503. The open ones are closed in small, random batches,
 * each stream with its own reconnection time, so that clients reach the other replicas one by one.
 * Any thread.
 */
@Component
public final class StreamAdmission {
  private static final Logger LOG = LoggerFactory.getLogger(StreamAdmission.class);

  private final StreamRegistry registry;
  private final StaggeredCloser closer;
  private final Duration within;

  private volatile boolean rejecting;

  /** Completes when the streams of a stalled replica are closed. */
  private volatile CompletableFuture<Void> closing = CompletableFuture.completedFuture(null);

  StreamAdmission(StreamRegistry registry, StaggeredCloser closer, DrainProperties properties) {
    this.registry = registry;
    this.closer = closer;
    this.within = properties.streams();
  }

  /**
   * Rejects new streams and closes the open ones (reason {@code stalled}). Used when this replica
   * receives no published messages while others do. Returns at once; does nothing during shutdown.
   */
  public synchronized void reject() {
    if (!rejecting && registry.reject(StreamRegistry.Admission.STALLED)) {
      rejecting = true;
      LOG.atWarn().log("streams_rejected");
      closing = closer.start(CloseReason.STALLED, within);
    }
  }

  /** Admits streams again. */
  public synchronized void admit() {
    if (rejecting) {
      rejecting = false;
      LOG.atWarn().log("streams_admitted");
      closing.cancel(false);
      registry.reject(null);
    }
  }

  /** Whether new streams are rejected because this replica receives no published messages. */
  public boolean isRejecting() {
    return rejecting;
  }
}
