package dev.lastmile.redis;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The connections to Redis. Address, login, TLS and Sentinels are {@code spring.data.redis.*}.
 *
 * @param topic part of the names of all Pub/Sub channels, the same on all replicas. If it is empty,
 *     it is the number of the database, from 1 on
 * @param timeout time in which Redis must answer a command; after it the request is answered 503.
 *     {@code application.yaml} sets it to {@code spring.data.redis.timeout}, if that is set
 * @param redialInterval interval between the starts of two connection attempts
 * @param connectTimeout timeout of the TCP connection, and so the longest delay until a restarted
 *     Redis is found. {@code application.yaml} sets it to {@code
 *     spring.data.redis.connect-timeout}, if that is set
 * @param handshakeTimeout timeout of the TLS handshake, and of the login after it
 * @param clockInterval interval of clock comparisons with Redis. Two comparisons without an answer
 *     close the connection
 * @param clusterInterval interval at which the nodes of a Redis Cluster are asked which of them is
 *     the primary of which partition. They are also asked when a reply hints at a change
 * @param gather time that commands without a waiting thread may be delayed under load, to be sent
 *     together; 0 sends each at once. At most half of {@code lastmile.redis.timeout}
 * @param pointerCache operations whose immutable metadata is cached
 */
@Validated
@ConfigurationProperties("lastmile.redis")
public record RedisProperties(
    @NotNull @DefaultValue("") String topic,
    @DurationMin(millis = 50) @DurationMax(seconds = 30) @DefaultValue("2s") Duration timeout,
    @DurationMin(millis = 10) @DurationMax(millis = 500) @DefaultValue("250ms")
        Duration redialInterval,
    @DurationMin(millis = 50) @DurationMax(seconds = 30) @DefaultValue("1s")
        Duration connectTimeout,
    @DurationMin(millis = 50) @DurationMax(seconds = 30) @DefaultValue("2s")
        Duration handshakeTimeout,
    @DurationMin(millis = 100) @DurationMax(seconds = 60) @DefaultValue("2s")
        Duration clockInterval,
    @DurationMin(millis = 250) @DurationMax(minutes = 5) @DefaultValue("10s")
        Duration clusterInterval,
    @DurationMin(millis = 0) @DurationMax(millis = 100) @DefaultValue("5ms") Duration gather,
    @Min(16) @Max(10_000_000) @DefaultValue("100000") int pointerCache) {
  public RedisProperties {
    if (gather.multipliedBy(2).compareTo(timeout) > 0) {
      throw new IllegalArgumentException(
          "lastmile.redis.gather must be at most half of lastmile.redis.timeout");
    }
  }

  /** The longest time of one attempt to connect; also that of the question to the Sentinels. */
  Duration attemptLimit() {
    return connectTimeout.plus(handshakeTimeout.multipliedBy(2));
  }
}
