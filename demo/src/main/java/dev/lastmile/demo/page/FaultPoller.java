package dev.lastmile.demo.page;

import dev.lastmile.redis.PeriodicTasks;
import dev.lastmile.telemetry.Replica;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import org.springframework.context.SmartLifecycle;

/**
 * Reads periodically which faults this replica has, and publishes its counters. While Redis is
 * unreachable the faults stay as they are.
 */
final class FaultPoller implements SmartLifecycle {
  private final ReplicaFaults faults;
  private final Summaries summaries;
  private final OwnFaults own;
  private final Replica replica;
  private final PeriodicTasks tasks;
  private volatile boolean running;

  FaultPoller(
      ReplicaFaults faults,
      Summaries summaries,
      OwnFaults own,
      Replica replica,
      Duration interval,
      ScheduledExecutorService scheduler) {
    this.faults = faults;
    this.summaries = summaries;
    this.own = own;
    this.replica = replica;
    this.tasks = new PeriodicTasks(scheduler).every("faults", interval, this::poll);
  }

  @Override
  public void start() {
    running = true;
    tasks.start();
  }

  private void poll() {
    own.take(faults.ofReplica(replica.name()));
    summaries.tell();
  }

  @Override
  public void stop() {
    running = false;
    tasks.stop();
  }

  @Override
  public boolean isRunning() {
    return running;
  }
}
