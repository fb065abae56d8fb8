package dev.lastmile.telemetry;

import dev.lastmile.updates.DeliveryOutcome;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Measures times between hops on the clock of Redis, so that the clocks of replicas do not matter.
 *
 * <p>1 s and 5 s must be bucket bounds: 1 s is the limit of the outcome {@code late}, 5 s that of
 * the objective for receipt.
 */
final class HopLatencies {
  private static final List<String> FLUSHED = DeliveryOutcome.wireNames(DeliveryOutcome::isFlushed);

  private static final List<Duration> BOUNDS =
      Stream.of(5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)
          .map(Duration::ofMillis)
          .toList();
  private static final List<Duration> LONG_BOUNDS =
      Stream.concat(BOUNDS.stream(), Stream.of(30, 60, 120, 300, 600).map(Duration::ofSeconds))
          .toList();

  private final Timer delivered;
  private final Timer acked;
  private final Timer finished;

  HopLatencies(MeterRegistry meters) {
    delivered = timer(meters, BOUNDS, Hop.PUBLISHED, Hop.DELIVERED);
    acked = timer(meters, BOUNDS, Hop.PUBLISHED, Hop.CLIENT_ACKED);
    finished = timer(meters, LONG_BOUNDS, Hop.INITIATED, Hop.CLIENT_ACKED);
  }

  private static Timer timer(MeterRegistry meters, List<Duration> bounds, Hop from, Hop to) {
    return Metric.LATENCY.histogram(meters, bounds, from.wireName(), to.wireName());
  }

  /** Measures a hop, if the update really went from its publication to this hop. */
  void passed(Hop hop, String outcome, long publishedMicros, long atMicros) {
    if (hop == Hop.DELIVERED && FLUSHED.contains(outcome)) {
      record(delivered, atMicros - publishedMicros);
    } else if (hop == Hop.CLIENT_ACKED && outcome.equals("live")) {
      record(acked, atMicros - publishedMicros);
    }
  }

  /** Measures the time from the creation until a browser has applied a final state. */
  void finished(long micros) {
    record(finished, micros);
  }

  private static void record(Timer timer, long micros) {
    timer.record(Math.max(0, micros), TimeUnit.MICROSECONDS);
  }
}
