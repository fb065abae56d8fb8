package dev.lastmile.telemetry;

import static java.util.Objects.requireNonNull;

import dev.lastmile.telemetry.Hop.Passed;
import dev.lastmile.telemetry.Hop.Subject;
import dev.lastmile.updates.Delivery;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;
import org.springframework.stereotype.Component;

/**
 * Records that an update passed a hop: one call produces the counter, the timer, the span and the
 * log event.
 *
 * <p>Any thread; never blocks. All counters exist with 0 from the start, so that a rate includes
 * the first increment. A span is made only if the trace is sampled; it is the exemplar of the
 * counter then. Without an agent there are no spans. The level of the log event depends on the
 * outcome. Ids are attributes of spans and fields of log events, never labels.
 */
@Component
public final class HopRecorder {
  static final String LOGGER = "dev.lastmile.hops";

  private static final Logger LOG = LoggerFactory.getLogger(LOGGER);

  private final Map<Hop, Map<String, Counter>> counters = new EnumMap<>(Hop.class);
  private final HopLatencies latencies;
  private final HopSpans spans;

  /** Registers {@link Metric#HOPS} and {@link Metric#LATENCY} with all their labels. */
  public HopRecorder(MeterRegistry meters, Replica replica) {
    this.latencies = new HopLatencies(meters);
    this.spans = new HopSpans(replica);
    for (Hop hop : Hop.values()) {
      Map<String, Counter> byOutcome = new HashMap<>();
      for (String outcome : hop.outcomes()) {
        byOutcome.put(outcome, Metric.HOPS.counter(meters, hop.wireName(), outcome));
      }
      counters.put(hop, Map.copyOf(byOutcome));
    }
  }

  /**
   * Begins a hop that takes time on this thread. The span of a hop within a request has a link to
   * the span of the request.
   *
   * @param parent trace context of the previous hop
   */
  public OpenHop begin(Hop hop, TraceContext parent) {
    if (!parent.isSampled()) {
      return new OpenHop(hop, parent, null);
    }
    Span span = spans.start(hop, parent);
    return new OpenHop(hop, TraceContext.of(span), span);
  }

  /** Records a hop without duration, in the trace of the current request. */
  public void record(Hop hop, String outcome, Subject subject) {
    begin(hop, TraceContext.current(null, null)).end(outcome, subject);
  }

  /**
   * Records a hop that has ended, and its duration.
   *
   * @param publication trace context of the publication
   * @param publishedMicros Redis time of the publication; 0 if it is not known
   * @param atMicros Redis time of the end
   */
  public void record(
      Hop hop,
      String outcome,
      Subject subject,
      TraceContext publication,
      long publishedMicros,
      long atMicros) {
    long from = publishedMicros == 0 ? atMicros : publishedMicros;
    Span span = publication.isSampled() ? spans.start(hop, publication, from) : null;
    passed(hop, outcome, subject, publication, span, publishedMicros, atMicros);
  }

  /**
   * Records that a browser has applied a final state.
   *
   * @param micros time since the operation was created
   * @param publication trace context of the applied update, for the exemplar; null if not known
   */
  public void finished(long micros, @Nullable TraceContext publication) {
    Context context = publication == null ? Context.root() : publication.context();
    // Otherwise the exemplar would be the request of the ack, which has its own trace.
    try (Scope _ = context.makeCurrent()) {
      latencies.finished(micros);
    }
  }

  /**
   * Makes the span of a delivery that expired, in the trace of its update. The span is sampled even
   * if the trace is not. The delivery itself is counted in Redis.
   *
   * @param owner the replica that should have delivered it
   * @param atMicros Redis time of its expiry
   * @param earlier the hops that its version has passed; each becomes an event of the span
   */
  public void expired(
      Delivery delivery, String reason, String owner, long atMicros, List<Passed> earlier) {
    spans.expired(delivery, reason, owner, atMicros, earlier);
  }

  private void passed(
      Hop hop,
      String outcome,
      Subject subject,
      TraceContext context,
      @Nullable Span span,
      long publishedMicros,
      long atMicros) {
    Level level = hop.level(outcome);
    if (span == null) {
      measure(hop, outcome, publishedMicros, atMicros);
    } else {
      // Before the end of the span: the exemplar is the current span, and marks it.
      try (Scope _ = span.makeCurrent()) {
        measure(hop, outcome, publishedMicros, atMicros);
      }
      spans.end(span, outcome, level == Level.WARN, subject, atMicros);
    }
    if (LOG.isEnabledForLevel(level)) {
      log(level, hop, outcome, subject, context);
    }
  }

  private void measure(Hop hop, String outcome, long publishedMicros, long atMicros) {
    Map<String, Counter> byOutcome = requireNonNull(counters.get(hop));
    requireNonNull(byOutcome.get(outcome)).increment();
    if (publishedMicros > 0) {
      latencies.passed(hop, outcome, publishedMicros, atMicros);
    }
  }

  private static void log(
      Level level, Hop hop, String outcome, Subject subject, TraceContext context) {
    LoggingEventBuilder event =
        LOG.atLevel(level)
            .addKeyValue("hop", hop.wireName())
            .addKeyValue("outcome", outcome)
            .addKeyValue("trace_id", context.traceId());
    if (subject.operation() != null) {
      event = event.addKeyValue("operation_id", subject.operation());
    }
    if (subject.correlation() != null) {
      event = event.addKeyValue("correlation_id", subject.correlation());
    }
    if (subject.version() > 0) {
      event = event.addKeyValue("version", subject.version());
    }
    event.log("hop");
  }

  /**
   * A hop that has begun on this replica and not ended, with its span if the trace is sampled.
   *
   * <p>The first call of {@link #end} or {@link #close} counts. One thread at a time.
   */
  public final class OpenHop implements AutoCloseable {
    private final Hop hop;
    private final TraceContext context;
    private final @Nullable Span span;
    private boolean ended;

    private OpenHop(Hop hop, TraceContext context, @Nullable Span span) {
      this.hop = hop;
      this.context = context;
      this.span = span;
    }

    /** The parent of the next hop: the span of this hop, or the parent if there is no span. */
    public TraceContext context() {
      return context;
    }

    /**
     * Records that the hop was passed.
     *
     * @param outcome one of {@link Hop#outcomes()}
     * @throws IllegalArgumentException if the hop has no such outcome (a bug)
     */
    public void end(String outcome, Subject subject) {
      if (!ended) {
        ended = true;
        passed(hop, outcome, subject, context, span, 0, 0);
      }
    }

    /** Discards a hop that was not passed: no counter, no span, no log event. */
    @Override
    public void close() {
      ended = true;
    }
  }
}
