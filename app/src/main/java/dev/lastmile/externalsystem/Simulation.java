package dev.lastmile.externalsystem;

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
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Works on jobs in simulated time, reports each step, and misbehaves where it was told to. */
final class Simulation implements AutoCloseable {
  /** What became of a job that was handed over. */
  enum Acceptance {
    ACCEPTED,
    KNOWN,
    FULL
  }

  /**
   * Wishes of whoever hands a job over, for tests and demonstrations; null means: as configured.
   *
   * @param steps reports, the final one included
   * @param durationMillis time until the final report
   * @param fail whether the job fails
   * @param resultBytes how much larger the result is made
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
  private final LongSupplier nanos;

  /** When each fault that was switched on ends; 0 if it stays. */
  private final Map<Fault, Long> faults = new ConcurrentHashMap<>();

  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("simulation").daemon().factory());

  /**
   * @param nanos a monotonic clock in nanoseconds
   */
  Simulation(ExternalSystemProperties properties, WebhookSender sender, LongSupplier nanos) {
    this.properties = properties;
    this.sender = sender;
    this.nanos = nanos;
  }

  /** Takes a job; the same id again changes nothing. */
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
    long slow = has(Fault.SLOW_EXTERNAL) ? properties.slowdown().toMillis() : 0;
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
    if (has(Fault.LOSE_CALLBACKS) && random.nextBoolean()) {
      return;
    }
    long delay = has(Fault.REORDER_CALLBACKS) ? random.nextLong(REORDER_MILLIS) : 0;
    sender.send(job, report, Duration.ofMillis(delay));
    if (has(Fault.DUPLICATE_CALLBACKS)) {
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
    return Arrays.stream(Fault.values()).filter(this::has).map(Fault::wireName).toList();
  }

  private boolean has(Fault fault) {
    Long end = faults.get(fault);
    return end != null && (end == 0 || nanos.getAsLong() - end < 0);
  }

  /**
   * Switches a fault on.
   *
   * @param atMost when it ends by itself; null if it does not
   */
  void switchOn(Fault fault, @Nullable Duration atMost) {
    faults.put(fault, atMost == null ? 0 : nanos.getAsLong() + atMost.toNanos());
  }

  void switchOff(Fault fault) {
    faults.remove(fault);
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
