package dev.lastmile.redis;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.telemetry.Metric;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultEventLoopGroupProvider;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Instant;
import java.util.concurrent.ScheduledExecutorService;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Builds the connection to Redis. A replica starts without Redis: no bean waits for it. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(RedisProperties.class)
class RedisConfiguration {
  /**
   * One event loop for both connections. The reply to a change and its publication arrive together,
   * so they wake one thread, once. No task on the loop blocks.
   */
  @Bean(destroyMethod = "shutdown")
  ClientResources redisResources() {
    return ClientResources.builder()
        .eventLoopGroupProvider(new DefaultEventLoopGroupProvider(1))
        .build();
  }

  @Bean(destroyMethod = "shutdown")
  RedisClient redisClient(ClientResources resources, RedisProperties properties) {
    RedisClient client = RedisClient.create(resources, properties.uri());
    client.setOptions(
        ClientOptions.builder()
            .autoReconnect(false)
            .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .maintNotificationsConfig(MaintNotificationsConfig.disabled())
            .socketOptions(SocketOptions.builder().connectTimeout(properties.timeout()).build())
            .timeoutOptions(TimeoutOptions.enabled(properties.timeout()))
            .build());
    return client;
  }

  @Bean
  RedisConnection redisConnection(
      RedisClient client,
      RedisProperties properties,
      Ticker ticker,
      ScheduledExecutorService scheduler,
      MeterRegistry meters) {
    RedisConnection redis = new RedisConnection(client, properties, ticker, scheduler);
    Metric.REDIS_UP.gauge(meters, () -> redis.isConnected() ? 1 : 0);
    return redis;
  }

  @Bean
  RedisTime redisTime(RedisConnection redis, Ticker ticker, MeterRegistry meters) {
    RedisTime time = new RedisTime(redis, ticker);
    Metric.CLOCK_SKEW.gauge(meters, () -> time.secondsBehind(Instant.now()));
    return time;
  }
}
