package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The time by which all replicas decide: that of Redis, read from our own monotonic clock plus a
 * measured difference.
 *
 * <p>The wall clock of this machine plays no part, so a replica whose clock is an hour off, or is
 * set while it runs, decides as the others do. Reading it is cheap and never blocks; any thread.
 */
public final class RedisTime {
  private static final Logger LOG = LoggerFactory.getLogger(RedisTime.class);
  private static final int SILENCES_UNTIL_DROP = 2;

  private static final int FIRST_SAMPLES = 5;
  private static final int SAMPLES = 8;

  /**
   * Redis time at our clock's 0, as one comparison has it: wrong by at most half its round trip.
   */
  private record Sample(long micros0, long roundTripNanos) {}

  private final RedisLink link;

  /**
   * The last comparisons; the one with the shortest round trip counts, as in NTP's clock filter.
   */
  @GuardedBy("this")
  private final ArrayDeque<Sample> samples = new ArrayDeque<>();

  private final LongSupplier nanos;
  private volatile long micros0;
  private volatile boolean measured;
  private int silences;

  /**
   * @param nanos a monotonic clock in nanoseconds
   */
  RedisTime(RedisLink link, LongSupplier nanos) {
    this.link = link;
    this.nanos = nanos;
    link.beforeUp(this::begin);
  }

  /**
   * Microseconds since 1970.
   *
   * @throws RedisAwayException if Redis was never reached
   */
  public long micros() {
    if (!measured) {
      throw new RedisAwayException("Redis has not told its time yet");
    }
    return micros0 + nanos.getAsLong() / 1_000;
  }

  /** Now; errors as {@link #micros}. */
  public Instant now() {
    return Instant.EPOCH.plus(micros(), ChronoUnit.MICROS);
  }

  /** How far Redis time is behind another clock, in seconds; NaN before it was ever measured. */
  double secondsBehind(Instant other) {
    return measured
        ? (ChronoUnit.MICROS.between(Instant.EPOCH, other) - micros()) / 1e6
        : Double.NaN;
  }

  /** A new connection: perhaps another Redis, on a machine with another clock. */
  private synchronized void begin(RedisAsyncCommands<String, byte[]> commands) {
    samples.clear();
    for (int i = 0; i < FIRST_SAMPLES; i++) {
      measure(() -> link.await(commands.time()));
    }
  }

  @GuardedBy("this")
  private void measure(Supplier<List<byte[]>> clock) {
    long before = nanos.getAsLong();
    List<byte[]> time = clock.get();
    long after = nanos.getAsLong();
    long redis =
        Long.parseLong(new String(time.get(0), UTF_8)) * 1_000_000
            + Long.parseLong(new String(time.get(1), UTF_8));
    samples.addLast(new Sample(redis - (before + (after - before) / 2) / 1_000, after - before));
    if (samples.size() > SAMPLES) {
      samples.removeFirst();
    }
    micros0 = Collections.min(samples, Comparator.comparingLong(Sample::roundTripNanos)).micros0();
    measured = true;
  }

  /** Compares the clocks. One thread at a time; may wait for the time-out of Redis. */
  synchronized void measure() {
    if (!link.isUp()) {
      return;
    }
    try {
      measure(() -> link.call(RedisAsyncCommands::time));
      silences = 0;
    } catch (RedisAwayException e) {
      silences++;
      LOG.atDebug().addKeyValue("silences", silences).log("redis_silent");
      if (silences >= SILENCES_UNTIL_DROP) {
        silences = 0;
        // A half-open connection would otherwise stay until the kernel notices.
        link.drop("no answer to " + SILENCES_UNTIL_DROP + " clock comparisons");
      }
    }
  }
}
