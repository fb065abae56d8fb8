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
 * The checks of a callback.
 *
 * @param secrets webhook secrets, each {@code whsec_} and base64. A signature by any of them is
 *     accepted, so a new secret can be added first and the old one removed later. Without a secret
 *     every callback is rejected, and the {@code production} profile does not start
 * @param window largest difference between the timestamp of a webhook and Redis time, in either
 *     direction
 * @param maxMessage length at which the {@code message} of a callback is cut, in characters
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
