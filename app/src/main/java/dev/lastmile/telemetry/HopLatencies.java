package dev.lastmile.telemetry;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Times between hops, on the clock of Redis, so that two replicas' clocks do not matter.
 *
 * <p>The bounds of 1 s and 5 s are exact: the first is that of {@code late}, the second that of the
 * objective for receipt.
 */
final class HopLatencies {
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

  /** Takes a hop that is over; only what really went from publication to there is timed. */
  void passed(Hop hop, String outcome, long publishedMicros, long atMicros) {
    if (hop == Hop.DELIVERED && (outcome.equals("delivered") || outcome.equals("late"))) {
      record(delivered, atMicros - publishedMicros);
    } else if (hop == Hop.CLIENT_ACKED && outcome.equals("live")) {
      record(acked, atMicros - publishedMicros);
    }
  }

  /** The browser has applied a final state. */
  void finished(long micros) {
    record(finished, micros);
  }

  private static void record(Timer timer, long micros) {
    timer.record(Math.max(0, micros), TimeUnit.MICROSECONDS);
  }
}
