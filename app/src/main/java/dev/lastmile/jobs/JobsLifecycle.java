package dev.lastmile.jobs;

import dev.lastmile.redis.PeriodicTasks;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/** Starts submitting and polling after the connections to Redis, and stops before them. */
@Component
final class JobsLifecycle implements SmartLifecycle {
  private final JobSubmitter submitter;
  private final PeriodicTasks claims;
  private volatile boolean running;

  JobsLifecycle(
      JobSubmitter submitter,
      JobPoller poller,
      JobsProperties properties,
      ScheduledExecutorService scheduler) {
    this.submitter = submitter;
    long retryMillis = Math.clamp(properties.retry().toMillis() / 4, 50, 1_000);
    this.claims =
        new PeriodicTasks(scheduler)
            .every("submission_claims", Duration.ofMillis(retryMillis), submitter::claim)
            .every("overdue_claims", properties.pollInterval(), poller::claim);
  }

  @Override
  public void start() {
    submitter.start();
    claims.start();
    running = true;
  }

  @Override
  public void stop() {
    running = false;
    claims.stop();
    submitter.stop();
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  /** The connections have phase 0. */
  @Override
  public int getPhase() {
    return 1;
  }
}
