package dev.lastmile.coordination;

import io.lettuce.core.RedisURI;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The connections to Redis.
 *
 * @param url where Redis is, for example {@code redis://127.0.0.1:6379}
 * @param topic Pub/Sub channel of all updates; the same on every replica
 * @param timeout longest wait for an answer, after which a request is answered with 503
 * @param redialInterval pause between the beginnings of two attempts to connect again
 * @param dialTimeout longest that one attempt may take; Redis that is back is found after that at
 *     the latest
 * @param clockInterval how often the clock is compared with that of Redis; two comparisons without
 *     an answer close the connection
 * @param gather how long commands for which no thread waits may wait under load, to leave together;
 *     0 lets each leave at once
 * @param pointerCache operations whose immutable part is remembered
 */
@Validated
@ConfigurationProperties("lastmile.redis")
record RedisProperties(
    @NotBlank @DefaultValue("redis://127.0.0.1:6379") String url,
    @NotBlank @DefaultValue("lastmile:updates") String topic,
    @DurationMin(millis = 50) @DurationMax(seconds = 30) @DefaultValue("2s") Duration timeout,
    @DurationMin(millis = 10) @DurationMax(millis = 500) @DefaultValue("250ms")
        Duration redialInterval,
    @DurationMin(millis = 50) @DurationMax(seconds = 30) @DefaultValue("500ms")
        Duration dialTimeout,
    @DurationMin(millis = 100) @DurationMax(seconds = 60) @DefaultValue("2s")
        Duration clockInterval,
    @DurationMin(millis = 0) @DurationMax(millis = 100) @DefaultValue("5ms") Duration gather,
    @Min(16) @Max(10_000_000) @DefaultValue("100000") int pointerCache) {
  RedisProperties {
    // The address is not repeated, nor what its reader says of it: it may hold a password.
    if (!isAddress(url)) {
      throw new IllegalArgumentException(
          "lastmile.redis.url (REDIS_URL) must be an address such as redis://127.0.0.1:6379");
    }
    if (gather.multipliedBy(2).compareTo(timeout) > 0) {
      throw new IllegalArgumentException(
          "lastmile.redis.gather must be at most half of lastmile.redis.timeout");
    }
  }

  private static boolean isAddress(String url) {
    try {
      return url.matches("redis[a-z+-]*://.+") && RedisURI.create(url).getTimeout() != null;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** The password stays out of logs. */
  @Override
  public String toString() {
    return "RedisProperties[url=" + uri() + ", topic=" + topic + "]";
  }

  /** The address with the time-out. */
  RedisURI uri() {
    RedisURI uri = RedisURI.create(url);
    uri.setTimeout(timeout);
    return uri;
  }
}
