package dev.lastmile.ledger;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Presence, ledger and account. Use the same values on every replica.
 *
 * @param lease time after its last renewal at which the lease of a replica ends
 * @param renewInterval interval between two renewals of the lease; at most a quarter of {@code
 *     lastmile.ledger.lease}
 * @param lateAfter time after publication from which a flush counts as {@code late}
 * @param redeliverAfter time after publication at which an owner that has not settled is asked
 *     again; at most half of {@code lastmile.ledger.expire-after}
 * @param expireAfter time after publication at which an unsettled delivery expires
 * @param sweepInterval interval of the search for overdue deliveries
 * @param sweepBatch deliveries that one sweep redelivers or expires per partition
 * @param examples expired deliveries that are kept per partition, for {@code /actuator/deliveries}
 * @param accountInterval interval between two reads of the account
 * @param settleQueue settlements that may wait to be sent, also while Redis is unreachable. Further
 *     ones are dropped and counted, and their deliveries expire
 * @param settleBatch settlements per script call
 * @param settleGather time that the first settlement of a batch waits for others; 0 for none, at
 *     most half of {@code lastmile.ledger.redeliver-after}. A delivery that was flushed but not
 *     settled when a replica dies expires as {@code owner_gone}
 */
@Validated
@ConfigurationProperties("lastmile.ledger")
public record LedgerProperties(
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
  public LedgerProperties {
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

  /**
   * Time without a sweep of a partition after which another replica sweeps it. A replica whose
   * sweeps are slow must not lose the partition at once.
   */
  Duration sweepSilence() {
    return Duration.ofSeconds(1).plus(sweepInterval);
  }
}
