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
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * The catalogue of metrics: every metric of the service is declared and registered here.
 *
 * <p>{@code docs/reference/metrics.md} is generated from it, and a test compares it with a live
 * scrape. A component registers all label values of a metric at once. Each series therefore starts
 * at 0, and Prometheus sees the first increment. No label holds an id.
 */
public enum Metric {
  HOPS(Kind.COUNTER, "lastmile.hops", "", "hop outcome", "Updates that passed a hop, by outcome"),
  LATENCY(
      Kind.HISTOGRAM,
      "lastmile.hop.latency",
      "seconds",
      "from to",
      "Time between two hops, on the clock of Redis. To client_acked: the first ack of each update"
          + " that arrived live. From initiated: only operations with a final status"),
  EXPECTED(
      Kind.ACCOUNT,
      "lastmile.deliveries.expected",
      "",
      "owner",
      "Deliveries that were expected of an owner"),
  SETTLED(
      Kind.ACCOUNT,
      "lastmile.deliveries.settled",
      "",
      "outcome owner",
      "Deliveries that the owner settled, by outcome"),
  EXPIRED(
      Kind.ACCOUNT,
      "lastmile.deliveries.expired",
      "",
      "owner reason",
      "Deliveries that expired without being settled, by reason"),
  REDELIVERED(
      Kind.ACCOUNT,
      "lastmile.deliveries.redelivered",
      "",
      "owner",
      "Redeliveries: requests to an owner to settle a delivery that is still outstanding"),
  OUTSTANDING(
      Kind.ACCOUNT_GAUGE,
      "lastmile.deliveries.outstanding",
      "Deliveries that are expected and neither settled nor expired"),
  OLDEST_OUTSTANDING(
      Kind.ACCOUNT_GAUGE,
      "lastmile.deliveries.oldest.outstanding",
      "seconds",
      "",
      "Age of the oldest outstanding delivery"),
  LEDGER_START(
      Kind.ACCOUNT_GAUGE,
      "lastmile.ledger.start.timestamp",
      "seconds",
      "",
      "Redis time in seconds since 1970 at which the totals of the account started at 0"),
  REPAIRS(
      Kind.COUNTER,
      "lastmile.redis.repairs",
      "Readings of the totals before which channels or ledgers were repaired, because a key was"
          + " deleted; counted by the replica that reads them"),
  RECOVERED(
      Kind.COUNTER,
      "lastmile.deliveries.recovered",
      "",
      "by",
      "Updates that a client received first by replay or poll and not live"),
  PENDING(
      Kind.GAUGE,
      "lastmile.deliveries.pending",
      "Expected deliveries that this replica has received and not settled"),
  PENDING_OVERFLOW(
      Kind.COUNTER,
      "lastmile.deliveries.pending.overflow",
      "Expected deliveries above lastmile.stream.expectations; the ledger redelivers them"),
  SETTLEMENTS_DROPPED(
      Kind.COUNTER,
      "lastmile.ledger.settlements.dropped",
      "Settlements that were too old or above lastmile.ledger.settle-queue; not sent to Redis"),
  SWEEP_BACKLOG(
      Kind.COUNTER,
      "lastmile.ledger.sweep.backlog",
      "Sweeps of a partition that left overdue deliveries for the next sweep"),
  RECEIVED(
      Kind.COUNTER,
      "lastmile.pubsub.received",
      "Updates and redeliveries that this replica received from Redis, without canaries"),
  MESSAGES(
      Kind.COUNTER,
      "lastmile.pubsub.messages",
      "",
      "result",
      "Updates and redeliveries that this replica received from Redis, by result"),
  CANARY_AGE(
      Kind.GAUGE,
      "lastmile.pubsub.canary.age",
      "seconds",
      "",
      "Time since this replica last received its own canary, of the partition for which it is longest"),
  SUBSCRIPTION_STATE(
      Kind.GAUGE,
      "lastmile.pubsub.subscription.state",
      "",
      "state",
      "1 for the state of this replica's subscription, 0 for each other state"),
  REDIS_UP(
      Kind.GAUGE, "lastmile.redis.up", "1 while Redis stores what this replica writes, else 0"),
  REDIS_STATE(
      Kind.GAUGE,
      "lastmile.redis.state",
      "",
      "state",
      "1 for the state of Redis for this replica, 0 for each other state: working, or the cause of"
          + " the failure"),
  REDIS_ERRORS(
      Kind.COUNTER,
      "lastmile.redis.errors",
      "",
      "cause",
      "Attempts to connect and commands that failed, by cause"),
  PRIMARIES(
      Kind.GAUGE,
      "lastmile.redis.primaries",
      "",
      "state",
      "Redis primaries with a partition, by whether this replica is connected"),
  PARTITIONS(
      Kind.GAUGE,
      "lastmile.redis.partitions",
      "",
      "state",
      "Partitions, by whether this replica is connected to their primary; sixteen in all"),
  SENTINELS(
      Kind.GAUGE,
      "lastmile.redis.sentinels",
      "",
      "state",
      "Configured Sentinels, by whether this replica has a subscription there; 0 without Sentinel"),
  CLOCK_SKEW(
      Kind.GAUGE,
      "lastmile.redis.clock.skew",
      "seconds",
      "",
      "Wall clock of this host minus Redis time; no decision uses the wall clock"),
  LOSS_WINDOW(
      Kind.COUNTER,
      "lastmile.pubsub.loss.window",
      "seconds",
      "",
      "Time in which published messages may have been missed"),
  RESUBSCRIPTIONS(
      Kind.COUNTER, "lastmile.pubsub.resubscriptions", "Subscriptions after the first one"),
  REPLICAS_LOST(
      Kind.COUNTER,
      "lastmile.replicas.lost",
      "Leases that ended without being given back, counted by the replica that reaps them"),
  CONNECTIONS(Kind.GAUGE, "lastmile.stream.connections", "Open streams"),
  OPENED(Kind.COUNTER, "lastmile.stream.opened", "Streams that were opened"),
  CLOSED(
      Kind.COUNTER,
      "lastmile.stream.closed",
      "",
      "reason",
      "Streams that were closed, by close reason"),
  STREAMS_REJECTED(
      Kind.COUNTER,
      "lastmile.stream.rejected",
      "",
      "reason",
      "Streams that were rejected, by limit or state of the replica"),
  REQUESTS_REJECTED(
      Kind.COUNTER,
      "lastmile.http.requests.rejected",
      "",
      "reason",
      "Requests that were rejected or cut off, by the limit or rule that they broke"),
  ANSWERS(
      Kind.GAUGE,
      "lastmile.http.answers",
      "bytes",
      "",
      "Memory that answers in progress with operations hold"),
  QUEUE(
      Kind.GAUGE,
      "lastmile.stream.queue",
      "bytes",
      "",
      "Bytes that wait in all streams; in memory twice that, as `lastmile.stream.max-queued` counts"),
  READS(Kind.COUNTER, "lastmile.stream.reads", "Reads of state for streams"),
  READS_FAILED(
      Kind.COUNTER,
      "lastmile.stream.reads.failed",
      "Reads of state for streams that failed and are repeated"),
  READS_POSTPONED(
      Kind.COUNTER,
      "lastmile.stream.reads.postponed",
      "Reads of state that wait, because the streams hold more than lastmile.stream.max-queued"),
  RESETS(
      Kind.COUNTER,
      "lastmile.stream.resets",
      "",
      "reason",
      "Streams whose client could not continue, so that its state was replaced, by reason"),
  LIST_RESETS(
      Kind.COUNTER,
      "lastmile.list.resets",
      "",
      "reason",
      "Lists that replace the state of a client that could not continue, by reason"),
  DRAINING(Kind.GAUGE, "lastmile.stream.draining", "1 while this replica drains, else 0"),
  POLLS(
      Kind.COUNTER,
      "lastmile.jobs.polls",
      "",
      "outcome",
      "Polls of the external system about silent operations, by outcome"),
  SUBMISSIONS_POSTPONED(
      Kind.COUNTER,
      "lastmile.jobs.submissions.postponed",
      "Submissions above lastmile.jobs.queue; they wait for the next claim"),
  SUBMISSIONS_FAILED(
      Kind.COUNTER,
      "lastmile.jobs.submissions.failed",
      "Submissions that the external system did not accept; they are repeated"),
  LOG_SUPPRESSED(
      Kind.COUNTER,
      "lastmile.log.events.suppressed",
      "Log events above lastmile.log.burst, which are not written"),
  LOG_DROPPED(
      Kind.COUNTER,
      "lastmile.log.events.dropped",
      "Log events above lastmile.log.queue, which are not written"),
  BUILD_INFO(
      Kind.GAUGE,
      "lastmile.build.info",
      "",
      "version revision",
      "1, with the release and commit of this process; unknown if the build did not set them");

  /** The kind of a metric, which decides how its series are aggregated. */
  public enum Kind {
    /** A total of one process: sum over replicas. */
    COUNTER,
    /** A state of one process. */
    GAUGE,
    /** A distribution of one process, with exemplars. */
    HISTOGRAM,
    /** A total in Redis that every replica exports: never sum over replicas. */
    ACCOUNT,
    /** A state of the ledger that every replica exports: never sum over replicas. */
    ACCOUNT_GAUGE
  }

  private final Kind kind;
  private final String meter;
  private final @Nullable String unit;

  @SuppressWarnings("ImmutableEnumChecker") // made by List.of
  private final List<String> labels;

  private final String sentence;

  Metric(Kind kind, String meter, String sentence) {
    this(kind, meter, "", "", sentence);
  }

  /** The unit may be empty, and the labels, which blanks separate. */
  Metric(Kind kind, String meter, String unit, String labels, String sentence) {
    this.kind = kind;
    this.meter = meter;
    this.unit = unit.isEmpty() ? null : unit;
    this.labels = labels.isEmpty() ? List.of() : List.of(labels.split(" "));
    this.sentence = sentence;
  }

  /** The kind of this metric. */
  public Kind kind() {
    return kind;
  }

  /** The labels of this metric. Every series has {@code replica} as well. */
  public List<String> labels() {
    return labels;
  }

  /** The description of this metric, without a period at its end. */
  public String sentence() {
    return sentence;
  }

  /** The name in Prometheus: underscores, then the unit, then {@code _total} for a counter. */
  public String prometheusName() {
    String name = meter.replace('.', '_');
    if (unit != null) {
      name += "_" + unit;
    }
    return kind == Kind.COUNTER || kind == Kind.ACCOUNT ? name + "_total" : name;
  }

  /** Registers a counter, with one value per label, in the order of the labels. */
  public Counter counter(MeterRegistry meters, String... values) {
    return Counter.builder(meter)
        .description(sentence)
        .baseUnit(unit)
        .tags(tags(values))
        .register(meters);
  }

  /**
   * Registers a counter for each of these constants of an enum. The value of the only label is the
   * name of the constant in lower case.
   */
  public <E extends Enum<E>> Counters<E> counters(MeterRegistry meters, Collection<E> constants) {
    Map<E, Counter> counters = new HashMap<>();
    for (E constant : constants) {
      counters.put(constant, counter(meters, constant.name().toLowerCase(Locale.ROOT)));
    }
    return new Counters<>(counters);
  }

  /** A counter for each constant of an enum. Any thread. */
  public static final class Counters<E extends Enum<E>> {
    private final Map<E, Counter> counters;

    private Counters(Map<E, Counter> counters) {
      this.counters = Map.copyOf(counters);
    }

    /** Counts one; the constant is one of those that were registered. */
    public void increment(E constant) {
      Objects.requireNonNull(counters.get(constant)).increment();
    }
  }

  /**
   * Registers a counter whose total another object keeps.
   *
   * @param keeper held by a weak reference of Micrometer: once it is collected, the counter stops
   * @param total must be cheap and callable from any thread; NaN for unknown
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
   * Registers a gauge and keeps a strong reference to its supplier.
   *
   * @param value must be cheap and callable from any thread; NaN for unknown
   */
  public void gauge(MeterRegistry meters, Supplier<Number> value, String... values) {
    Gauge.builder(meter, value)
        .description(sentence)
        .baseUnit(unit)
        .tags(tags(values))
        .strongReference(true)
        .register(meters);
  }

  /** Finds all series of this metric in a registry. */
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
