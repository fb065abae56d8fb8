package dev.lastmile.telemetry;

import dev.lastmile.updates.CorrelationId;
import dev.lastmile.updates.Delivery;
import dev.lastmile.updates.OperationId;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;

/**
 * The hops of an update on its way from click to browser, each with all its outcomes.
 *
 * <p>The wire name (lower case) is the metric label, the span's name, the log field and the
 * timeline's name.
 */
public enum Hop {
  /** A browser created an operation. */
  INITIATED("created repeated", "rejected", "external_failed unavailable"),
  /** The external system reported progress, or told it when it was asked. */
  CALLBACK("stored polled duplicate stale final", "rejected unknown", "unavailable"),
  /** Redis stored the update and broadcast it. */
  PUBLISHED("audience no_audience", "", "error"),
  /** The owning replica flushed the update to a browser, or said why it could not. */
  DELIVERED("delivered client_gone", "late slow_consumer", ""),
  /** The browser said that it has applied the update. */
  CLIENT_ACKED("live replay poll duplicate", "", "");

  @SuppressWarnings("ImmutableEnumChecker") // made by Map.copyOf
  private final Map<String, Level> levels;

  @SuppressWarnings("ImmutableEnumChecker") // made by List.copyOf
  private final List<String> outcomes;

  /**
   * @param normal outcomes that nobody asks about
   * @param notable outcomes that an operator may ask about
   * @param failed outcomes of a hop that was not passed, through no fault of the caller
   */
  Hop(String normal, String notable, String failed) {
    Map<String, Level> byOutcome = new LinkedHashMap<>();
    put(byOutcome, normal, Level.DEBUG);
    put(byOutcome, notable, Level.INFO);
    put(byOutcome, failed, Level.WARN);
    this.outcomes = List.copyOf(byOutcome.keySet());
    this.levels = Map.copyOf(byOutcome);
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
    return outcomes;
  }

  /**
   * How loud the log says it; {@code WARN} is also an error of the span.
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

  /** Whether its span links the request that brought it, beside having the hop before as parent. */
  boolean linksRequest() {
    return this == CALLBACK || this == CLIENT_ACKED;
  }

  /**
   * What a hop, a span or a log event is about, as far as it is known there.
   *
   * @param version of the operation; 0 if it is not known, or not about one
   */
  public record Subject(
      @Nullable OperationId operation, @Nullable CorrelationId correlation, long version) {
    /** Nothing is known. */
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
   * A hop that a version of an operation has passed, as its timeline keeps it.
   *
   * @param hop wire name
   * @param at Redis time
   * @param replica where it happened
   * @param outcome one of the hop's, or the reason for which a delivery expired
   */
  public record Passed(long version, String hop, Instant at, String replica, String outcome) {}
}
