package dev.lastmile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.benmanes.caffeine.cache.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The time of Redis, which all replicas use for decisions. It is the monotonic clock of this
 * replica plus a measured offset.
 *
 * <p>The wall clock of the host is not used. A replica whose wall clock is wrong, or is set while
 * it runs, decides as the others do. Reading the time is cheap and never blocks; any thread.
 */
public final class RedisTime {
  private static final Logger LOG = LoggerFactory.getLogger(RedisTime.class);
  private static final int FAILURES_UNTIL_DROP = 2;

  private static final int FIRST_SAMPLES = 5;
  private static final int SAMPLES = 8;

  /**
   * Redis time at 0 of the monotonic clock, by one comparison. Its error is at most half the round
   * trip.
   */
  private record Sample(long micros0, long roundTripNanos) {}

  private final RedisConnection redis;

  /**
   * The last comparisons. The one with the shortest round trip is used, as in NTP's clock filter.
   */
  @GuardedBy("this")
  private final ArrayDeque<Sample> samples = new ArrayDeque<>();

  private final Ticker ticker;
  private volatile long micros0;
  private volatile boolean measured;
  private int failures;

  /**
   * @param ticker monotonic clock, nanoseconds
   */
  public RedisTime(RedisConnection redis, Ticker ticker) {
    this.redis = redis;
    this.ticker = ticker;
    redis.beforeConnected(this::begin);
  }

  /**
   * Microseconds since 1970.
   *
   * @throws RedisUnavailableException if this replica has never reached Redis
   */
  public long micros() {
    if (!measured) {
      throw new RedisUnavailableException("the time of Redis is not known yet");
    }
    return micros0 + ticker.read() / 1_000;
  }

  /** How far Redis time is behind another clock, in seconds; NaN before the first measurement. */
  public double secondsBehind(Instant other) {
    return measured
        ? (ChronoUnit.MICROS.between(Instant.EPOCH, other) - micros()) / 1e6
        : Double.NaN;
  }

  /** Measures anew on a new connection, which may lead to a Redis on a host with another clock. */
  private synchronized void begin(RedisAsyncCommands<String, byte[]> commands) {
    samples.clear();
    for (int i = 0; i < FIRST_SAMPLES; i++) {
      measure(() -> redis.await(commands.time()));
    }
  }

  @GuardedBy("this")
  private void measure(Supplier<List<byte[]>> clock) {
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
    measured = true;
  }

  /** Compares the clocks. One thread at a time; blocks for at most the timeout of Redis. */
  public synchronized void measure() {
    if (!redis.isConnected()) {
      return;
    }
    try {
      measure(() -> redis.call(RedisAsyncCommands::time));
      failures = 0;
    } catch (RedisUnavailableException e) {
      failures++;
      LOG.atDebug().addKeyValue("failures", failures).log("clock_comparison_failed");
      if (failures >= FAILURES_UNTIL_DROP) {
        failures = 0;
        // A half-open connection would otherwise stay until the kernel detects it.
        redis.drop("no reply to " + FAILURES_UNTIL_DROP + " clock comparisons");
      }
    }
  }
}
