package dev.lastmile.testkit.externalsystem;

import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Runs jobs in simulated time and reports each step. It simulates the faults that are switched on.
 * Any thread may call it; one timer thread runs the steps.
 */
final class Simulation implements AutoCloseable {
  /** The result of submitting a job. */
  enum Acceptance {
    ACCEPTED,
    KNOWN,
    FULL
  }

  /**
   * Parameters of one job, for tests and demonstrations. Null means the configured value.
   *
   * @param steps number of reports, including the final one
   * @param durationMillis time until the final report
   * @param fail whether the job fails
   * @param resultBytes number of bytes that are added to the result
   */
  record Wishes(
      @Nullable Integer steps,
      @Nullable Long durationMillis,
      @Nullable Boolean fail,
      @Nullable Integer resultBytes) {
    static final Wishes NONE = new Wishes(null, null, null, null);
  }

  private static final long REORDER_MILLIS = 2_000;

  private final ExternalSystemProperties properties;
  private final WebhookSender sender;
  private final Map<String, Job> jobs = new LinkedHashMap<>();
  private final Ticker ticker;

  /** The end of each fault that is on, in ticker nanoseconds; 0 if it has no end. */
  private final Map<ExternalFault, Long> faults = new ConcurrentHashMap<>();

  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("simulation").daemon().factory());

  /**
   * @param ticker monotonic clock, nanoseconds
   */
  Simulation(ExternalSystemProperties properties, WebhookSender sender, Ticker ticker) {
    this.properties = properties;
    this.sender = sender;
    this.ticker = ticker;
  }

  /** Accepts a job. A second job of the same id changes nothing. */
  Acceptance accept(String id, List<String> callbackUrls, Wishes wishes) {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    int steps = wishes.steps() == null ? properties.steps() : wishes.steps();
    boolean fails =
        wishes.fail() == null ? random.nextDouble() < properties.failureRate() : wishes.fail();
    long millis =
        wishes.durationMillis() == null
            ? random.nextLong(
                properties.minDuration().toMillis(), properties.maxDuration().toMillis() + 1)
            : wishes.durationMillis();
    int filler = wishes.resultBytes() == null ? 0 : wishes.resultBytes();
    Job job = new Job(id, callbackUrls, steps, fails, filler);
    synchronized (jobs) {
      if (jobs.containsKey(id)) {
        return Acceptance.KNOWN;
      }
      if (jobs.size() >= properties.maxJobs() && !forgetOne()) {
        return Acceptance.FULL;
      }
      jobs.put(id, job);
    }
    schedule(job, millis / steps);
    return Acceptance.ACCEPTED;
  }

  private boolean forgetOne() {
    for (Iterator<Job> i = jobs.values().iterator(); i.hasNext(); ) {
      if (i.next().isFinished()) {
        i.remove();
        return true;
      }
    }
    return false;
  }

  private void schedule(Job job, long stepMillis) {
    long slow = has(ExternalFault.SLOW_EXTERNAL) ? properties.slowdown().toMillis() : 0;
    var _ = timer.schedule(() -> step(job, stepMillis), stepMillis + slow, TimeUnit.MILLISECONDS);
  }

  private void step(Job job, long stepMillis) {
    report(job, job.advance());
    if (!job.isFinished()) {
      schedule(job, stepMillis);
    }
  }

  private void report(Job job, Job.Report report) {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    if (has(ExternalFault.LOSE_CALLBACKS) && random.nextBoolean()) {
      return;
    }
    long delay = has(ExternalFault.REORDER_CALLBACKS) ? random.nextLong(REORDER_MILLIS) : 0;
    sender.send(job, report, Duration.ofMillis(delay));
    if (has(ExternalFault.DUPLICATE_CALLBACKS)) {
      sender.send(job, report, Duration.ofMillis(delay + random.nextLong(200)));
    }
  }

  Optional<Job> find(String id) {
    synchronized (jobs) {
      return Optional.ofNullable(jobs.get(id));
    }
  }

  /** The faults that are on. */
  List<String> faults() {
    return Arrays.stream(ExternalFault.values())
        .filter(this::has)
        .map(ExternalFault::wireName)
        .toList();
  }

  private boolean has(ExternalFault fault) {
    Long end = faults.get(fault);
    return end != null && (end == 0 || ticker.read() - end < 0);
  }

  /**
   * Switches a fault on.
   *
   * @param atMost time after which it ends; null for no end
   */
  void switchOn(ExternalFault fault, @Nullable Duration atMost) {
    faults.put(fault, atMost == null ? 0 : ticker.read() + atMost.toNanos());
  }

  void switchOff(ExternalFault fault) {
    faults.remove(fault);
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
