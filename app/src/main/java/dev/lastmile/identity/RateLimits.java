package dev.lastmile.identity;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.http.RequestProblem;
import dev.lastmile.telemetry.Metric;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;

/**
 * Rate limits per identity and per address, for this replica.
 *
 * <p>The algorithm is the generic cell rate algorithm (<a
 * href="https://www.itu.int/rec/T-REC-I.371">ITU-T I.371</a>). It stores per key only the time at
 * which the allowance is full again. The least used keys are evicted first ({@code
 * lastmile.rate.remembered}); an evicted key has its full allowance. Any thread. Never blocks.
 */
@Component
public final class RateLimits {
  /** The limited kinds of request. */
  public enum Limit {
    CREATIONS,
    CREATIONS_PER_ADDRESS,
    READS,
    ACKS,
    STREAMS,
    IDENTITIES_PER_ADDRESS;

    /** The name of its property, after {@code lastmile.rate.}. */
    String property() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** Declares the limit that applies to a controller method. */
  @Target(ElementType.METHOD)
  @Retention(RetentionPolicy.RUNTIME)
  public @interface Limited {
    /** The limit. */
    Limit value();
  }

  private record Allowance(
      int burst, long intervalNanos, Cache<String, AtomicLong> fullAt, Counter rejected) {}

  private final Map<Limit, Allowance> allowances = new EnumMap<>(Limit.class);
  private final Ticker ticker;

  RateLimits(RateProperties properties, Ticker ticker, MeterRegistry meters) {
    this.ticker = ticker;
    for (Limit limit : Limit.values()) {
      int burst =
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
              burst,
              Math.max(1, properties.window().toNanos() / burst),
              Caffeine.newBuilder().maximumSize(properties.remembered()).build(),
              Metric.REQUESTS_REJECTED.counter(meters, limit.name().toLowerCase(Locale.ROOT))));
    }
  }

  /**
   * Takes one request from an allowance.
   *
   * @param key the channel of an identity, or an address
   * @throws RequestProblem if the allowance is used up: 429 with {@code Retry-After}
   */
  public void take(Limit limit, String key) {
    Allowance allowance = Objects.requireNonNull(allowances.get(limit));
    long now = ticker.read();
    AtomicLong fullAt = allowance.fullAt().get(key, _ -> new AtomicLong(now));
    while (true) {
      long before = fullAt.get();
      long after = (before - now > 0 ? before : now) + allowance.intervalNanos();
      long over = after - now - allowance.intervalNanos() * allowance.burst();
      if (over > 0) {
        allowance.rejected().increment();
        long seconds = Math.max(1, TimeUnit.NANOSECONDS.toSeconds(over - 1) + 1);
        int burst = allowance.burst();
        throw new RequestProblem(
                HttpStatus.TOO_MANY_REQUESTS,
                "too many requests: at most " + burst + " at once; retry after " + seconds + " s",
                "lastmile.rate." + limit.property(),
                burst)
            .retryAfter(seconds);
      }
      if (fullAt.compareAndSet(before, after)) {
        return;
      }
    }
  }
}
