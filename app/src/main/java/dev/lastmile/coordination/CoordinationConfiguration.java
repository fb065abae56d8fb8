package dev.lastmile.coordination;

import dev.lastmile.connections.DeltaReads;
import dev.lastmile.connections.Dispatcher;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.Replica;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Builds what talks to Redis. Nothing here waits for Redis: a replica starts without it. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({
  CoordinationProperties.class,
  RedisProperties.class,
  RetentionProperties.class
})
class CoordinationConfiguration {
  /**
   * Commands that may be under way; more fail at once. A second's worth at the highest rate seen.
   */
  private static final int REQUEST_QUEUE = 65_536;

  @Bean(destroyMethod = "shutdown")
  RedisClient redisClient(RedisProperties properties) {
    RedisURI uri = RedisURI.create(properties.url());
    uri.setTimeout(properties.timeout());
    RedisClient client = RedisClient.create(uri);
    client.setOptions(
        ClientOptions.builder()
            .autoReconnect(false)
            .requestQueueSize(REQUEST_QUEUE)
            .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .maintNotificationsConfig(MaintNotificationsConfig.disabled())
            .socketOptions(SocketOptions.builder().connectTimeout(properties.timeout()).build())
            .timeoutOptions(TimeoutOptions.enabled(properties.timeout()))
            .build());
    return client;
  }

  @Bean
  RedisLink redisLink(RedisClient client, RedisProperties properties, MeterRegistry meters) {
    RedisLink link = new RedisLink(client, properties);
    Gauge.builder("coordination.redis.up", () -> link.isUp() ? 1 : 0)
        .description("Whether this replica reaches Redis")
        .strongReference(true)
        .register(meters);
    return link;
  }

  @Bean
  RedisTime redisTime(RedisLink link) {
    return new RedisTime(link, System::nanoTime);
  }

  @Bean
  OperationStore operationStore(
      RedisLink link,
      RedisProperties redis,
      RetentionProperties retention,
      Replica replica,
      CoordinationProperties properties,
      ObjectProvider<Dispatcher> dispatcher) {
    return new OperationStore(
        link,
        redis,
        retention,
        replica,
        properties.broadcasts(),
        envelope -> dispatcher.getObject().receive(envelope));
  }

  @Bean
  DeltaReads deltaReads(OperationStore store) {
    return store::read;
  }

  @Bean
  DeliveryLog deliveries(
      RedisLink link,
      RedisTime time,
      Replica replica,
      HopRecorder hops,
      RedisProperties properties,
      MeterRegistry meters) {
    return new DeliveryLog(link, time, replica, hops, properties.deliveryQueue(), meters);
  }

  @Bean
  Acks acks(RedisLink link, Replica replica) {
    return new Acks(link, replica);
  }

  @Bean
  Timelines timelines(RedisLink link) {
    return new Timelines(link);
  }

  @Bean
  Submissions submissions(RedisLink link) {
    return new Submissions(link);
  }

  @Bean
  Subscriber subscriber(
      RedisClient client, RedisProperties properties, Dispatcher dispatcher, MeterRegistry meters) {
    return new Subscriber(
        client,
        properties,
        dispatcher::receive,
        dispatcher::reconcileAll,
        System::nanoTime,
        meters);
  }

  @Bean
  CoordinationHealth coordinationHealthIndicator(
      RedisLink link, Subscriber subscriber, CoordinationProperties properties) {
    return new CoordinationHealth(link, subscriber, properties.broadcasts());
  }

  @Bean
  CoordinationLifecycle coordinationLifecycle(
      RedisLink link,
      RedisTime time,
      RedisProperties redis,
      RetentionProperties retention,
      Subscriber subscriber,
      DeliveryLog deliveries,
      Dispatcher dispatcher,
      CoordinationProperties properties) {
    return new CoordinationLifecycle(
        link, time, redis, retention, subscriber, deliveries, dispatcher, properties);
  }
}
