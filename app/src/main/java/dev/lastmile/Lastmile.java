package dev.lastmile;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.startup.StartupChecks;
import dev.lastmile.streams.Drain;
import java.security.Security;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.modulith.Modulithic;

/**
 * The application's main class: a replica of the service.
 *
 * <p>Other applications of this build that contain a replica start it with {@link #application} and
 * {@link #run}.
 */
@Modulithic
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
@ComponentScan(
    basePackages = {
      "dev.lastmile.telemetry",
      "dev.lastmile.streams",
      "dev.lastmile.redis",
      "dev.lastmile.store",
      "dev.lastmile.ledger",
      "dev.lastmile.pubsub",
      "dev.lastmile.operations",
      "dev.lastmile.callbacks",
      "dev.lastmile.jobs",
      "dev.lastmile.identity",
      "dev.lastmile.http"
    },
    // They configure the management port; here they would delay the shutdown of the public one.
    excludeFilters = @ComponentScan.Filter(ManagementContextConfiguration.class))
public class Lastmile {
  private static final int SCHEDULER_THREADS = 24;

  /** Starts the process; all settings come from properties and the environment. */
  public static void main(String[] args) {
    run(application(Lastmile.class), args);
  }

  /**
   * A replica that is not started yet, with the checks of its settings.
   *
   * @param configuration the class to start from; it imports this one
   */
  public static SpringApplication application(Class<?> configuration) {
    // After a failover the name of the primary leads to another address. The default is 30 s.
    Security.setProperty("networkaddress.cache.ttl", "2");
    Security.setProperty("networkaddress.cache.negative.ttl", "1");
    SpringApplication application = new SpringApplication(configuration);
    StartupChecks.addTo(application);
    application.setRegisterShutdownHook(false);
    return application;
  }

  /** Starts a replica. When the process ends, the replica drains first. */
  public static void run(SpringApplication application, String[] args) {
    ConfigurableApplicationContext context = application.run(args);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(context), "shutdown"));
  }

  /**
   * Drains, then closes the context. Spring's own shutdown hook would close the ports before the
   * drain.
   */
  private static void stop(ConfigurableApplicationContext context) {
    if (context.isActive()) {
      try {
        context.getBeanProvider(Drain.class).ifAvailable(Drain::run);
      } finally {
        context.close();
      }
    }
  }

  /**
   * Runs the timed tasks of this process, except those of Jetty and of Redis's event loop. A task
   * may wait for Redis and must not delay another: there are more threads than tasks that wait.
   * They are platform threads, so that requests, which are on virtual ones, do not delay heartbeats
   * and leases, and a thread dump shows them. Spring creates no task executor of its own beside
   * this bean; nothing here uses one.
   */
  @Bean(destroyMethod = "shutdownNow")
  ScheduledExecutorService scheduler() {
    return Executors.newScheduledThreadPool(
        SCHEDULER_THREADS, Thread.ofPlatform().name("scheduler-", 0).daemon().factory());
  }

  /** The monotonic clock of this process; tests use a clock that they control. */
  @Bean
  Ticker ticker() {
    return Ticker.systemTicker();
  }
}
