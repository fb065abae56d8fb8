package dev.lastmile.redis;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Batches commands under load: they are flushed in one write at the end of an interval, or as soon
 * as {@link #BATCH} commands wait. After an interval with fewer than {@link #LOAD} commands, each
 * command is flushed at once.
 *
 * <p>Each write wakes the event loop and Redis, and by the publication also every replica that owns
 * a stream of the channel. Under load these wake-ups are most of the cost of a change. Without
 * load, no command is delayed.
 */
final class CommandBatcher {
  /** Commands that are flushed before the end of the interval. */
  static final int BATCH = 16;

  /** Commands in one interval from which on commands are batched. */
  static final int LOAD = 4;

  /** The value of {@link #waiting} while no interval runs. */
  private static final int IDLE = -1;

  private final Executor loop;
  private final Executor later;
  private final Runnable flush;

  /**
   * Commands that wait, or {@link #IDLE}. Both are in one variable, so that no command is added
   * between the last check and the change to idle.
   */
  private final AtomicInteger waiting = new AtomicInteger(IDLE);

  /** Whether commands are batched; written on the loop. */
  private volatile boolean batching;

  /** Commands flushed before the end of this interval; used on the loop only. */
  private int early;

  /**
   * @param loop runs flushes, one at a time
   * @param later runs a task on the same loop after the interval
   * @param flush writes all commands that wait; must not block
   */
  CommandBatcher(Executor loop, Executor later, Runnable flush) {
    this.loop = loop;
    this.later = later;
    this.flush = flush;
  }

  /**
   * Requests a flush of one more command, which is written within the interval. The caller has
   * buffered the command before. Any thread; returns at once.
   */
  void request() {
    int before = waiting.getAndUpdate(n -> n == IDLE ? 1 : n + 1);
    if (before == IDLE) {
      loop.execute(this::endInterval);
    } else if (!batching || before + 1 == BATCH) {
      loop.execute(this::flush);
    }
  }

  /** Flushes all commands at once, because a thread waits for a reply. Any thread; no waiting. */
  void flushNow() {
    if (waiting.get() > 0) {
      loop.execute(this::flush);
    }
  }

  /** Runs for the first command and at each end of an interval; starts the next if one is due. */
  private void endInterval() {
    boolean quiet = early == 0;
    int flushed = waiting.getAndUpdate(n -> quiet && n == 0 ? IDLE : 0);
    batching = early + flushed >= LOAD;
    early = 0;
    if (quiet && flushed == 0) {
      return;
    }
    try {
      if (flushed > 0) {
        flush.run();
      }
    } finally {
      later.execute(this::endInterval);
    }
  }

  private void flush() {
    int flushed = waiting.getAndUpdate(n -> n == IDLE ? IDLE : 0);
    if (flushed > 0) {
      early += flushed;
      flush.run();
    }
  }
}
