package dev.lastmile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.benmanes.caffeine.cache.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.function.Supplier;

/**
 * The clock of one primary: the monotonic clock of this replica plus a measured offset. Reading it
 * is cheap and never blocks; any thread.
 */
final class PrimaryClock {
  private static final int FIRST_SAMPLES = 5;
  private static final int SAMPLES = 8;

  /**
   * Redis time at 0 of the monotonic clock, by one comparison. Its error is at most half the round
   * trip.
   */
  private record Sample(long micros0, long roundTripNanos) {}

  /**
   * The last comparisons. The one with the shortest round trip is used, as in NTP's clock filter.
   */
  @GuardedBy("this")
  private final ArrayDeque<Sample> samples = new ArrayDeque<>();

  private final Ticker ticker;
  private volatile long micros0;

  /**
   * @param ticker monotonic clock, nanoseconds
   */
  PrimaryClock(Ticker ticker) {
    this.ticker = ticker;
  }

  /** Microseconds since 1970; valid after {@link #begin}. */
  long micros() {
    return micros0 + ticker.read() / 1_000;
  }

  /**
   * Measures anew on a new connection, which may lead to a Redis on a host with another clock.
   *
   * @param clock asks for the time once; blocks
   */
  synchronized void begin(Supplier<List<byte[]>> clock) {
    samples.clear();
    for (int i = 0; i < FIRST_SAMPLES; i++) {
      measure(clock);
    }
  }

  /** Compares once, as {@link #begin}. */
  synchronized void measure(Supplier<List<byte[]>> clock) {
    long before = ticker.read();
    List<byte[]> time = clock.get();
    long after = ticker.read();
    long redisMicros =
        Long.parseLong(new String(time.get(0), UTF_8)) * 1_000_000
            + Long.parseLong(new String(time.get(1), UTF_8));
    samples.addLast(
        new Sample(redisMicros - (before + (after - before) / 2) / 1_000, after - before));
    if (samples.size() > SAMPLES) {
      samples.removeFirst();
    }
    micros0 = Collections.min(samples, Comparator.comparingLong(Sample::roundTripNanos)).micros0();
  }
}
