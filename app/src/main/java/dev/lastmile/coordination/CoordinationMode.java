package dev.lastmile.coordination;

/** How replicas tell each other of updates ({@code lastmile.coordination}). */
enum CoordinationMode {
  /** Every update is published to all replicas; the one that holds the stream delivers. */
  BROADCAST,
  /**
   * An update reaches only the connections of the replica that processed the callback: right with
   * one replica, silently wrong with several. It is here to show that failure.
   */
  LOCAL_ONLY
}
