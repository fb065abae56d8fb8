package dev.lastmile.benchmark;

import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * A ledger with one delivery outstanding for each stream of an owner that stands still (B), and
 * updates beside it, from A to streams at C: what publishing and sweeping then cost, against an
 * empty ledger, and how long it takes to settle all once the owner goes on. In a second cluster it
 * does not go on, and what redelivering and expiring all of them costs the others is measured.
 */
final class Outstanding implements Workload {
  private static final String GROUP = "ledger";
  private static final String EMPTY = "nothing outstanding";
  private static final String OWNER = Cluster.name(1);
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
    // More than can be under way, so that updates of one channel do not overtake each other.
    int beside = Math.max(8 * Unicast.CONNECTIONS, owned / BESIDE);
    Deliveries deliveries = new Deliveries();
    try (Lastmile candidate =
        candidate(bench, owned)
            .with("lastmile.ledger.redeliver-after", "60s")
            .with("lastmile.ledger.expire-after", "300s")) {
      candidate.start();
      candidate.prepare(owned + beside);
      try (Streams streams =
              new Streams(
                  owned + beside,
                  i -> candidate.stream(i, i),
                  deliveries,
                  bench.options().readers());
          Publisher publisher =
              new Publisher(
                  candidate,
                  deliveries,
                  number -> owned + number % beside,
                  1,
                  Unicast.CONNECTIONS)) {
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

  /** Streams of B, then some of C; updates at A. B stands still and keeps its lease. */
  private static Lastmile candidate(Bench bench, int owned) {
    return new Lastmile(bench, 3, stream -> stream < owned ? 1 : 2, _ -> 0)
        .with("lastmile.ledger.lease", "60s");
  }

  /** With the deadlines as they come: 1 s until each is asked for, 5 s until it is given up. */
  private static void expire(Bench bench) {
    int owned = bench.options().streams();
    try (Lastmile candidate = candidate(bench, owned)) {
      candidate.start();
      candidate.prepare(owned);
      try (Streams streams =
          new Streams(
              owned, i -> candidate.stream(i, i), new Deliveries(), bench.options().readers())) {
        streams.openAll(bench.patience());
        Redis redis = candidate.cluster().redis();
        Ticker.await(PATIENCE, () -> Books.read(redis).outstanding() == 0);
        Books before = Books.read(redis);
        candidate.parts().get(OWNER).signal("STOP");
        fill(candidate, owned);
        long filled = Ticker.nanos();
        Usage used = Usage.of(candidate);
        boolean ended = Ticker.await(PATIENCE, () -> Books.read(redis).outstanding() == 0);
        double seconds = (Ticker.nanos() - filled) / 1e9;
        used = Usage.of(candidate).minus(used);
        Books passed = Books.read(redis).minus(before);
        bench.say("expired in %.1f s: %s", seconds, passed);
        if (!ended || passed.of("not_received") != owned || passed.of("redelivered") != owned) {
          throw new IllegalStateException("not redelivered and expired: " + passed);
        }
        bench.report().add(EXPIRED, LASTMILE, seconds);
        bench.report().add(EXPIRE, LASTMILE, (double) used.all() / owned);
      }
    }
  }

  private static double rate(Bench bench) {
    return bench.options().rate() / 2.0;
  }

  private static void fill(Lastmile candidate, int owned) {
    try (Callers callers = new Callers(SENDERS)) {
      // Number 0 belongs to no phase.
      callers.sendAll(owned, i -> candidate.update(i, Ticker.nanos(), 0), (_, _) -> {}, PATIENCE);
    }
  }

  /** What was flushed a moment ago may still be on its way to be settled. */
  private static void expect(Lastmile candidate, long outstanding) {
    Redis redis = candidate.cluster().redis();
    Ticker.await(SETTLING, () -> Books.read(redis).outstanding() == outstanding);
    Books books = Books.read(redis);
    if (books.outstanding() != outstanding || !books.balance()) {
      throw new IllegalStateException(outstanding + " have to be outstanding: " + books);
    }
  }

  private static void beside(Bench bench, String state, Lastmile candidate, Publisher publisher) {
    // The owner stands still in one state only, so it counts in none.
    double rest = Usage.during(candidate, bench.phase()).allBut(OWNER);
    bench.report().add(REST, state, rest / 1e3 / bench.options().seconds());
    Figures figures = publisher.rate(rate(bench), bench.phase());
    bench.say(figures, "%s, %.0f/s beside", state, rate(bench));
    double used = figures.usage().allBut(OWNER);
    bench.report().add(CPU, state, used / figures.published());
    bench.report().add(REDIS, state, figures.microsPerUpdate("Redis"));
    bench.report().add(LATENCY, state, Figures.millis(figures.latency(), 99));
    bench.report().add(WRONG, state, figures.wrong());
  }

  private static void settle(Bench bench, Lastmile candidate, Launched owner, int owned) {
    Usage before = Usage.of(candidate);
    long begun = Ticker.nanos();
    owner.signal("CONT");
    boolean settled =
        Ticker.await(PATIENCE, () -> Books.read(candidate.cluster().redis()).outstanding() == 0);
    double millis = (Ticker.nanos() - begun) / 1e6;
    Usage used = Usage.of(candidate).minus(before);
    Books books = Books.read(candidate.cluster().redis());
    bench.say("settled in %.0f ms: %s", millis, books);
    if (!settled || !books.balance()) {
      throw new IllegalStateException("not settled: " + books);
    }
    bench.report().add(SETTLED, LASTMILE, millis);
    bench.report().add(SETTLE, LASTMILE, (double) used.of("Redis") / owned);
  }
}
