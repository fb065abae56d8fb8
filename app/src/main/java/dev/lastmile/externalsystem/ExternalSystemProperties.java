package dev.lastmile.externalsystem;

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
 * How the simulated external system behaves.
 *
 * @param secrets {@code whsec_} and base64: the first one signs webhooks
 * @param steps reports of a job, the final one included
 * @param minDuration shortest time that a job takes
 * @param maxDuration longest time that a job takes
 * @param failureRate share of jobs that fail, 0 to 1
 * @param maxJobs jobs that are remembered; the oldest finished one goes for a new one, and if none
 *     has finished the new one is refused (503)
 * @param attempts how often a webhook is sent until it is taken
 * @param minBackoff pause after the first failed attempt; doubles with each, and varies by half
 * @param maxBackoff longest such pause
 * @param timeout longest wait for the answer to a webhook
 * @param slowdown what the fault {@code slow-external} adds to each report
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
