package dev.lastmile.coordination;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Lets commands leave together: the first at once, and what comes within the interval after it at
 * the interval's end, or as soon as enough wait, in one write.
 *
 * <p>Each write wakes our event loop, Redis and, by what it publishes, every replica that has
 * somebody waiting. Under load, waking is most of what a change costs; where there is no load,
 * nothing waits.
 */
final class FlushPace {
  /** So many leave before the end of the interval. */
  static final int ENOUGH = 16;

  /** No interval is under way. */
  private static final int RESTS = -1;

  private final Executor loop;
  private final Executor later;
  private final Runnable flush;

  /**
   * How many commands wait for the end of the interval, or {@link #RESTS}: in one, so that none can
   * come between the last look and the rest.
   */
  private final AtomicInteger waiting = new AtomicInteger(RESTS);

  /**
   * @param loop where flushes run, one at a time
   * @param later the same, after the interval
   * @param flush writes all that waits; must not block
   */
  FlushPace(Executor loop, Executor later, Runnable flush) {
    this.loop = loop;
    this.later = later;
    this.flush = flush;
  }

  /**
   * One more command waits, as the caller has seen to: it leaves within the interval. Any thread;
   * returns at once.
   */
  void request() {
    int before = waiting.getAndUpdate(n -> n == RESTS ? 1 : n + 1);
    if (before == RESTS) {
      loop.execute(this::run);
    } else if (before + 1 == ENOUGH) {
      loop.execute(this::early);
    }
  }

  /** The first command, or the end of an interval: begins another if something waits. */
  private void run() {
    if (waiting.getAndUpdate(n -> n == 0 ? RESTS : 0) > 0) {
      flush.run();
      later.execute(this::run);
    }
  }

  private void early() {
    if (waiting.getAndUpdate(n -> n == RESTS ? RESTS : 0) > 0) {
      flush.run();
    }
  }
}
