package dev.lastmile.coordination;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What has to be done again and again, each at its own pause, on threads that all share.
 *
 * <p>A task that waits for Redis must not hold up another one, so there are as many threads as
 * tasks; each is asleep nearly always.
 */
final class CoordinationTasks implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CoordinationTasks.class);

  private record Task(Duration pause, Runnable work) {}

  private final List<Task> tasks = new ArrayList<>();
  private ScheduledExecutorService threads = Executors.newSingleThreadScheduledExecutor();

  /** Adds a task; before {@link #start}. */
  CoordinationTasks every(Duration pause, Runnable work) {
    tasks.add(new Task(pause, work));
    return this;
  }

  void start() {
    threads.shutdownNow();
    threads =
        Executors.newScheduledThreadPool(
            tasks.size(), Thread.ofPlatform().name("coordination-", 0).daemon().factory());
    for (Task task : tasks) {
      long millis = task.pause().toMillis();
      var _ =
          threads.scheduleWithFixedDelay(
              () -> run(task.work()), millis, millis, TimeUnit.MILLISECONDS);
    }
  }

  private static void run(Runnable work) {
    try {
      work.run();
    } catch (RedisAwayException e) {
      LOG.atDebug().setCause(e).log("coordination_task_postponed");
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).log("coordination_task_failed");
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
