package dev.lastmile.externalsystem;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
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
   */
  record Wishes(@Nullable Integer steps, @Nullable Long durationMillis, @Nullable Boolean fail) {}

  private static final long REORDER_MILLIS = 2_000;

  private final ExternalSystemProperties properties;
  private final WebhookSender sender;
  private final Map<String, Job> jobs = new LinkedHashMap<>();
  private final Set<Fault> faults = Collections.synchronizedSet(EnumSet.noneOf(Fault.class));
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("simulation").daemon().factory());

  Simulation(ExternalSystemProperties properties, WebhookSender sender) {
    this.properties = properties;
    this.sender = sender;
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
    Job job = new Job(id, callbackUrls, steps, fails);
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
    long slow = faults.contains(Fault.SLOW_EXTERNAL) ? properties.slowdown().toMillis() : 0;
    var _ = timer.schedule(() -> step(job, stepMillis), stepMillis + slow, TimeUnit.MILLISECONDS);
  }

  private void step(Job job, long stepMillis) {
    Job.Report report =
        job.advance(Map.of("jobId", job.id(), "rows", job.id().hashCode() & 0xffff));
    report(job, report);
    if (!job.isFinished()) {
      schedule(job, stepMillis);
    }
  }

  private void report(Job job, Job.Report report) {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    if (faults.contains(Fault.LOSE_CALLBACKS) && random.nextBoolean()) {
      return;
    }
    long delay = faults.contains(Fault.REORDER_CALLBACKS) ? random.nextLong(REORDER_MILLIS) : 0;
    sender.send(job, report, Duration.ofMillis(delay));
    if (faults.contains(Fault.DUPLICATE_CALLBACKS)) {
      sender.send(job, report, Duration.ofMillis(delay + random.nextLong(200)));
    }
  }

  Optional<Job> find(String id) {
    synchronized (jobs) {
      return Optional.ofNullable(jobs.get(id));
    }
  }

  List<String> faults() {
    synchronized (faults) {
      return faults.stream().map(Fault::wireName).toList();
    }
  }

  void set(Fault fault, boolean on) {
    if (on) {
      faults.add(fault);
    } else {
      faults.remove(fault);
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
