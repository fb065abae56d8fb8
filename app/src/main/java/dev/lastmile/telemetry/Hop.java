package dev.lastmile.telemetry;

import dev.lastmile.updates.CorrelationId;
import dev.lastmile.updates.Delivery;
import dev.lastmile.updates.DeliveryOutcome;
import dev.lastmile.updates.OperationId;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;

/**
 * The hops of an update on its way from click to browser, each with all its outcomes.
 *
 * <p>The wire name (lower case) is the value of the metric label and the log field, the name of the
 * span, and the name in the timeline. {@code docs/reference/metrics.md} lists hops and outcomes.
 */
public enum Hop {
  /** A browser created an operation. */
  INITIATED("created repeated", "rejected", "external_failed unavailable"),
  /**
   * The external system reported progress by a callback or in its answer to a poll, or reported no
   * outcome before the deadline.
   */
  CALLBACK("stored polled duplicate stale final", "rejected unknown", "unavailable deadline"),
  /**
   * Redis stored the update and published it. Without a subscriber, an owner certainly gets no
   * message.
   */
  PUBLISHED("audience no_audience", "no_subscriber", "error"),
  /** The owning replica flushed the update to a browser, or recorded why it could not. */
  DELIVERED(
      names(outcome -> !outcome.isExpired() && !outcome.isNotable()),
      names(DeliveryOutcome::isNotable),
      ""),
  /** The browser acknowledged that it has applied the update. */
  CLIENT_ACKED("live replay poll duplicate", "", "");

  @SuppressWarnings("ImmutableEnumChecker") // unmodifiable, in the order of the outcomes
  private final Map<String, Level> levels;

  /**
   * @param normal outcomes of normal operation, logged at DEBUG
   * @param notable outcomes that may need an explanation, logged at INFO
   * @param failed outcomes of a failure that the caller did not cause, logged at WARN
   */
  Hop(String normal, String notable, String failed) {
    Map<String, Level> byOutcome = new LinkedHashMap<>();
    put(byOutcome, normal, Level.DEBUG);
    put(byOutcome, notable, Level.INFO);
    put(byOutcome, failed, Level.WARN);
    this.levels = Collections.unmodifiableMap(byOutcome);
  }

  private static String names(Predicate<DeliveryOutcome> condition) {
    return String.join(" ", DeliveryOutcome.wireNames(condition));
  }

  private static void put(Map<String, Level> byOutcome, String names, Level level) {
    for (String name : names.isEmpty() ? new String[0] : names.split(" ", -1)) {
      byOutcome.put(name, level);
    }
  }

  /** The name in metrics, spans, logs and timelines. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Every outcome that this hop can have. */
  public List<String> outcomes() {
    return List.copyOf(levels.keySet());
  }

  /**
   * The log level of an outcome; {@code WARN} also sets the status of the span to error.
   *
   * @throws IllegalArgumentException if the hop has no such outcome (a bug)
   */
  Level level(String outcome) {
    Level level = levels.get(outcome);
    if (level == null) {
      throw new IllegalArgumentException(this + " has no outcome " + outcome);
    }
    return level;
  }

  /** Whether the span links its request; the parent of the span is the hop before. */
  boolean linksRequest() {
    return this == CALLBACK || this == CLIENT_ACKED;
  }

  /**
   * The operation and version that a hop, a span or a log event refers to, as far as known.
   *
   * @param version of the operation; 0 if it is unknown or no version is meant
   */
  public record Subject(
      @Nullable OperationId operation, @Nullable CorrelationId correlation, long version) {
    /** Neither operation nor version is known. */
    public static final Subject UNKNOWN = new Subject(null, null, 0);

    /** An operation as a whole. */
    public static Subject of(@Nullable OperationId operation, @Nullable CorrelationId correlation) {
      return new Subject(operation, correlation, 0);
    }

    /** The update that is to be delivered. */
    public static Subject of(Delivery delivery) {
      return new Subject(delivery.operationId(), delivery.correlationId(), delivery.version());
    }
  }

  /**
   * A hop that a version of an operation has passed, as an entry of the timeline.
   *
   * @param hop wire name
   * @param at Redis time
   * @param replica name of the replica that recorded the hop
   * @param outcome an outcome of the hop, or the reason for which a delivery expired
   */
  public record Passed(long version, String hop, Instant at, String replica, String outcome) {}
}
