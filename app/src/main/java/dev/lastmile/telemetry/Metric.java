package dev.lastmile.telemetry;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.search.Search;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * The catalogue of metrics: every series of ours is declared here and registered through here.
 *
 * <p>{@code docs/metrics.md} is written from it, and a test compares it with a live scrape. Whoever
 * registers a metric registers all its label values at once, so that each series begins with 0 and
 * the first increment is seen as one. There is no id in any label.
 */
public enum Metric {
  /** Per hop and outcome. */
  HOPS(
      Kind.COUNTER,
      "delivery.hops",
      "",
      "hop outcome",
      "Updates that passed a hop, by how it ended"),
  /** Between two hops. */
  LATENCY(
      Kind.HISTOGRAM,
      "delivery.latency",
      "seconds",
      "from to",
      "Time between two hops on the clock of Redis; to client_acked: first acks of what came live,"
          + " and from initiated only those of a final state"),
  /** Account. */
  EXPECTED(
      Kind.ACCOUNT, "delivery.expected", "", "owner", "Deliveries that were expected of an owner"),
  /** Account. */
  SETTLED(
      Kind.ACCOUNT,
      "delivery.settled",
      "",
      "outcome owner",
      "Deliveries that the owner settled, by how"),
  /** Account. */
  EXPIRED(
      Kind.ACCOUNT,
      "delivery.expired",
      "",
      "owner reason",
      "Deliveries that were never settled, by why"),
  /** Account. */
  REDELIVERED(
      Kind.ACCOUNT,
      "delivery.redelivered",
      "",
      "owner",
      "Deliveries that the owner was asked for again"),
  /** Account. */
  OUTSTANDING(
      Kind.ACCOUNT_GAUGE,
      "delivery.outstanding",
      "",
      "",
      "Deliveries that are expected and neither settled nor expired"),
  /** Account. */
  OLDEST_OUTSTANDING(
      Kind.ACCOUNT_GAUGE,
      "delivery.oldest.outstanding",
      "seconds",
      "",
      "Age of the oldest of them"),
  /** Account. */
  ACCOUNT_BEGUN(
      Kind.ACCOUNT_GAUGE,
      "delivery.account.begun",
      "seconds",
      "",
      "Redis time, in seconds since 1970, at which the totals of the account began at 0"),
  /** Learnt otherwise than live. */
  RECOVERED(
      Kind.COUNTER,
      "delivery.recovered",
      "",
      "by",
      "Updates that a client learnt first by other means than the live stream"),
  /** Owner's memory of what it has to settle. */
  EXPECTATIONS(
      Kind.GAUGE,
      "delivery.expectations",
      "",
      "",
      "Expected deliveries that this replica has received and not settled"),
  /** Its limit was hit. */
  EXPECTATIONS_OVERFLOW(
      Kind.COUNTER,
      "delivery.expectations.overflow",
      "",
      "",
      "Expected deliveries that were not remembered: the ledger asks again"),
  /** The limit of the settle queue was hit. */
  SETTLES_DROPPED(
      Kind.COUNTER,
      "delivery.settles.dropped",
      "",
      "",
      "Settles that could not be kept until Redis took them"),
  /** The limit of a sweep was hit. */
  SWEEP_BACKLOG(
      Kind.COUNTER,
      "delivery.sweep.backlog",
      "",
      "",
      "Sweeps of a partition that left something overdue for the next one"),
  /** In from Redis. */
  RECEIVED(
      Kind.COUNTER,
      "coordination.received",
      "",
      "",
      "Updates and redeliveries that arrived at this replica; no canaries"),
  /** What became of it. */
  MESSAGES(
      Kind.COUNTER,
      "coordination.messages",
      "",
      "result",
      "Updates and redeliveries that arrived, by what became of them"),
  /** Hearing. */
  CANARY_AGE(
      Kind.GAUGE,
      "coordination.canary.age",
      "seconds",
      "",
      "Time since this replica last heard itself through Redis"),
  /** Hearing. */
  HEARING(
      Kind.GAUGE,
      "coordination.hearing",
      "",
      "state",
      "1 for what this replica thinks of its hearing, 0 for the other states"),
  /** Reaching. */
  REDIS_UP(Kind.GAUGE, "coordination.redis.up", "", "", "Whether this replica reaches Redis"),
  /** Clock. */
  CLOCK_SKEW(
      Kind.GAUGE,
      "coordination.clock.skew",
      "seconds",
      "",
      "This machine's wall clock less Redis time; nothing is decided by the former"),
  /** Loss windows. */
  LOSS_WINDOW(
      Kind.COUNTER,
      "coordination.loss.window",
      "seconds",
      "",
      "Time for which it is unknown whether everything was heard"),
  /** Loss windows. */
  RESUBSCRIPTIONS(
      Kind.COUNTER, "coordination.resubscriptions", "", "", "Subscriptions after the first one"),
  /** Leases. */
  REPLICAS_LOST(
      Kind.COUNTER,
      "coordination.replicas.lost",
      "",
      "",
      "Leases that ended without a goodbye, by the replica that collected them"),
  /** Streams. */
  CONNECTIONS(Kind.GAUGE, "stream.connections", "", "", "Streams that are open"),
  /** Streams. */
  OPENED(Kind.COUNTER, "stream.opened", "", "", "Streams that were opened"),
  /** Streams. */
  CLOSED(Kind.COUNTER, "stream.closed", "", "reason", "Streams that ended, by reason"),
  /** Limits of streams. */
  REFUSED(Kind.COUNTER, "stream.refused", "", "reason", "Streams that were not opened, by limit"),
  /** Limits of requests. */
  REQUESTS_REFUSED(
      Kind.COUNTER,
      "requests.refused",
      "",
      "reason",
      "Requests that were refused or cut off, by the limit or the rule that they broke"),
  /** Send queues. */
  QUEUE(Kind.GAUGE, "stream.queue", "bytes", "", "Bytes that wait in send queues"),
  /** Repairs and reconciles. */
  READS(Kind.COUNTER, "stream.reads", "", "", "Reads of state for streams"),
  /** Repairs and reconciles. */
  READS_FAILED(
      Kind.COUNTER,
      "stream.reads.failed",
      "",
      "",
      "Reads of state for streams that failed and are tried again"),
  /** Drain. */
  DRAINING(
      Kind.GAUGE,
      "stream.draining",
      "",
      "",
      "Whether this replica is being stopped and ends its streams"),
  /** Overdue callbacks. */
  POLLS(
      Kind.COUNTER,
      "external.polls",
      "",
      "outcome",
      "Questions about operations of which no callback came, by outcome"),
  /** Limit of the submission queue. */
  SUBMISSIONS_POSTPONED(
      Kind.COUNTER,
      "external.submissions.postponed",
      "",
      "",
      "Submissions that found the queue full and wait for the next claim"),
  /** Submissions. */
  SUBMISSIONS_FAILED(
      Kind.COUNTER,
      "external.submissions.failed",
      "",
      "",
      "Submissions that were not accepted and are tried again"),
  /** Limit of the log. */
  LOG_SUPPRESSED(
      Kind.COUNTER,
      "log.events.suppressed",
      "",
      "",
      "Log events that were left out because the same one had come too often"),
  /** Limit of the log. */
  LOG_DROPPED(
      Kind.COUNTER,
      "log.events.dropped",
      "",
      "",
      "Log events that were left out because the output was too slow");

  /** What it is, and so how it may be summed. */
  public enum Kind {
    /** Counts in one process: add up over replicas. */
    COUNTER,
    /** Is a state of one process. */
    GAUGE,
    /** Counts in one process, by size, with exemplars. */
    HISTOGRAM,
    /** Counted in Redis and exported alike by every replica: never add up over replicas. */
    ACCOUNT,
    /** A state of the ledger, exported alike by every replica. */
    ACCOUNT_GAUGE
  }

  private final Kind kind;
  private final String meter;
  private final @Nullable String unit;

  @SuppressWarnings("ImmutableEnumChecker") // made by List.of
  private final List<String> labels;

  private final String sentence;

  Metric(Kind kind, String meter, String unit, String labels, String sentence) {
    this.kind = kind;
    this.meter = meter;
    this.unit = unit.isEmpty() ? null : unit;
    this.labels = labels.isEmpty() ? List.of() : List.of(labels.split(" "));
    this.sentence = sentence;
  }

  /** How it behaves. */
  public Kind kind() {
    return kind;
  }

  /** Its labels, beside {@code replica}, which every series has. */
  public List<String> labels() {
    return labels;
  }

  /** What it says, in one sentence. */
  public String sentence() {
    return sentence;
  }

  /** The name in Prometheus, by its naming rules: underscores, unit, {@code _total}. */
  public String prometheusName() {
    String name = meter.replace('.', '_');
    if (unit != null) {
      name += "_" + unit;
    }
    return kind == Kind.COUNTER || kind == Kind.ACCOUNT ? name + "_total" : name;
  }

  /** Registers a counter; one value for each label, in their order. */
  public Counter counter(MeterRegistry meters, String... values) {
    return Counter.builder(meter)
        .description(sentence)
        .baseUnit(unit)
        .tags(tags(values))
        .register(meters);
  }

  /**
   * Registers a counter that is kept elsewhere.
   *
   * @param keeper held weakly, as Micrometer does: once nobody else holds it, the counter stands
   * @param total cheap and from any thread; NaN for unknown
   */
  public <T> Meter counter(
      MeterRegistry meters, T keeper, ToDoubleFunction<T> total, String... values) {
    return FunctionCounter.builder(meter, keeper, total)
        .description(sentence)
        .baseUnit(unit)
        .tags(tags(values))
        .register(meters);
  }

  /**
   * Registers a gauge and keeps a strong reference to where it reads.
   *
   * @param value cheap and from any thread; NaN for unknown
   */
  public void gauge(MeterRegistry meters, Supplier<Number> value, String... values) {
    Gauge.builder(meter, value)
        .description(sentence)
        .baseUnit(unit)
        .tags(tags(values))
        .strongReference(true)
        .register(meters);
  }

  /** All its series in a registry, to read them. */
  public Search in(MeterRegistry meters) {
    return meters.find(meter);
  }

  /** Registers a histogram with exact bucket bounds. */
  Timer histogram(MeterRegistry meters, List<Duration> bounds, String... values) {
    return Timer.builder(meter)
        .description(sentence)
        .tags(tags(values))
        .serviceLevelObjectives(bounds.toArray(Duration[]::new))
        .register(meters);
  }

  private Tags tags(String... values) {
    if (values.length != labels.size()) {
      throw new IllegalArgumentException(this + " has the labels " + labels);
    }
    Tags tags = Tags.empty();
    for (int i = 0; i < values.length; i++) {
      tags = tags.and(Tag.of(labels.get(i), values[i]));
    }
    return tags;
  }
}
