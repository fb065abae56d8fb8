package dev.lastmile.load;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.net.http.HttpClient;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
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
import org.springframework.context.SmartLifecycle;
import tools.jackson.databind.json.JsonMapper;

/** All browsers, and the steady rate at which operations are created for them. */
final class Load implements SmartLifecycle {
  private static final Logger LOG = LoggerFactory.getLogger(Load.class);

  private final LoadProperties properties;
  private final JsonMapper mapper;
  private final HttpClient http;
  private final List<LoadBrowser> browsers = new ArrayList<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("load").daemon().factory());
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final Semaphore creating;
  private final AtomicLong created = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();
  private final AtomicLong skipped = new AtomicLong();

  @GuardedBy("this")
  private final List<Future<?>> slowReaders = new ArrayList<>();

  private volatile boolean running;

  Load(LoadProperties properties, JsonMapper mapper) {
    this.properties = properties;
    this.mapper = mapper;
    this.creating = new Semaphore(properties.concurrency());
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(properties.timeout())
            .executor(threads)
            .build();
    for (int i = 0; i < properties.browsers(); i++) {
      browsers.add(new LoadBrowser(requests(), mapper, properties, stopped));
    }
  }

  private Requests requests() {
    return new Requests(http, mapper, properties);
  }

  List<LoadBrowser> browsers() {
    return browsers;
  }

  long created() {
    return created.get();
  }

  /** Creations that were not answered with success. */
  long refused() {
    return refused.get();
  }

  /** Creations that came due while too many were under way. */
  long skipped() {
    return skipped.get();
  }

  synchronized int slowReaders() {
    return slowReaders.size();
  }

  /** Lets so many clients read slowly from now on; 0 ends them. */
  synchronized void slowReaders(int count) {
    while (slowReaders.size() > count) {
      slowReaders.removeLast().cancel(true);
    }
    while (slowReaders.size() < count) {
      slowReaders.add(threads.submit(new SlowReader(requests(), properties, stopped)));
    }
  }

  /** Waits for so long, or until all is stopped. */
  void await(long millis) throws InterruptedException {
    var _ = stopped.await(millis, TimeUnit.MILLISECONDS);
  }

  @Override
  public void start() {
    browsers.forEach(browser -> browser.start(threads));
    double perSecond = (double) properties.updatesPerSecond() / (properties.steps() + 1);
    var _ =
        clock.scheduleAtFixedRate(
            this::createOne, 1_000_000, Math.round(1e6 / perSecond), TimeUnit.MICROSECONDS);
    running = true;
  }

  private void createOne() {
    if (!creating.tryAcquire()) {
      skipped.incrementAndGet();
      return;
    }
    LoadBrowser browser = browsers.get(ThreadLocalRandom.current().nextInt(browsers.size()));
    threads.execute(() -> {
      try {
        browser
            .requests()
            .create(
                Map.of(
                    "steps", properties.steps(),
                    "durationMillis", properties.duration().toMillis(),
                    "fail", false));
        created.incrementAndGet();
      } catch (IOException e) {
        refused.incrementAndGet();
        LOG.atDebug().addKeyValue("error", e.toString()).log("load_failed");
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        creating.release();
      }
    });
  }

  @Override
  public void stop() {
    running = false;
    stopped.countDown();
    clock.shutdownNow();
    threads.shutdownNow();
  }

  @Override
  public boolean isRunning() {
    return running;
  }
}
