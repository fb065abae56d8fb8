package dev.lastmile.coordination;

import dev.lastmile.connections.DeltaReads;
import dev.lastmile.connections.Dispatcher;
import dev.lastmile.connections.Doors;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.telemetry.Replica;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultEventLoopGroupProvider;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Instant;
import java.util.Properties;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Builds what talks to Redis. Nothing here waits for Redis: a replica starts without it. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({
  CanaryProperties.class,
  CoordinationProperties.class,
  LedgerProperties.class,
  OverdueProperties.class,
  RedisProperties.class,
  RetentionProperties.class
})
class CoordinationConfiguration {
  /**
   * One event loop for both connections: the answer to a change and its publication arrive
   * together, so they wake one thread, once. Nothing on it ever waits.
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
  RedisLink redisLink(RedisClient client, RedisProperties properties, MeterRegistry meters) {
    RedisLink link = new RedisLink(client, properties, System::nanoTime);
    Metric.REDIS_UP.gauge(meters, () -> link.isUp() ? 1 : 0);
    return link;
  }

  @Bean
  RedisTime redisTime(RedisLink link, MeterRegistry meters) {
    RedisTime time = new RedisTime(link, System::nanoTime);
    Metric.CLOCK_SKEW.gauge(meters, () -> time.secondsBehind(Instant.now()));
    return time;
  }

  @Bean
  CoordinationSwitch coordinationSwitch(CoordinationProperties properties) {
    return new CoordinationSwitch(properties.broadcasts());
  }

  @Bean
  NoticeBoard noticeBoard(RedisLink link) {
    return new NoticeBoard(link);
  }

  @Bean
  OperationStore operationStore(
      RedisLink link,
      RedisProperties redis,
      RetentionProperties retention,
      OverdueProperties overdue,
      Replica replica,
      HopRecorder hops,
      CoordinationSwitch coordination,
      ObjectProvider<Dispatcher> dispatcher) {
    return new OperationStore(
        link,
        redis,
        retention,
        overdue.after(),
        replica,
        hops,
        coordination,
        envelope -> dispatcher.getObject().receive(envelope));
  }

  @Bean
  DeltaReads deltaReads(OperationStore store) {
    return store::read;
  }

  @Bean
  Leases leases(RedisLink link, Replica replica, LedgerProperties properties) {
    return new Leases(link, replica, properties, System::nanoTime);
  }

  @Bean
  Announcements presence(RedisLink link, Leases leases) {
    return new Announcements(link, leases);
  }

  @Bean
  Account account(RedisLink link, Replica replica, MeterRegistry meters) {
    return new Account(link, replica, System::nanoTime, meters);
  }

  @Bean
  ScrapeEndpoint prometheusEndpoint(
      PrometheusRegistry registry, PrometheusConfig config, Account account) {
    Properties properties = config.prometheusProperties();
    return new ScrapeEndpoint(
        registry, properties == null ? new Properties() : properties, account);
  }

  @Bean
  Settles deliveries(
      RedisLink link,
      RedisTime time,
      Leases leases,
      Account account,
      Replica replica,
      HopRecorder hops,
      LedgerProperties properties,
      MeterRegistry meters) {
    return new Settles(link, time, leases, account, replica, hops, properties, meters);
  }

  @Bean
  Sweeper sweeper(
      RedisLink link,
      LedgerProperties properties,
      RedisProperties redis,
      CoordinationSwitch coordination,
      HopRecorder hops,
      MeterRegistry meters) {
    return new Sweeper(link, properties, redis.topic(), coordination, hops, meters);
  }

  @Bean
  Hearing hearing(
      RedisLink link,
      Leases leases,
      Doors doors,
      CoordinationSwitch coordination,
      CanaryProperties properties,
      RedisProperties redis,
      MeterRegistry meters) {
    return new Hearing(
        link, leases, doors, coordination, properties, redis.topic(), System::nanoTime, meters);
  }

  @Bean
  DeliveriesEndpoint deliveriesEndpoint(
      RedisLink link, Account account, Leases leases, LedgerProperties properties) {
    return new DeliveriesEndpoint(link, account, leases, properties.examples());
  }

  @Bean
  Overdue overdue(RedisLink link, OverdueProperties properties) {
    return new Overdue(link, properties);
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
      RedisClient client,
      RedisProperties properties,
      Hearing hearing,
      Dispatcher dispatcher,
      CoordinationSwitch coordination,
      MeterRegistry meters) {
    return new Subscriber(
        client,
        properties,
        message -> {
          if (!hearing.isCanary(message)) {
            dispatcher.receive(message);
          }
        },
        coordination::isDeafened,
        dispatcher::reconcileAll,
        System::nanoTime,
        meters);
  }

  @Bean
  CoordinationHealth coordinationHealthIndicator(
      RedisLink link, Subscriber subscriber, Doors doors, CoordinationSwitch coordination) {
    return new CoordinationHealth(link, subscriber, doors, coordination);
  }

  @Bean
  CoordinationTasks coordinationTasks(
      RedisTime time,
      Subscriber subscriber,
      Hearing hearing,
      Leases leases,
      Announcements announcements,
      Sweeper sweeper,
      Account account,
      Retention retention,
      RedisProperties redis,
      CanaryProperties canary,
      LedgerProperties ledger,
      RetentionProperties kept) {
    return new CoordinationTasks()
        .every(redis.clockInterval(), time::measure)
        .every(ledger.renewInterval(), leases::renewIfUp)
        .every(ledger.renewInterval(), announcements::withdrawPending)
        .every(ledger.sweepInterval(), sweeper::sweep)
        .every(ledger.accountInterval(), account::refresh)
        .every(canary.interval(), hearing::send)
        .every(canary.interval().dividedBy(4), () -> hearing.judge(subscriber))
        .every(kept.sweepInterval(), retention::sweep);
  }

  @Bean
  Retention retention(RedisLink link, RetentionProperties properties, RedisTime time) {
    return new Retention(link, properties, () -> time.micros() / 1_000);
  }

  @Bean
  CoordinationLifecycle coordinationLifecycle(
      RedisLink link,
      Subscriber subscriber,
      Leases leases,
      Settles settles,
      CoordinationTasks tasks,
      Dispatcher dispatcher,
      CoordinationSwitch coordination) {
    return new CoordinationLifecycle(
        link, subscriber, leases, settles, tasks, dispatcher, coordination);
  }
}
