package dev.lastmile.pubsub;

/** How updates reach the streams of other replicas ({@code lastmile.fan-out}). */
enum FanOutMode {
  /** Every update is published to all replicas; the replica that holds the stream delivers it. */
  BROADCAST,
  /**
   * An update reaches only the streams of the replica that processed the callback. This is correct
   * with one replica and loses updates with several. It exists to show that failure.
   */
  LOCAL_ONLY
}
