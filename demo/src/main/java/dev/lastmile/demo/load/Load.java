package dev.lastmile.demo.load;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.testkit.browser.BrowserPace;
import dev.lastmile.testkit.browser.SimulatedBrowsers;
import dev.lastmile.testkit.browser.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All browsers, and the steady rate at which operations are created for them. */
final class Load implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Load.class);

  private final LoadProperties properties;
  private final SimulatedBrowsers browsers;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("load").daemon().factory());
  private final Semaphore creating;
  private final AtomicLong created = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();
  private final AtomicLong skipped = new AtomicLong();

  @GuardedBy("this")
  private final List<Future<?>> slowReaders = new ArrayList<>();

  /** Starts at once; the service need not be there yet. */
  Load(LoadProperties properties) {
    this.properties = properties;
    this.creating = new Semaphore(properties.concurrency());
    BrowserPace pace =
        BrowserPace.USUAL
            .withWatchdog(properties.silence())
            .withReconcile(properties.reconcile())
            .withAcks(properties.acks())
            .withRequestTimeout(properties.timeout());
    this.browsers =
        SimulatedBrowsers.start(
            List.of(new Target("service", properties.url())), properties.browsers(), pace);
    double perSecond = (double) properties.updatesPerSecond() / (properties.steps() + 1);
    var _ =
        clock.scheduleAtFixedRate(
            this::createOne, 1_000_000, Math.round(1e6 / perSecond), TimeUnit.MICROSECONDS);
  }

  SimulatedBrowsers browsers() {
    return browsers;
  }

  long created() {
    return created.get();
  }

  /** Creations that failed. */
  long refused() {
    return refused.get();
  }

  /** Creations that were due while too many were in progress. */
  long skipped() {
    return skipped.get();
  }

  synchronized int slowReaders() {
    return slowReaders.size();
  }

  /** Sets the number of clients that read slowly; 0 for none. */
  synchronized void slowReaders(int count) {
    while (slowReaders.size() > count) {
      slowReaders.removeLast().cancel(true);
    }
    while (slowReaders.size() < count) {
      slowReaders.add(threads.submit(new SlowLoadReader(properties)));
    }
  }

  private void createOne() {
    if (!creating.tryAcquire()) {
      skipped.incrementAndGet();
      return;
    }
    threads.execute(() -> {
      try {
        browsers.create(
            ThreadLocalRandom.current().nextInt(browsers.size()),
            Map.of(
                "steps", properties.steps(),
                "durationMillis", properties.duration().toMillis(),
                "fail", false));
        created.incrementAndGet();
      } catch (IllegalStateException e) {
        refused.incrementAndGet();
        LOG.atDebug().setCause(e).log("load_failed");
      } finally {
        creating.release();
      }
    });
  }

  @Override
  public void close() {
    clock.shutdownNow();
    threads.shutdownNow();
    browsers.close();
  }
}
