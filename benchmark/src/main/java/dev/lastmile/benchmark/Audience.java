package dev.lastmile.benchmark;

import dev.lastmile.benchmark.EventParser.Kind;

/** Takes what streams bring, in the threads that read them; of one stream always in the same. */
interface Audience {
  /** As {@link EventParser.Events#event}. */
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
