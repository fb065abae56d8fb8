package dev.lastmile.benchmark;

import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * Fills the ledger with one outstanding delivery for each stream of a stopped owner (B), and sends
 * updates from A to streams at C. Measures what publishing and sweeping cost against an empty
 * ledger, and how long settling takes after the owner continues. In a second cluster the owner
 * stays stopped; there it measures what redelivering and expiring cost the others.
 */
final class LedgerWorkload implements Workload {
  private static final String GROUP = "ledger";
  private static final String EMPTY = "nothing outstanding";
  private static final String OWNER = ReplicaProcesses.name(1);
  private static final int BESIDE = 10;
  private static final int SENDERS = 32;
  private static final Duration SETTLING = Duration.ofSeconds(2);
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Measure REST =
      new Measure(GROUP, "CPU of A, C and Redis at rest, sweeps included", "ms per s", EMPTY, "");
  private static final Measure CPU =
      new Measure(GROUP, "CPU of A, C and Redis", "µs per update", EMPTY, "");
  private static final Measure REDIS =
      new Measure(GROUP, "CPU of Redis", "µs per update", EMPTY, "");
  private static final Measure LATENCY = new Measure(GROUP, "latency, p99", "ms", EMPTY, "");
  private static final Measure WRONG =
      new Measure(GROUP, "deliveries beside it lost or twice", "", "", "0");
  private static final Measure SETTLED =
      Measure.alone(GROUP, "time until all are settled, once the owner goes on", "ms");
  private static final Measure EXPIRED =
      Measure.alone(GROUP, "all redelivered and expired after, if it does not", "s");
  private static final Measure EXPIRE =
      Measure.alone(GROUP, "CPU of A, C and Redis meanwhile", "µs per expiry");
  private static final Measure SETTLE =
      Measure.alone(GROUP, "CPU of Redis meanwhile", "µs per delivery");

  @Override
  public List<String> candidates() {
    return List.of(LASTMILE);
  }

  @Override
  public void measure(Bench bench, String name) {
    settle(bench);
    expire(bench);
  }

  private static void settle(Bench bench) {
    int owned = bench.options().streams();
    // More than can be in flight, so that updates of one channel cannot overtake each other.
    int beside = Math.max(8 * UnicastWorkload.CONNECTIONS, owned / BESIDE);
    DeliveryRecorder recorder = new DeliveryRecorder();
    try (LastmileCandidate candidate =
        candidate(bench, owned)
            .with("lastmile.ledger.redeliver-after", "60s")
            .with("lastmile.ledger.expire-after", "300s")) {
      candidate.start();
      candidate.prepare(owned + beside);
      try (Streams streams =
              new Streams(
                  owned + beside,
                  i -> candidate.stream(i, i),
                  recorder,
                  bench.options().readers());
          Publisher publisher =
              new Publisher(
                  candidate,
                  recorder,
                  number -> owned + number % beside,
                  1,
                  UnicastWorkload.CONNECTIONS)) {
        streams.openAll(bench.patience());
        publisher.rate(rate(bench), bench.warmUp());
        beside(bench, EMPTY, candidate, publisher);
        Launched owner = candidate.parts().get(OWNER);
        owner.signal("STOP");
        fill(candidate, owned);
        expect(candidate, owned);
        beside(bench, String.format(Locale.ROOT, "%,d outstanding", owned), candidate, publisher);
        expect(candidate, owned);
        settle(bench, candidate, owner, owned);
      }
    }
  }

  /** Streams of B, then some of C; updates at A. The stopped B keeps its lease. */
  private static LastmileCandidate candidate(Bench bench, int owned) {
    return new LastmileCandidate(bench, 3, stream -> stream < owned ? 1 : 2, _ -> 0)
        .with("lastmile.ledger.lease", "60s");
  }

  /** With the default deadlines: 1 s until redelivery, 5 s until expiry. */
  private static void expire(Bench bench) {
    int owned = bench.options().streams();
    try (LastmileCandidate candidate = candidate(bench, owned)) {
      candidate.start();
      candidate.prepare(owned);
      try (Streams streams =
          new Streams(
              owned,
              i -> candidate.stream(i, i),
              new DeliveryRecorder(),
              bench.options().readers())) {
        streams.openAll(bench.patience());
        Redis redis = candidate.processes().redis();
        Ticker.await(PATIENCE, () -> LedgerAudit.read(redis).outstanding() == 0);
        LedgerAudit before = LedgerAudit.read(redis);
        candidate.parts().get(OWNER).signal("STOP");
        fill(candidate, owned);
        long filled = Ticker.nanos();
        Usage used = Usage.of(candidate);
        boolean ended = Ticker.await(PATIENCE, () -> LedgerAudit.read(redis).outstanding() == 0);
        double seconds = (Ticker.nanos() - filled) / 1e9;
        used = Usage.of(candidate).minus(used);
        LedgerAudit passed = LedgerAudit.read(redis).minus(before);
        bench.say("expired in %.1f s: %s", seconds, passed);
        if (!ended || passed.of("not_received") != owned || passed.of("redelivered") != owned) {
          throw new IllegalStateException("not redelivered and expired: " + passed);
        }
        bench.results().add(EXPIRED, LASTMILE, seconds);
        bench.results().add(EXPIRE, LASTMILE, (double) used.all() / owned);
      }
    }
  }

  private static double rate(Bench bench) {
    return bench.options().rate() / 2.0;
  }

  private static void fill(LastmileCandidate candidate, int owned) {
    try (Callers callers = new Callers(SENDERS)) {
      // Number 0 belongs to no phase.
      callers.sendAll(owned, i -> candidate.update(i, Ticker.nanos(), 0), (_, _) -> {}, PATIENCE);
    }
  }

  /** Waits, because deliveries that were just flushed may not be settled yet. */
  private static void expect(LastmileCandidate candidate, long outstanding) {
    Redis redis = candidate.processes().redis();
    Ticker.await(SETTLING, () -> LedgerAudit.read(redis).outstanding() == outstanding);
    LedgerAudit audit = LedgerAudit.read(redis);
    if (audit.outstanding() != outstanding || !audit.balance()) {
      throw new IllegalStateException(outstanding + " deliveries have to be outstanding: " + audit);
    }
  }

  private static void beside(
      Bench bench, String state, LastmileCandidate candidate, Publisher publisher) {
    // The owner is stopped in one of the two states only, so its CPU time counts in neither.
    double rest = Usage.during(candidate, bench.phase()).allBut(OWNER);
    bench.results().add(REST, state, rest / 1e3 / bench.options().seconds());
    Figures figures = publisher.rate(rate(bench), bench.phase());
    bench.say(figures, "%s, %.0f/s beside", state, rate(bench));
    double used = figures.usage().allBut(OWNER);
    bench.results().add(CPU, state, used / figures.published());
    bench.results().add(REDIS, state, figures.microsPerUpdate(Usage.REDIS));
    bench.results().add(LATENCY, state, Figures.millis(figures.latency(), 99));
    bench.results().add(WRONG, state, figures.wrong());
  }

  private static void settle(Bench bench, LastmileCandidate candidate, Launched owner, int owned) {
    Usage before = Usage.of(candidate);
    long begun = Ticker.nanos();
    owner.signal("CONT");
    boolean settled =
        Ticker.await(
            PATIENCE, () -> LedgerAudit.read(candidate.processes().redis()).outstanding() == 0);
    double millis = (Ticker.nanos() - begun) / 1e6;
    Usage used = Usage.of(candidate).minus(before);
    LedgerAudit audit = LedgerAudit.read(candidate.processes().redis());
    bench.say("settled in %.0f ms: %s", millis, audit);
    if (!settled || !audit.balance()) {
      throw new IllegalStateException("not settled: " + audit);
    }
    bench.results().add(SETTLED, LASTMILE, millis);
    bench.results().add(SETTLE, LASTMILE, (double) used.redis() / owned);
  }
}
