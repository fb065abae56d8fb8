package dev.lastmile.testkit.externalsystem;

import jakarta.validation.constraints.DecimalMax;
import jakarta.validation.constraints.DecimalMin;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The simulated external system.
 *
 * @param secrets webhook secrets, each {@code whsec_} and base64; the first one signs
 * @param steps reports per job, including the final one
 * @param minDuration shortest duration of a job
 * @param maxDuration longest duration of a job
 * @param failureRate share of jobs that fail, from 0 to 1
 * @param maxJobs jobs that are kept. A new job replaces the oldest finished one; if none has
 *     finished, the new job is rejected (503)
 * @param attempts attempts to send a webhook before it is given up
 * @param minBackoff delay after the first failed attempt. It doubles with each further attempt and
 *     varies at random by half
 * @param maxBackoff longest delay between two attempts
 * @param timeout time in which a webhook must be answered
 * @param slowdown delay that the fault {@code slow-external} adds to each report
 */
@Validated
@ConfigurationProperties("lastmile.external-system")
record ExternalSystemProperties(
    @DefaultValue List<String> secrets,
    @Min(1) @Max(100) @DefaultValue("4") int steps,
    @DurationMin(millis = 0) @DurationMax(hours = 1) @DefaultValue("1s") Duration minDuration,
    @DurationMin(millis = 0) @DurationMax(hours = 1) @DefaultValue("3s") Duration maxDuration,
    @DecimalMin("0") @DecimalMax("1") @DefaultValue("0.1") double failureRate,
    @Min(1) @Max(10_000_000) @DefaultValue("100000") int maxJobs,
    @Min(1) @Max(100) @DefaultValue("10") int attempts,
    @DurationMin(millis = 1) @DurationMax(minutes = 1) @DefaultValue("200ms") Duration minBackoff,
    @DurationMin(millis = 1) @DurationMax(minutes = 10) @DefaultValue("10s") Duration maxBackoff,
    @DurationMin(millis = 10) @DurationMax(minutes = 1) @DefaultValue("5s") Duration timeout,
    @DurationMin(millis = 0) @DurationMax(minutes = 10) @DefaultValue("5s") Duration slowdown) {

  ExternalSystemProperties {
    if (secrets.isEmpty() || !SECRET.matcher(secrets.getFirst()).matches()) {
      throw new IllegalArgumentException(
          "lastmile.external-system.secrets (LASTMILE_WEBHOOK_SECRETS): each must be whsec_ and"
              + " base64");
    }
    if (maxDuration.compareTo(minDuration) < 0) {
      throw new IllegalArgumentException(
          "lastmile.external-system.min-duration must be at most"
              + " lastmile.external-system.max-duration");
    }
  }

  private static final Pattern SECRET = Pattern.compile("whsec_[A-Za-z0-9+/]{22,}={0,2}");

  /** Secrets stay out of logs. */
  @Override
  public String toString() {
    return "ExternalSystemProperties[steps=" + steps + ", maxJobs=" + maxJobs + "]";
  }
}
