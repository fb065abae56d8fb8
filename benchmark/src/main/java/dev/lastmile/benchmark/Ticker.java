package dev.lastmile.benchmark;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** The one clock of this process: monotonic nanoseconds, from 0 at its start. */
final class Ticker {
  private static final long ORIGIN = System.nanoTime();
  private static final long LOOK_NANOS = 2_000_000;

  private Ticker() {}

  static long nanos() {
    return System.nanoTime() - ORIGIN;
  }

  /** Waits until then; returns at once if it is past. */
  static void until(long nanos) {
    for (long left = nanos - nanos(); left > 0; left = nanos - nanos()) {
      LockSupport.parkNanos(left);
      if (Thread.currentThread().isInterrupted()) {
        return;
      }
    }
  }

  static void pause(Duration time) {
    until(nanos() + time.toNanos());
  }

  /** Waits until something holds; false if it did not within this time. */
  static boolean await(Duration atMost, BooleanSupplier holds) {
    long end = nanos() + atMost.toNanos();
    while (!holds.getAsBoolean()) {
      if (nanos() > end || Thread.currentThread().isInterrupted()) {
        return false;
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
    return true;
  }
}
