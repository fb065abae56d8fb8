package dev.lastmile.redis;

import dev.lastmile.updates.Partition;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The time of Redis, which all replicas use for decisions: for each partition the clock of its
 * primary. It is the monotonic clock of this replica plus a measured offset.
 *
 * <p>The wall clock of the host is not used. A replica whose wall clock is wrong, or is set while
 * it runs, decides as the others do. Reading the time is cheap and never blocks; any thread.
 */
public final class RedisTime {
  private final RedisConnection redis;

  /**
   * By partition: the clock of the last primary that was reached. It goes on while that is away.
   */
  private final AtomicReferenceArray<PrimaryClock> clocks =
      new AtomicReferenceArray<>(Partition.COUNT);

  public RedisTime(RedisConnection redis) {
    this.redis = redis;
    redis.onConnected((partitions, _) -> take(partitions));
    redis.onAssigned(() -> take(Partition.ALL));
  }

  private void take(Collection<Partition> partitions) {
    for (Partition partition : partitions) {
      if (redis.isConnected(partition)) {
        clocks.set(partition.index(), redis.clock(partition));
      }
    }
  }

  /**
   * Microseconds since 1970.
   *
   * @throws RedisUnavailableException if this replica has never reached a primary of the partition
   */
  public long micros(Partition partition) {
    PrimaryClock clock = clocks.get(partition.index());
    if (clock == null) {
      throw new RedisUnavailableException("the time of Redis is not known yet");
    }
    return clock.micros();
  }

  /**
   * How far Redis time is behind another clock, in seconds, at the primary where it is farthest;
   * NaN before the first measurement.
   */
  public double secondsBehind(Instant other) {
    long micros = ChronoUnit.MICROS.between(Instant.EPOCH, other);
    double farthest = Double.NaN;
    for (Partition partition : Partition.ALL) {
      PrimaryClock clock = clocks.get(partition.index());
      double behind = clock == null ? Double.NaN : (micros - clock.micros()) / 1e6;
      if (Double.isNaN(farthest) || Math.abs(behind) > Math.abs(farthest)) {
        farthest = behind;
      }
    }
    return farthest;
  }

  /** Compares the clocks. One thread at a time; blocks for at most the timeout of each primary. */
  public void measure() {
    redis.compareClocks();
  }
}
