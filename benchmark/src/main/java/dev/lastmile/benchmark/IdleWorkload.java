package dev.lastmile.benchmark;

import java.time.Duration;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * The memory that an idle stream costs, with its heartbeat: of the processes, and in the JVM's
 * heap.
 *
 * <p>The candidate is fresh, but has served a few streams, so that one-time costs are not charged
 * to the rest. Memory of processes is read without a garbage collection.
 */
final class IdleWorkload implements Workload {
  private static final String GROUP = "idle stream";
  private static final Measure OWN =
      new Measure(GROUP, "memory, a channel each", "KB", NCHAN, "≤ 0.8×, stretch ≤ 0.6×");
  private static final Measure SHARED =
      new Measure(GROUP, "memory, one channel for all", "KB", NCHAN, "≤ 0.8×, stretch ≤ 0.6×");
  private static final Measure HEAP =
      new Measure(GROUP, "live heap, a channel each", "KB", "", "≤ 4, stretch ≤ 2");
  private static final Measure PRESENCE =
      Measure.alone(GROUP, "memory of Redis beside it, a channel each", "KB");
  private static final Measure BASE = Measure.alone(GROUP, "memory without streams", "MB");
  private static final Measure TOTAL =
      new Measure(
          GROUP, "memory with all streams, a channel each, Redis included", "MB", NCHAN, "");

  /** By then each stream has had one. */
  private static final Duration HEARTBEAT = Duration.ofSeconds(12);

  private static final int FIRST_STREAMS = 100;
  private static final Duration NOTICE = Duration.ofSeconds(3);

  @Override
  public List<String> candidates() {
    return List.of(LASTMILE, NCHAN);
  }

  @Override
  public void measure(Bench bench, String candidate) {
    measure(bench, candidate, OWN, IntUnaryOperator.identity());
    measure(bench, candidate, SHARED, _ -> 0);
    if (candidate.equals(LASTMILE)) {
      heap(bench);
    }
  }

  /** In a process of its own, since reading live bytes runs a full collection. */
  private static void heap(Bench bench) {
    int count = bench.options().streams();
    try (LastmileCandidate candidate = LastmileCandidate.alone(bench)) {
      candidate.start();
      try (Streams first = streams(bench, candidate, FIRST_STREAMS, IntUnaryOperator.identity())) {
        first.openAll(bench.patience());
        Ticker.pause(bench.phase());
      }
      Ticker.pause(NOTICE);
      long before = candidate.processes().liveBytes(0);
      try (Streams all = streams(bench, candidate, count, IntUnaryOperator.identity())) {
        all.openAll(bench.patience());
        // Objects of ten thousand connects are released a few seconds later.
        Ticker.pause(bench.phase().multipliedBy(2));
        long grown = candidate.processes().liveBytes(0) - before;
        bench.results().add(HEAP, LASTMILE, grown / 1024.0 / count);
      }
    }
  }

  private static void measure(
      Bench bench, String name, Measure measure, IntUnaryOperator channels) {
    int streams = bench.options().streams();
    try (Candidate candidate =
        name.equals(NCHAN) ? NchanCandidate.alone(bench) : LastmileCandidate.alone(bench)) {
      candidate.start();
      try (Streams first = streams(bench, candidate, FIRST_STREAMS, channels)) {
        first.openAll(bench.patience());
        Ticker.pause(bench.phase());
      }
      Ticker.pause(NOTICE);
      Launched process = candidate.parts().get(ReplicaProcesses.name(0));
      Launched redis = candidate.parts().get(Usage.REDIS);
      long before = process.residentBytes();
      long redisBefore = redis == null ? 0 : redis.residentBytes();
      try (Streams all = streams(bench, candidate, streams, channels)) {
        all.openAll(bench.patience());
        Ticker.pause(HEARTBEAT);
        long grown = process.residentBytes() - before;
        bench.results().add(measure, name, grown / 1024.0 / streams);
        if (measure == OWN) {
          long inAll = process.residentBytes();
          if (redis != null) {
            long presence = redis.residentBytes() - redisBefore;
            bench.results().add(PRESENCE, name, presence / 1024.0 / streams);
            inAll += redis.residentBytes();
          }
          bench.results().add(TOTAL, name, inAll / 1024.0 / 1024);
        }
      }
      if (measure == OWN) {
        bench.results().add(BASE, name, before / 1024.0 / 1024);
      }
    }
  }

  private static Streams streams(
      Bench bench, Candidate candidate, int count, IntUnaryOperator channels) {
    return new Streams(
        count,
        i -> candidate.stream(channels.applyAsInt(i), i),
        new DeliveryRecorder(),
        bench.options().readers());
  }
}
