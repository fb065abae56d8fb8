package dev.lastmile.telemetry;

import java.util.List;

/**
 * The hops of an update on its way from click to browser, each with all its outcomes.
 *
 * <p>The wire name (lower case) is the metric label, the log field and the timeline's name.
 */
public enum Hop {
  /** A browser created an operation. */
  INITIATED("created", "repeated", "rejected", "external_failed"),
  /** The external system reported progress, or told it when it was asked. */
  CALLBACK("stored", "polled", "duplicate", "stale", "final", "rejected", "unknown", "unavailable"),
  /** Redis stored the update and broadcast it. */
  PUBLISHED("audience", "no_audience", "error"),
  /** The owning replica flushed the update to a browser, or said why it could not. */
  DELIVERED("delivered", "late", "client_gone", "slow_consumer"),
  /** The browser said that it has applied the update. */
  CLIENT_ACKED("live", "replay", "poll", "duplicate");

  @SuppressWarnings("ImmutableEnumChecker") // made by List.of
  private final List<String> outcomes;

  Hop(String... outcomes) {
    this.outcomes = List.of(outcomes);
  }

  /** The name in metrics, logs and timelines. */
  public String wireName() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }

  /** Every outcome that this hop can have. */
  public List<String> outcomes() {
    return outcomes;
  }
}
