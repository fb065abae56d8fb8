package dev.lastmile.coordination;

import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The proof that this replica hears what is published.
 *
 * @param interval pause between two canaries; at most half of {@code stale}
 * @param stale age of the last canary heard at which the subscription is made anew
 * @param deaf time after that at which a replica that still hears nothing counts as deaf
 */
@Validated
@ConfigurationProperties("lastmile.canary")
record CanaryProperties(
    @DurationMin(millis = 50) @DurationMax(seconds = 60) @DefaultValue("2s") Duration interval,
    @DurationMin(millis = 100) @DurationMax(minutes = 5) @DefaultValue("6s") Duration stale,
    @DurationMin(millis = 100) @DurationMax(minutes = 5) @DefaultValue("4s") Duration deaf) {
  CanaryProperties {
    if (interval.multipliedBy(2).compareTo(stale) > 0) {
      throw new IllegalArgumentException(
          "lastmile.canary.interval must be at most half of lastmile.canary.stale");
    }
    if (interval.compareTo(deaf) > 0) {
      throw new IllegalArgumentException(
          "lastmile.canary.interval must be at most lastmile.canary.deaf");
    }
  }
}
