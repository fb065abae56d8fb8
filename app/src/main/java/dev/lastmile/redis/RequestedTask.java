package dev.lastmile.redis;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Work that runs when it is requested: one run at a time, on a virtual thread, so that a run that
 * blocks takes no thread of the scheduler. A request during a run leads to one more run. Requests
 * before a run begins are one request. Any thread.
 */
final class RequestedTask {
  /** One run of the work. */
  interface Work {
    /**
     * Runs; may block. After an exception the work is requested again.
     *
     * @return the pause before the next run, if one is requested by now, in milliseconds
     */
    long run();
  }

  private final String thread;
  private final long failurePauseMillis;
  private final Work work;
  private final ScheduledExecutorService scheduler;

  @GuardedBy("this")
  private boolean requested;

  @GuardedBy("this")
  private boolean running;

  private volatile boolean closed;

  /**
   * @param thread the name of the threads
   * @param failurePauseMillis the pause after an exception
   */
  RequestedTask(
      String thread, long failurePauseMillis, Work work, ScheduledExecutorService scheduler) {
    this.thread = thread;
    this.failurePauseMillis = failurePauseMillis;
    this.work = work;
    this.scheduler = scheduler;
  }

  /** Requests a run. Returns at once. */
  synchronized void request() {
    if (!requested && !closed) {
      requested = true;
      if (!running) {
        schedule(0);
      }
    }
  }

  /** Whether a run is requested that has not begun. */
  synchronized boolean isRequested() {
    return requested;
  }

  boolean isClosed() {
    return closed;
  }

  /** From now on no run is requested. One that is requested already may still begin. */
  void close() {
    closed = true;
  }

  private void schedule(long delayMillis) {
    try {
      var _ =
          scheduler.schedule(
              () -> Thread.ofVirtual().name(thread).start(this::run),
              delayMillis,
              TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The application has ended.
    }
  }

  private void run() {
    synchronized (this) {
      // Before the run: what happens during it must be able to request the next one.
      requested = false;
      running = true;
    }
    boolean failed = true;
    long pauseMillis = failurePauseMillis;
    try {
      pauseMillis = work.run();
      failed = false;
    } finally {
      // Also after an error: otherwise no run would follow any more.
      ended(failed, pauseMillis);
    }
  }

  private synchronized void ended(boolean failed, long pauseMillis) {
    running = false;
    if ((requested || failed) && !closed) {
      requested = true;
      schedule(pauseMillis);
    }
  }
}
