package dev.lastmile.pubsub;

import dev.lastmile.ledger.Leases;
import dev.lastmile.ledger.SettlementQueue;
import dev.lastmile.redis.PeriodicTasks;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.streams.Dispatcher;
import dev.lastmile.updates.Partition;
import java.util.Collection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/**
 * Starts to connect to Redis before the web server opens its port, and disconnects after it has
 * closed it.
 *
 * <p>After each (re)connection the lease is renewed first, because no channel can be announced
 * without one. Then the new subscription has every stream reconciled, because the Redis process may
 * be another one with other state.
 */
@Component
final class PubsubLifecycle implements SmartLifecycle {
  private static final Logger LOG = LoggerFactory.getLogger(PubsubLifecycle.class);

  private final RedisConnection redis;
  private final Subscriber subscriber;
  private final Leases leases;
  private final SettlementQueue settlements;
  private final PeriodicTasks tasks;
  private final Dispatcher dispatcher;
  private final FanOutSwitch fanOut;
  private volatile boolean running;

  PubsubLifecycle(
      RedisConnection redis,
      Subscriber subscriber,
      Leases leases,
      SettlementQueue settlements,
      PeriodicTasks tasks,
      Dispatcher dispatcher,
      FanOutSwitch fanOut) {
    this.redis = redis;
    this.subscriber = subscriber;
    this.leases = leases;
    this.settlements = settlements;
    this.tasks = tasks;
    this.dispatcher = dispatcher;
    this.fanOut = fanOut;
  }

  @Override
  public void start() {
    leases.onNewIncarnation((partitions, heldUntil) -> {
      subscriber.lossWindow(heldUntil, partitions.size());
      dispatcher.reconcile(partitions);
    });
    leases.onNewTerm(dispatcher::announceAgain);
    redis.onConnected((_, _) -> leases.renewAll());
    redis.onConnected(this::connected);
    redis.onAssigned(subscriber::follow);
    settlements.start();
    redis.start();
    fanOut.onReceivingAgain(() -> subscriber.renew("messages are no longer discarded"));
    fanOut.onPublishing(this::publishing);
    publishing(fanOut.publishes());
    tasks.start();
    running = true;
  }

  /**
   * Starts or stops to receive. At a start, gaps are repaired again before the subscription has
   * every stream reconciled, so that no gap stays unrepaired.
   */
  private void publishing(boolean on) {
    dispatcher.repairGaps(on);
    if (on) {
      subscriber.start();
    } else {
      subscriber.pause();
      LOG.atWarn()
          .addKeyValue(
              "detail", "updates reach only the streams of the replica that processed the callback")
          .log("fan_out_disabled");
    }
  }

  /** Runs after each (re)connection, on a virtual thread. */
  private void connected(Collection<Partition> partitions, boolean again) {
    if (!fanOut.publishes()) {
      dispatcher.reconcile(partitions);
    } else if (again) {
      // The fault that broke this connection has probably broken the subscription too, and a
      // half-open connection is detected late. The new subscription has the streams reconciled.
      subscriber.renew(partitions, "Redis was unreachable");
    }
  }

  @Override
  public void stop() {
    running = false;
    tasks.stop();
    subscriber.close();
    settlements.close();
    redis.close();
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  /** Starts before the web server, whose phases are higher, and therefore stops after it. */
  @Override
  public int getPhase() {
    return 0;
  }
}
