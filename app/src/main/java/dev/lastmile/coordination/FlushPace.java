package dev.lastmile.coordination;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Lets commands leave together under load: at the end of an interval, or as soon as enough wait, in
 * one write. An interval in which few came makes the next ones leave at once, each.
 *
 * <p>Each write wakes our event loop, Redis and, by what it publishes, every replica that has
 * somebody waiting. Under load, waking is most of what a change costs; where there is no load,
 * nothing waits.
 */
final class FlushPace {
  /** So many leave before the end of the interval. */
  static final int ENOUGH = 16;

  /** So many in an interval are a load. */
  static final int LOAD = 4;

  /** No interval is under way. */
  private static final int RESTS = -1;

  private final Executor loop;
  private final Executor later;
  private final Runnable flush;

  /**
   * How many commands wait, or {@link #RESTS}: in one, so that none can come between the last look
   * and the rest.
   */
  private final AtomicInteger waiting = new AtomicInteger(RESTS);

  /** Whether commands wait for others; written on the loop. */
  private volatile boolean gathers;

  /** Commands that have left before the end of the interval; used on the loop only. */
  private int early;

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
      loop.execute(this::turn);
    } else if (!gathers || before + 1 == ENOUGH) {
      loop.execute(this::flush);
    }
  }

  /** Lets all that waits leave at once: a thread waits for an answer. Any thread, as above. */
  void hurry() {
    if (waiting.get() > 0) {
      loop.execute(this::flush);
    }
  }

  /** The first command, or the end of an interval: begins another if there was something. */
  private void turn() {
    boolean quiet = early == 0;
    int waited = waiting.getAndUpdate(n -> quiet && n == 0 ? RESTS : 0);
    gathers = early + waited >= LOAD;
    early = 0;
    if (quiet && waited == 0) {
      return;
    }
    try {
      if (waited > 0) {
        flush.run();
      }
    } finally {
      later.execute(this::turn);
    }
  }

  private void flush() {
    int waited = waiting.getAndUpdate(n -> n == RESTS ? RESTS : 0);
    if (waited > 0) {
      early += waited;
      flush.run();
    }
  }
}
