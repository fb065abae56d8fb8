package dev.lastmile.http;

import dev.lastmile.telemetry.Metric;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumSet;
import org.springframework.stereotype.Component;

/** Counts the requests that an HTTP limit rejected before they reached an endpoint. Any thread. */
@Component
final class RejectionMetrics {
  /** The reason of a rejection, which becomes a label value. */
  enum Reason {
    /** Request line and headers are too large: 431. */
    HEAD_SIZE,
    /** Request line and headers arrived too slowly: the connection is closed. */
    HEAD_TIME,
    /** The body is too large: 413. */
    BODY_SIZE,
    /** All bodies in progress are too large in total: 503. */
    BODY_MEMORY,
    /** The body arrived too slowly: 408. */
    BODY_TIME,
    /** The body is not valid JSON, or is nested too deeply: 400. */
    BODY_JSON,
    /** The client did not read the response in time: the connection is closed. */
    ANSWER_TIME,
    /** All answers in progress hold too much memory: 503. */
    ANSWER_MEMORY,
    /** The answers in progress of one client hold too much memory: 429. */
    CLIENT_ANSWER_MEMORY,
    /** The rest of an answer could not be read: the connection is closed. */
    ANSWER_CUT,
    /** The request is not valid HTTP, or its path is ambiguous: 400. */
    MALFORMED
  }

  private final Metric.Counters<Reason> counters;

  RejectionMetrics(MeterRegistry meters) {
    counters = Metric.REQUESTS_REJECTED.counters(meters, EnumSet.allOf(Reason.class));
  }

  void count(Reason reason) {
    counters.increment(reason);
  }
}
