package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.telemetry.Replica;
import dev.lastmile.updates.Partition;
import io.lettuce.core.resource.ClientResources;
import java.net.InetSocketAddress;
import java.time.Duration;
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
        new RedisProperties(
            topic, second, second, second, second, second, second, Duration.ZERO, 100));
  }

  private static RedisStandaloneConfiguration standalone(int database) {
    RedisStandaloneConfiguration configuration = new RedisStandaloneConfiguration("redis", 6379);
    configuration.setDatabase(database);
    configuration.setPassword("secret");
    return configuration;
  }

  @Test
  void environmentsInDifferentDatabasesHaveDifferentChannels() {
    try (RedisDialer first = dialer(standalone(0), "");
        RedisDialer second = dialer(standalone(1), "")) {
      Partition partition = Partition.ALL.get(3);
      Replica replica = new Replica("a", "a~0000002a");
      PubsubChannels one = new PubsubChannels(first.pubsubName(), replica);
      PubsubChannels other = new PubsubChannels(second.pubsubName(), replica);
      assertThat(one.wanted(partition))
          .containsExactly("{p3sw}:inbox:a~0000002a", "{p3sw}:updates");
      assertThat(other.wanted(partition))
          .containsExactly("{p3sw}:1:inbox:a~0000002a", "{p3sw}:1:updates");
    }
  }

  @Test
  void aNameThatWasSetIsUsedInEveryDatabase() {
    try (RedisDialer dialer = dialer(standalone(1), "lastmile:blue")) {
      assertThat(dialer.pubsubName()).isEqualTo("lastmile:blue");
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
  void theNodesOfAClusterAreNotResolved() {
    RedisClusterConfiguration nodes = new RedisClusterConfiguration(Set.of("b:6379", "a:6379"));
    try (RedisDialer cluster = dialer(nodes, "");
        RedisDialer one = dialer(standalone(0), "")) {
      assertThat(cluster.isCluster()).isTrue();
      assertThat(cluster.clusterNodes())
          .containsExactlyInAnyOrder(
              InetSocketAddress.createUnresolved("a", 6379),
              InetSocketAddress.createUnresolved("b", 6379));
      assertThat(cluster.address()).isEqualTo("a:6379,b:6379");
      assertThat(one.isCluster()).isFalse();
      assertThat(one.clusterNodes()).isEmpty();
    }
  }
}
