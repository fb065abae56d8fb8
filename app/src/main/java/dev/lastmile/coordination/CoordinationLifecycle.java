package dev.lastmile.coordination;

import dev.lastmile.connections.Dispatcher;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Starts dialling before the web server opens its port, and hangs up after it has closed it.
 *
 * <p>Two threads compare the clocks, check the subscription, and delete what is over its time.
 */
final class CoordinationLifecycle implements SmartLifecycle {
  private static final Logger LOG = LoggerFactory.getLogger(CoordinationLifecycle.class);

  private final RedisLink link;
  private final RedisTime time;
  private final RedisProperties redis;
  private final RetentionProperties retention;
  private final Subscriber subscriber;
  private final DeliveryLog deliveries;
  private final Dispatcher dispatcher;
  private final CoordinationProperties properties;
  private final ScheduledExecutorService threads =
      Executors.newScheduledThreadPool(
          2, Thread.ofPlatform().name("coordination-", 0).daemon().factory());
  private volatile boolean running;

  CoordinationLifecycle(
      RedisLink link,
      RedisTime time,
      RedisProperties redis,
      RetentionProperties retention,
      Subscriber subscriber,
      DeliveryLog deliveries,
      Dispatcher dispatcher,
      CoordinationProperties properties) {
    this.link = link;
    this.time = time;
    this.redis = redis;
    this.retention = retention;
    this.subscriber = subscriber;
    this.deliveries = deliveries;
    this.dispatcher = dispatcher;
    this.properties = properties;
  }

  @Override
  public void start() {
    boolean broadcast = properties.broadcasts();
    dispatcher.repairHoles(broadcast);
    // The process behind Redis may be another one, with other state: every stream is checked.
    link.onUp(dispatcher::reconcileAll);
    deliveries.start();
    link.start();
    if (broadcast) {
      subscriber.start();
    } else {
      LOG.atWarn()
          .log("local_only: updates reach only streams of the replica that got the callback");
    }
    Retention sweeper = new Retention(link, retention, () -> time.micros() / 1_000);
    every(redis.clockInterval().toMillis(), time::measure);
    every(redis.clockInterval().toMillis(), subscriber::check);
    every(retention.sweepInterval().toMillis(), sweeper::sweep);
    running = true;
  }

  private void every(long millis, Runnable task) {
    var _ =
        threads.scheduleWithFixedDelay(
            () -> {
              try {
                task.run();
              } catch (RuntimeException e) {
                LOG.atError().setCause(e).log("coordination_task_failed");
              }
            },
            millis,
            millis,
            TimeUnit.MILLISECONDS);
  }

  @Override
  public void stop() {
    running = false;
    threads.shutdownNow();
    subscriber.close();
    deliveries.close();
    link.close();
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  /** Before the web server (its phases are higher) and therefore stopped after it. */
  @Override
  public int getPhase() {
    return 0;
  }
}
