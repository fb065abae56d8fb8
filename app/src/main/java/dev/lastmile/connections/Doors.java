package dev.lastmile.connections;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether this replica takes streams.
 *
 * <p>Shut doors refuse new streams with 503 and end the open ones in small, random batches, each
 * told when to come back, so that the other replicas get them one after the other. Any thread.
 */
public final class Doors {
  private static final Logger LOG = LoggerFactory.getLogger(Doors.class);

  private final Registry registry;
  private final BatchClose batchClose;
  private final Duration within;

  private volatile boolean closed;

  /** The streams being closed because this replica is deaf. */
  private volatile CompletableFuture<Void> closing = CompletableFuture.completedFuture(null);

  Doors(Registry registry, BatchClose batchClose, Duration within) {
    this.registry = registry;
    this.batchClose = batchClose;
    this.within = within;
  }

  /** This replica is deaf, others are not. Returns at once; does nothing while it stops. */
  public synchronized void shut() {
    if (!closed && registry.refuse(Registry.Admission.DEAF)) {
      closed = true;
      LOG.atWarn().log("doors_shut");
      closing = batchClose.start(DisconnectReason.DEAF, within);
    }
  }

  /** It hears again. */
  public synchronized void open() {
    if (closed) {
      closed = false;
      LOG.atWarn().log("doors_opened");
      closing.cancel(false);
      registry.refuse(null);
    }
  }

  /** Whether new streams are refused because this replica is deaf. */
  public boolean isClosed() {
    return closed;
  }
}
