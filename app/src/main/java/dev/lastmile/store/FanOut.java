package dev.lastmile.store;

import java.util.Locale;

/**
 * Decides how updates are published, and dispatches updates that are not. Any thread; both methods
 * return at once.
 */
public interface FanOut {
  /** How updates reach the streams of other replicas ({@code lastmile.fan-out}). */
  enum Mode {
    /**
     * An update is published to the replicas that hold a stream of its channel, and to no other.
     * Its cost does not grow with the number of replicas.
     */
    DIRECTED,
    /** Every update is published to all replicas; those that hold a stream deliver it. */
    BROADCAST,
    /**
     * An update reaches only the streams of the replica that processed the callback. This is
     * correct with one replica and loses updates with several. It exists to show that failure.
     */
    LOCAL_ONLY;

    /** The name in settings, scripts and responses. */
    public String wireName() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Whether updates are published, and those of other replicas are received. */
    public boolean publishes() {
      return this != LOCAL_ONLY;
    }
  }

  /** How updates are published at this moment. */
  Mode mode();

  /** Dispatches an envelope to the streams of this replica only. */
  void dispatchLocally(byte[] envelope);
}
