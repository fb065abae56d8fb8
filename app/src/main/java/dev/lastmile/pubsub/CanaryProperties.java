package dev.lastmile.pubsub;

import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The self-test of the subscription: a replica publishes canaries and must receive them.
 *
 * @param interval interval between two canaries; at most half of {@code stale}, and at most {@code
 *     stalled}
 * @param stale age of the last received canary at which the replica subscribes again
 * @param stalled time after the new subscription at which a replica that still receives nothing
 *     counts as stalled
 */
@Validated
@ConfigurationProperties("lastmile.canary")
record CanaryProperties(
    @DurationMin(millis = 50) @DurationMax(seconds = 60) @DefaultValue("2s") Duration interval,
    @DurationMin(millis = 100) @DurationMax(minutes = 5) @DefaultValue("6s") Duration stale,
    @DurationMin(millis = 100) @DurationMax(minutes = 5) @DefaultValue("4s") Duration stalled) {
  CanaryProperties {
    if (interval.multipliedBy(2).compareTo(stale) > 0) {
      throw new IllegalArgumentException(
          "lastmile.canary.interval must be at most half of lastmile.canary.stale");
    }
    if (interval.compareTo(stalled) > 0) {
      throw new IllegalArgumentException(
          "lastmile.canary.interval must be at most lastmile.canary.stalled");
    }
  }
}
