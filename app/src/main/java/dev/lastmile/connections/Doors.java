package dev.lastmile.connections;

import java.time.Duration;
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
  private final Evacuation evacuation;
  private final Duration within;

  private volatile boolean closed;

  Doors(Registry registry, Evacuation evacuation, Duration within) {
    this.registry = registry;
    this.evacuation = evacuation;
    this.within = within;
  }

  /** This replica is deaf: others are not. Returns at once. */
  public void shut() {
    if (!closed) {
      closed = true;
      LOG.atWarn().log("doors_shut");
      registry.refuse(Registry.Admission.DEAF);
      var _ = evacuation.start(DisconnectReason.DEAF, within);
    }
  }

  /** It hears again. */
  public void open() {
    if (closed) {
      closed = false;
      LOG.atWarn().log("doors_opened");
      evacuation.stop();
      registry.refuse(null);
    }
  }

  /** Whether new streams are refused because this replica is deaf. */
  public boolean isClosed() {
    return closed;
  }
}
