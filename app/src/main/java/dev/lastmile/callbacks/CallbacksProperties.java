package dev.lastmile.callbacks;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import java.util.List;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * How callbacks are checked.
 *
 * @param secrets {@code whsec_} and base64; a signature by any of them is accepted, so that a new
 *     one can be put first, and the old one removed later; without one every callback is refused,
 *     and in the {@code production} profile the start fails
 * @param window how far a webhook's timestamp may be from Redis time, either way
 * @param maxMessage characters of a message
 */
@Validated
@ConfigurationProperties("lastmile.callbacks")
record CallbacksProperties(
    @DefaultValue List<String> secrets,
    @DurationMin(seconds = 1) @DurationMax(hours = 1) @DefaultValue("5m") Duration window,
    @Min(1) @Max(10_000) @DefaultValue("1000") int maxMessage) {

  CallbacksProperties {
    secrets = secrets.stream().map(String::strip).filter(s -> !s.isEmpty()).toList();
  }

  /** Secrets stay out of logs. */
  @Override
  public String toString() {
    return "CallbacksProperties[secrets=" + secrets.size() + ", window=" + window + "]";
  }
}
