package dev.lastmile.identity;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.Channel;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * How much an identity, or an address, has asked of this replica lately.
 *
 * <p>The generic cell rate algorithm: of each only the time is kept at which its allowance will be
 * whole again (<a href="https://www.itu.int/rec/T-REC-I.371">ITU-T I.371</a>). What is least used
 * is forgotten first, and then has its whole allowance. Any thread; never blocks.
 */
public final class RateLimits {
  /** What is counted. */
  public enum Limit {
    CREATIONS,
    CREATIONS_PER_ADDRESS,
    READS,
    ACKS,
    STREAMS,
    IDENTITIES_PER_ADDRESS;

    /** The property that sets it, after {@code lastmile.rate.}. */
    public String property() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** Says which limit the requests to a controller's method count against. */
  @Target(ElementType.METHOD)
  @Retention(RetentionPolicy.RUNTIME)
  public @interface Limited {
    /** The limit. */
    Limit value();
  }

  private record Allowance(
      int most, long pauseNanos, Cache<String, AtomicLong> wholeAt, Counter refused) {}

  private final Map<Limit, Allowance> allowances = new EnumMap<>(Limit.class);
  private final LongSupplier nanos;

  RateLimits(RateProperties properties, LongSupplier nanos, MeterRegistry meters) {
    this.nanos = nanos;
    for (Limit limit : Limit.values()) {
      int most =
          switch (limit) {
            case CREATIONS -> properties.creations();
            case CREATIONS_PER_ADDRESS -> properties.creationsPerAddress();
            case READS -> properties.reads();
            case ACKS -> properties.acks();
            case STREAMS -> properties.streams();
            case IDENTITIES_PER_ADDRESS -> properties.identitiesPerAddress();
          };
      allowances.put(
          limit,
          new Allowance(
              most,
              Math.max(1, properties.window().toNanos() / most),
              Caffeine.newBuilder().maximumSize(properties.remembered()).build(),
              Metric.REQUESTS_REFUSED.counter(meters, limit.name().toLowerCase(Locale.ROOT))));
    }
  }

  /**
   * Takes one from an identity's allowance.
   *
   * @return 0, or the seconds after which to ask again: then nothing was taken
   */
  public long take(Limit limit, Channel channel) {
    return take(limit, channel.value());
  }

  /**
   * Takes one from an address's allowance.
   *
   * @return 0, or the seconds after which to ask again: then nothing was taken
   */
  public long take(Limit limit, String address) {
    Allowance allowance = allowances.get(limit);
    if (allowance == null) {
      throw new IllegalStateException(limit + " has no allowance");
    }
    long now = nanos.getAsLong();
    AtomicLong wholeAt = allowance.wholeAt().get(address, _ -> new AtomicLong(now));
    while (true) {
      long before = wholeAt.get();
      long after = (before - now > 0 ? before : now) + allowance.pauseNanos();
      long over = after - now - allowance.pauseNanos() * allowance.most();
      if (over > 0) {
        allowance.refused().increment();
        return Math.max(1, TimeUnit.NANOSECONDS.toSeconds(over - 1) + 1);
      }
      if (wholeAt.compareAndSet(before, after)) {
        return 0;
      }
    }
  }

  /** What may come at once. */
  public int most(Limit limit) {
    Allowance allowance = allowances.get(limit);
    return allowance == null ? 0 : allowance.most();
  }
}
