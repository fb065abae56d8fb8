package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One run at a time, and no request is lost. */
class RequestedTaskTest {
  private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
  private final AtomicInteger begun = new AtomicInteger();
  private final AtomicInteger atOnce = new AtomicInteger();
  private final AtomicInteger mostAtOnce = new AtomicInteger();

  /** A run ends when it gets a permit. */
  private final Semaphore permits = new Semaphore(0);

  private final RequestedTask task = task(0);
  private volatile Thread last = Thread.currentThread();

  private RequestedTask task(long pauseMillis) {
    return new RequestedTask(
        "work",
        0,
        () -> {
          last = Thread.currentThread();
          begun.incrementAndGet();
          mostAtOnce.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
          permits.acquireUninterruptibly();
          atOnce.decrementAndGet();
          return pauseMillis;
        },
        scheduler);
  }

  @AfterEach
  void stop() {
    permits.release(1_000);
    scheduler.shutdownNow();
  }

  private void awaitRuns(int runs) {
    await().untilAsserted(() -> assertThat(begun).hasValue(runs));
  }

  /** Lets the run end, and waits until it has. */
  private void endRun() throws InterruptedException {
    // Read before the permit: with it the run may end at once, and the next one begin.
    Thread run = last;
    permits.release();
    run.join();
  }

  @Test
  void requestsDuringARunLeadToOneMoreRun() throws InterruptedException {
    task.request();
    awaitRuns(1);
    task.request();
    task.request();
    assertThat(task.isRequested()).isTrue();
    endRun();
    awaitRuns(2);
    assertThat(task.isRequested()).isFalse();
    endRun();
    assertThat(begun).hasValue(2);
    assertThat(mostAtOnce).hasValue(1);
  }

  @Test
  void aRequestWithoutARunIsServedAtOnce_alsoAfterALongPause() throws InterruptedException {
    RequestedTask slow = task(600_000);
    slow.request();
    awaitRuns(1);
    endRun();
    slow.request();
    awaitRuns(2);
  }

  @Test
  void aRequestDuringARunWaitsForThePauseThatTheRunReturned() throws InterruptedException {
    RequestedTask slow = task(600_000);
    slow.request();
    awaitRuns(1);
    slow.request();
    endRun();
    slow.request();
    assertThat(slow.isRequested()).isTrue();
    assertThat(begun).hasValue(1);
  }

  @Test
  void workThatThrowsIsRunAgain() {
    AtomicInteger runs = new AtomicInteger();
    RequestedTask failing =
        new RequestedTask(
            "work",
            0,
            () -> {
              if (runs.incrementAndGet() == 1) {
                throw new IllegalStateException("the first run fails, on purpose");
              }
              return 0;
            },
            scheduler);
    failing.request();
    await().untilAsserted(() -> assertThat(runs).hasValue(2));
  }

  @Test
  void noRunFollows_afterItIsClosed() throws InterruptedException {
    task.request();
    awaitRuns(1);
    task.request();
    task.close();
    endRun();
    task.request();
    assertThat(begun).hasValue(1);
  }
}
