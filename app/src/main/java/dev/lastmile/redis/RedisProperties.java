package dev.lastmile.redis;

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
 * @param url address of Redis, for example {@code redis://127.0.0.1:6379}
 * @param topic Pub/Sub channel of all updates, the same on all replicas
 * @param timeout time in which Redis must answer a command; after it the request is answered 503
 * @param redialInterval interval between the starts of two connection attempts
 * @param dialTimeout timeout of one connection attempt, and so the longest delay until a restarted
 *     Redis is found
 * @param clockInterval interval of clock comparisons with Redis. Two comparisons without an answer
 *     close the connection
 * @param gather time that commands without a waiting thread may be delayed under load, to be sent
 *     together; 0 sends each at once. At most half of {@code lastmile.redis.timeout}
 * @param pointerCache operations whose immutable metadata is cached
 */
@Validated
@ConfigurationProperties("lastmile.redis")
public record RedisProperties(
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
  public RedisProperties {
    // Neither the address nor the message of its parser is repeated: both may hold a password.
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

  /** Returns the address with {@code timeout}. */
  public RedisURI uri() {
    RedisURI uri = RedisURI.create(url);
    uri.setTimeout(timeout);
    return uri;
  }
}
