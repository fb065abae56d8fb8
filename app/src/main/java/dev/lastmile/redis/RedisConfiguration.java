package dev.lastmile.redis;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.telemetry.Replica;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultEventLoopGroupProvider;
import io.lettuce.core.resource.SocketAddressResolver;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.InetAddress;
import java.time.Instant;
import java.util.concurrent.ScheduledExecutorService;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/** Builds the connection to Redis. A replica starts without Redis: no bean waits for it. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(RedisProperties.class)
class RedisConfiguration {
  /**
   * One event loop for all connections. The reply to a change and its publication arrive together,
   * so they wake one thread, once. No task on the loop blocks. So the name of the server is
   * resolved on the thread that connects; the default of Lettuce resolves it on the loop.
   */
  @Bean(destroyMethod = "shutdown")
  ClientResources redisResources() {
    return ClientResources.builder()
        .eventLoopGroupProvider(new DefaultEventLoopGroupProvider(1))
        .socketAddressResolver(SocketAddressResolver.create(InetAddress::getAllByName))
        .build();
  }

  @Bean
  RedisDialer redisDialer(
      LettuceConnectionFactory factory, ClientResources resources, RedisProperties properties) {
    return new RedisDialer(factory, resources, properties);
  }

  @Bean
  PubsubChannels pubsubChannels(RedisDialer dialer, Replica replica) {
    return new PubsubChannels(dialer.pubsubName(), replica);
  }

  @Bean
  RedisErrors redisErrors(Ticker ticker, MeterRegistry meters) {
    return new RedisErrors(ticker, meters);
  }

  @Bean
  RedisConnection redisConnection(
      RedisDialer dialer,
      ClientResources resources,
      RedisErrors errors,
      RedisProperties properties,
      Ticker ticker,
      ScheduledExecutorService scheduler,
      MeterRegistry meters) {
    RedisConnection connection =
        new RedisConnection(dialer, resources, errors, properties, ticker, scheduler);
    Metric.PRIMARIES.gauge(meters, () -> connection.primaries(true), "connected");
    Metric.PRIMARIES.gauge(meters, () -> connection.primaries(false), "disconnected");
    Metric.PARTITIONS.gauge(meters, () -> connection.partitions(true), "connected");
    Metric.PARTITIONS.gauge(meters, () -> connection.partitions(false), "disconnected");
    Metric.SENTINELS.gauge(meters, () -> connection.sentinels(true), "subscribed");
    Metric.SENTINELS.gauge(meters, () -> connection.sentinels(false), "unreachable");
    return connection;
  }

  @Bean
  HeldPartitions heldPartitions() {
    return new HeldPartitions();
  }

  @Bean
  RedisTime redisTime(RedisConnection redis, MeterRegistry meters) {
    RedisTime time = new RedisTime(redis);
    Metric.CLOCK_SKEW.gauge(meters, () -> time.secondsBehind(Instant.now()));
    return time;
  }
}
