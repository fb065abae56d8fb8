package dev.lastmile.store;

/**
 * Decides whether updates are published, and dispatches updates that are not. Any thread; both
 * methods return at once.
 */
public interface FanOut {
  /** Whether updates are published to the other replicas at this moment. */
  boolean publishes();

  /** Dispatches an envelope to the streams of this replica only. */
  void dispatchLocally(byte[] envelope);
}
