package dev.lastmile.benchmark;

/** Receives the events of streams, in their readers' threads; one stream has one thread. */
interface StreamListener {
  /** Kinds of events. */
  enum Kind {
    /** The stream has begun: {@code event: ready}, or a comment of nchan, which may be repeated. */
    READY,
    /** All earlier state is invalid. */
    RESET,
    UPDATE,
    HEARTBEAT
  }

  /**
   * An event.
   *
   * @param hasId whether a stream can resume after it
   * @param bytes contains its data from {@code from} to before {@code to}; not to be kept
   */
  void event(OneStream stream, Kind kind, boolean hasId, byte[] bytes, int from, int to);

  /**
   * A stream that was not closed here has ended, or could not be opened.
   *
   * @return the pause after which it is opened again, in nanoseconds; negative for never
   */
  default long ended(OneStream stream) {
    return -1;
  }
}
