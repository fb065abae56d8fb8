package dev.lastmile.pubsub;

import dev.lastmile.ledger.Leases;
import dev.lastmile.ledger.LedgerProperties;
import dev.lastmile.ledger.LedgerTotals;
import dev.lastmile.ledger.RedisPresence;
import dev.lastmile.ledger.Sweeper;
import dev.lastmile.redis.PeriodicTasks;
import dev.lastmile.redis.RedisProperties;
import dev.lastmile.redis.RedisTime;
import dev.lastmile.store.OperationStore;
import dev.lastmile.store.Retention;
import dev.lastmile.store.RetentionProperties;
import dev.lastmile.streams.Dispatcher;
import java.util.concurrent.ScheduledExecutorService;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Builds the subscription, its monitor and the periodic tasks. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({CanaryProperties.class, FanOutProperties.class})
class PubsubConfiguration {
  @Bean
  Dispatcher.StateReader stateReader(OperationStore store) {
    return store::read;
  }

  @Bean
  PeriodicTasks periodicTasks(
      ScheduledExecutorService scheduler,
      RedisTime time,
      Subscriber subscriber,
      SubscriptionMonitor monitor,
      Leases leases,
      RedisPresence presence,
      Dispatcher dispatcher,
      Sweeper sweeper,
      LedgerTotals totals,
      Retention retention,
      RedisProperties redisProperties,
      CanaryProperties canary,
      LedgerProperties ledger,
      RetentionProperties retentionProperties) {
    return new PeriodicTasks(scheduler)
        .every("clock", redisProperties.clockInterval(), time::measure)
        .every("lease", ledger.renewInterval(), leases::renewAll)
        .every("withdrawals", ledger.renewInterval(), presence::withdrawPending)
        .every("presence_check", dispatcher.presenceCheckInterval(), dispatcher.presenceCheck())
        .every("sweep", ledger.sweepInterval(), sweeper::sweep)
        .every("totals", ledger.accountInterval(), totals::refresh)
        .every("canary", canary.interval(), monitor::send)
        .every("canary_check", canary.interval().dividedBy(4), () -> monitor.check(subscriber))
        .every("retention", retentionProperties.sweepInterval(), retention::sweep)
        .every("replica_totals", retentionProperties.sweepInterval(), sweeper::sweepTotals);
  }
}
