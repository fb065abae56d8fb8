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
 * @param key secret that signs cookies, at least 32 characters, the same on all replicas; without
 *     one a random key is made at the start, which no other replica and no later start accepts, and
 *     in the {@code production} profile the start fails
 * @param maxAge how long a browser keeps its identity
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
