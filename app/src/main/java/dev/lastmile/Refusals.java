package dev.lastmile;

import dev.lastmile.telemetry.Metric;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

/** Counts the requests that a limit of HTTP refused, before anybody has asked what they want. */
final class Refusals {
  /** The limit. */
  enum Reason {
    /** Request line and headers are too large: 431. */
    HEAD_SIZE,
    /** They came too slowly: cut off. */
    HEAD_TIME,
    /** The body is too large: 413. */
    BODY_SIZE,
    /** All that are being read are too large together: 503. */
    BODY_MEMORY,
    /** It came too slowly: 408. */
    BODY_TIME,
    /** It is no JSON that can be read, or too deep: 400. */
    BODY_JSON,
    /** The answer was not read in time: cut off. */
    ANSWER_TIME,
    /** It is no HTTP, or its path means two things: 400. */
    MALFORMED
  }

  private final Map<Reason, Counter> counters = new EnumMap<>(Reason.class);

  Refusals(MeterRegistry meters) {
    for (Reason reason : Reason.values()) {
      counters.put(
          reason, Metric.REQUESTS_REFUSED.counter(meters, reason.name().toLowerCase(Locale.ROOT)));
    }
  }

  void count(Reason reason) {
    Counter counter = counters.get(reason);
    if (counter != null) {
      counter.increment();
    }
  }
}
