package dev.lastmile.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tasks that run periodically, each with its own pause, and may wait for Redis. A failure is logged
 * and does not end the task.
 */
public final class PeriodicTasks {
  private static final Logger LOG = LoggerFactory.getLogger(PeriodicTasks.class);

  private record Task(String name, Duration pause, Runnable work) {}

  private final ScheduledExecutorService scheduler;
  private final List<Task> tasks = new ArrayList<>();
  private final List<Future<?>> running = new ArrayList<>();

  public PeriodicTasks(ScheduledExecutorService scheduler) {
    this.scheduler = scheduler;
  }

  /**
   * Adds a task; before {@link #start}.
   *
   * @param name for log events
   */
  public PeriodicTasks every(String name, Duration pause, Runnable work) {
    tasks.add(new Task(name, pause, work));
    return this;
  }

  /** Starts all tasks, each after its first pause. Not concurrently with {@link #stop}. */
  public void start() {
    for (Task task : tasks) {
      long millis = task.pause().toMillis();
      running.add(
          scheduler.scheduleWithFixedDelay(() -> run(task), millis, millis, TimeUnit.MILLISECONDS));
    }
  }

  private static void run(Task task) {
    try {
      task.work().run();
    } catch (RedisUnavailableException e) {
      LOG.atDebug().setCause(e).addKeyValue("task", task.name()).log("periodic_task_postponed");
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).addKeyValue("task", task.name()).log("periodic_task_failed");
    }
  }

  /** Stops all tasks; one that runs is interrupted. */
  public void stop() {
    running.forEach(task -> task.cancel(true));
    running.clear();
  }
}
