package dev.lastmile.telemetry;

import static java.util.Objects.requireNonNull;

import dev.lastmile.telemetry.Hop.Passed;
import dev.lastmile.telemetry.Hop.Subject;
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

/**
 * Records that an update passed a hop: one call makes the counter, the timer, the span and the log
 * event.
 *
 * <p>Any thread; never blocks. All counters exist with 0 from the start, so that the first
 * increment is seen as one. A span is made only where the trace is sampled, and is the exemplar of
 * the counter then; without an agent there are no spans. The log's level depends on the outcome.
 * Ids go into span and log event, never into a label.
 */
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
   * Begins a hop that takes time on this thread. Its span links the request that brought it, if the
   * hop before is its parent.
   *
   * @param parent the hop before it
   */
  public OpenHop begin(Hop hop, TraceContext parent) {
    if (!parent.isSampled()) {
      return new OpenHop(this, hop, parent, null);
    }
    Span span = spans.start(hop, parent);
    return new OpenHop(this, hop, TraceContext.of(span), span);
  }

  /** Records a hop that took no time, in the trace of the request that is current. */
  public void record(Hop hop, String outcome, Subject subject) {
    begin(hop, TraceContext.current(null, null)).end(outcome, subject);
  }

  /**
   * Records a hop that is over, and how long it took.
   *
   * @param publication the hop before it
   * @param publishedMicros when the update set out for it, Redis time; 0 if that is not known
   * @param atMicros when it arrived, Redis time
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
   * @param micros time since the click
   * @param publication the context of what it has applied, as the exemplar; null if not known
   */
  public void finished(long micros, @Nullable TraceContext publication) {
    Context context = publication == null ? Context.root() : publication.context();
    // Otherwise current is the request that brought the ack, which has a trace of its own.
    try (Scope _ = context.makeCurrent()) {
      latencies.finished(micros);
    }
  }

  /**
   * Makes the span of a delivery that expired; it is counted in Redis.
   *
   * @param publication the context of its publication
   * @param publishedMicros Redis time
   * @param atMicros when it was given up, Redis time
   * @param earlier the hops that its version has passed
   */
  public void expired(
      Subject subject,
      String reason,
      String owner,
      TraceContext publication,
      long publishedMicros,
      long atMicros,
      List<Passed> earlier) {
    spans.expired(subject, reason, owner, publication, publishedMicros, atMicros, earlier);
  }

  /** Takes the end of an {@link OpenHop}. */
  void passed(Hop hop, String outcome, Subject subject, TraceContext context, @Nullable Span span) {
    passed(hop, outcome, subject, context, span, 0, 0);
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
      // The exemplar is taken from what is current, and marks the span: before its end.
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
   * A hop that has begun on this replica and not ended: its span, if its trace is sampled.
   *
   * <p>Exactly one of {@link #end} and {@link #close} counts, the first. One thread at a time.
   */
  public static final class OpenHop implements AutoCloseable {
    private final HopRecorder recorder;
    private final Hop hop;
    private final TraceContext context;
    private final @Nullable Span span;
    private boolean ended;

    OpenHop(HopRecorder recorder, Hop hop, TraceContext context, @Nullable Span span) {
      this.recorder = recorder;
      this.hop = hop;
      this.context = context;
      this.span = span;
    }

    /** What the next hop has as its parent: this hop's span, or its parent where there is none. */
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
        recorder.passed(hop, outcome, subject, context, span);
      }
    }

    /** Forgets a hop that was not passed after all: no counter, no span, no log event. */
    @Override
    public void close() {
      ended = true;
    }
  }
}
