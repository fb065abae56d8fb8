package dev.lastmile.identity;

import jakarta.validation.constraints.Size;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The identity cookie.
 *
 * @param key secret that signs identity cookies, at least 32 characters and the same on all
 *     replicas. Without a key, each start generates one: other replicas and later starts reject its
 *     cookies. The {@code production} profile does not start without a key
 * @param maxAge {@code Max-Age} of the identity cookie
 */
@Validated
@ConfigurationProperties("lastmile.identity")
record IdentityProperties(
    @Nullable @Size(min = 32, max = 1024) String key,
    @DurationMin(minutes = 1) @DurationMax(days = 400) @DefaultValue("180d") Duration maxAge) {

  IdentityProperties {
    // An environment variable that is set but empty means: none.
    key = key == null || key.isBlank() ? null : key;
  }

  /** The key stays out of logs. */
  @Override
  public String toString() {
    return "IdentityProperties[key=" + (key == null ? "none" : "***") + ", maxAge=" + maxAge + "]";
  }
}
