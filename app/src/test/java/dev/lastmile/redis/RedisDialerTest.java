package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lettuce.core.resource.ClientResources;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.data.redis.connection.RedisClusterConfiguration;
import org.springframework.data.redis.connection.RedisConfiguration;
import org.springframework.data.redis.connection.RedisSentinelConfiguration;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceClientConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/** Addresses and Pub/Sub channels that follow from the configuration of Spring Boot. */
class RedisDialerTest {
  private final ClientResources resources = ClientResources.create();

  @AfterEach
  void stop() {
    resources.shutdown();
  }

  private RedisDialer dialer(RedisConfiguration configuration, String topic) {
    Duration second = Duration.ofSeconds(1);
    return new RedisDialer(
        new LettuceConnectionFactory(
            configuration, LettuceClientConfiguration.defaultConfiguration()),
        resources,
        new RedisProperties(topic, second, second, second, second, second, Duration.ZERO, 100));
  }

  private static RedisStandaloneConfiguration standalone(int database) {
    RedisStandaloneConfiguration configuration = new RedisStandaloneConfiguration("redis", 6379);
    configuration.setDatabase(database);
    configuration.setPassword("secret");
    return configuration;
  }

  @Test
  void environmentsInDifferentDatabasesHaveDifferentTopics() {
    try (RedisDialer first = dialer(standalone(0), "");
        RedisDialer second = dialer(standalone(1), "")) {
      assertThat(List.of(first.topic(), second.topic()))
          .containsExactly("lastmile:updates", "lastmile:1:updates");
    }
  }

  @Test
  void aTopicThatWasSetIsUsedInEveryDatabase() {
    try (RedisDialer dialer = dialer(standalone(1), "lastmile:blue")) {
      assertThat(dialer.topic()).isEqualTo("lastmile:blue");
    }
  }

  @Test
  void theAddressForLogsHasNoSecret() {
    RedisSentinelConfiguration sentinels =
        new RedisSentinelConfiguration("main", Set.of("b:26379", "a:26379"));
    sentinels.setPassword("secret");
    sentinels.setSentinelPassword("secret");
    sentinels.setDatabase(2);
    try (RedisDialer one = dialer(standalone(0), "");
        RedisDialer three = dialer(sentinels, "")) {
      assertThat(one.address()).isEqualTo("redis:6379/0");
      assertThat(three.address()).isEqualTo("main@a:26379,b:26379/2");
    }
  }

  @Test
  void aClusterIsRejectedAtTheStart() {
    assertThatThrownBy(() -> dialer(new RedisClusterConfiguration(Set.of("a:6379")), ""))
        .hasMessageStartingWith("spring.data.redis.cluster is not supported");
  }
}
