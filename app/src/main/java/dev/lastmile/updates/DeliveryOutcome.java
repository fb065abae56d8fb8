package dev.lastmile.updates;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/**
 * How an expected delivery ends; exactly one per delivery. The source of the outcomes in the hop
 * catalogue, in the ledger's counters and in the arguments of the scripts that write them.
 */
public enum DeliveryOutcome {
  /** The owner flushed the update within {@code lastmile.ledger.late-after} of publication. */
  DELIVERED(false),
  /** The owner flushed the update later than that. */
  LATE(false),
  /** The channel had no stream on the owner any more. */
  CLIENT_GONE(false),
  /** The sockets of the channel accepted no bytes, or too few. */
  SLOW_CONSUMER(false),
  /** The owner was alive and did not settle the delivery in time. */
  NOT_RECEIVED(true),
  /** The lease of the owner had ended. */
  OWNER_GONE(true);

  private final boolean expired;

  DeliveryOutcome(boolean expired) {
    this.expired = expired;
  }

  /** Whether a sweep ended the delivery, and not the owner. */
  public boolean isExpired() {
    return expired;
  }

  /** Whether the owner settled the delivery, but an operator may ask why it ended so. */
  public boolean isNotable() {
    return this == LATE || this == SLOW_CONSUMER;
  }

  /** Whether the kernel of the owner accepted the bytes of the update. */
  public boolean isFlushed() {
    return this == DELIVERED || this == LATE;
  }

  /** The name in Redis, metrics, logs and timelines. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The names of all outcomes that fulfil a condition, in their order. */
  public static List<String> wireNames(Predicate<DeliveryOutcome> condition) {
    return Arrays.stream(values()).filter(condition).map(DeliveryOutcome::wireName).toList();
  }
}
