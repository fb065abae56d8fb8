package dev.lastmile.coordination;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Presence, ledger and account. The same on every replica.
 *
 * @param lease how long a replica that says nothing counts as alive
 * @param renewInterval pause between two renewals of the lease; a quarter of it or less
 * @param lateAfter time after publication from which a flush counts as {@code late}
 * @param redeliverAfter time after publication at which an owner that has not settled is asked
 *     again
 * @param expireAfter time after publication at which a delivery that is not settled is given up
 * @param sweepInterval pause between two looks for what is overdue, on every replica
 * @param sweepBatch most deliveries that one look redelivers or expires in one partition
 * @param examples expired deliveries that are remembered, per partition
 * @param accountInterval pause between two reads of the account; at most a second
 * @param settleQueue settles that may wait to be sent, while Redis is away too; more are counted
 *     and left to expire
 * @param settleBatch settles that one script call takes
 * @param settleGather how long the first settle of a batch waits for others to go with it; 0 for
 *     not at all. What is flushed and not settled when a replica dies expires as {@code owner_gone}
 */
@Validated
@ConfigurationProperties("lastmile.ledger")
record LedgerProperties(
    @DurationMin(seconds = 1) @DurationMax(seconds = 60) @DefaultValue("4s") Duration lease,
    @DurationMin(millis = 50) @DurationMax(seconds = 10) @DefaultValue("1s") Duration renewInterval,
    @DurationMin(millis = 10) @DurationMax(seconds = 60) @DefaultValue("1s") Duration lateAfter,
    @DurationMin(millis = 10) @DurationMax(seconds = 60) @DefaultValue("1s")
        Duration redeliverAfter,
    @DurationMin(millis = 100) @DurationMax(minutes = 5) @DefaultValue("5s") Duration expireAfter,
    @DurationMin(millis = 20) @DurationMax(seconds = 1) @DefaultValue("250ms")
        Duration sweepInterval,
    @Min(1) @Max(1_000) @DefaultValue("128") int sweepBatch,
    @Min(1) @Max(1_000) @DefaultValue("20") int examples,
    @DurationMin(millis = 50) @DurationMax(seconds = 1) @DefaultValue("500ms")
        Duration accountInterval,
    @Min(16) @Max(10_000_000) @DefaultValue("65536") int settleQueue,
    @Min(1) @Max(1_000) @DefaultValue("64") int settleBatch,
    @DurationMin(millis = 0) @DurationMax(millis = 500) @DefaultValue("20ms")
        Duration settleGather) {
  LedgerProperties {
    if (renewInterval.multipliedBy(4).compareTo(lease) > 0) {
      throw new IllegalArgumentException(
          "lastmile.ledger.renew-interval must be at most a quarter of lastmile.ledger.lease");
    }
    if (settleGather.multipliedBy(2).compareTo(redeliverAfter) > 0) {
      throw new IllegalArgumentException(
          "lastmile.ledger.settle-gather must be at most half of lastmile.ledger.redeliver-after");
    }
    if (redeliverAfter.multipliedBy(2).compareTo(expireAfter) > 0) {
      throw new IllegalArgumentException(
          "lastmile.ledger.redeliver-after must be at most half of lastmile.ledger.expire-after");
    }
  }
}
