package dev.lastmile.demo;

import dev.lastmile.coordination.RedisAwayException;
import dev.lastmile.telemetry.Replica;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Looks again and again, on a thread of its own, which faults this replica is to have, and tells
 * the others what it has counted. While Redis is away the faults stay as they are.
 */
final class DemoPulse implements SmartLifecycle {
  private static final Logger LOG = LoggerFactory.getLogger(DemoPulse.class);

  private final ReplicaFaults faults;
  private final Summaries summaries;
  private final OwnFaults own;
  private final Replica replica;
  private final Duration interval;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("demo").daemon().factory());
  private volatile boolean running;

  DemoPulse(
      ReplicaFaults faults,
      Summaries summaries,
      OwnFaults own,
      Replica replica,
      Duration interval) {
    this.faults = faults;
    this.summaries = summaries;
    this.own = own;
    this.replica = replica;
    this.interval = interval;
  }

  @Override
  public void start() {
    running = true;
    long millis = interval.toMillis();
    var _ = thread.scheduleWithFixedDelay(this::beat, millis, millis, TimeUnit.MILLISECONDS);
  }

  private void beat() {
    try {
      own.take(faults.ofReplica(replica.name()));
      summaries.tell();
    } catch (RedisAwayException e) {
      LOG.atDebug().setCause(e).log("demo_pulse_postponed");
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).log("demo_pulse_failed");
    }
  }

  @Override
  public void stop() {
    running = false;
    thread.shutdownNow();
  }

  @Override
  public boolean isRunning() {
    return running;
  }
}
