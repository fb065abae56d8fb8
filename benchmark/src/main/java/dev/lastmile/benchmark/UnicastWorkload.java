package dev.lastmile.benchmark;

import java.util.List;
import java.util.Map;

/**
 * Each update is for another client: signed POST at A, Redis, B, the client's stream. Measures the
 * cost at a common rate, the highest rate, and latency at half of that rate.
 *
 * <p>With and without expected deliveries, and with and without the OpenTelemetry agent, to measure
 * what the ledger and the agent cost.
 */
final class UnicastWorkload implements Workload {
  static final int CONNECTIONS = 64;

  private static final String GROUP = "unicast";
  private static final String BARE = "lastmile, nothing expected";
  private static final String AGENT = "lastmile, agent";
  private static final String UPDATE_CPU = "µs per update";
  private static final String MAXIMUM = "half of the maximum";
  private static final Measure CPU =
      new Measure(GROUP, "CPU of A, B and Redis", UPDATE_CPU, NCHAN_REDIS, "≤ 1.0×");
  private static final Measure MOST =
      new Measure(GROUP, "most, p99 below 50 ms", "1/s", NCHAN_REDIS, "≥ 2×");
  private static final Measure HALF_CPU =
      new Measure(GROUP, "CPU at " + MAXIMUM, UPDATE_CPU, NCHAN_REDIS, "");
  private static final Measure ACCOUNT =
      new Measure(GROUP, "CPU, every delivery expected over none", "×", "", "≤ 1.25");
  private static final Measure TRACING =
      new Measure(GROUP, "CPU with the agent over none", "×", "", "≤ 1.10");
  private static final Measure WRONG =
      new Measure(GROUP, "deliveries lost or twice, updates refused", "", "", "0");
  private static final double[] PERCENTILES = {50, 99, 99.9};

  @Override
  public List<String> candidates() {
    return List.of(LASTMILE, BARE, AGENT, NCHAN_REDIS);
  }

  private static Candidate start(Bench bench, String name) {
    Candidate candidate =
        switch (name) {
          case NCHAN_REDIS -> NchanCandidate.pair(bench);
          case AGENT -> LastmileCandidate.pair(bench).withAgent();
          // Without a known owner only a broadcast reaches the streams.
          case BARE ->
              LastmileCandidate.pair(bench)
                  .with("lastmile.fan-out", "broadcast")
                  .with("lastmile.stream.presence-check", "10m");
          default -> LastmileCandidate.pair(bench);
        };
    candidate.start();
    return candidate;
  }

  @Override
  public void measure(Bench bench, String name) {
    DeliveryRecorder recorder = new DeliveryRecorder();
    int count = bench.options().streams();
    try (Candidate candidate = start(bench, name)) {
      candidate.prepare(count);
      ChannelOrder order = new ChannelOrder(count);
      try (Streams streams =
              new Streams(count, i -> candidate.stream(i, i), recorder, bench.options().readers());
          Publisher publisher =
              new Publisher(candidate, recorder, order::channel, 1, connections(count))) {
        streams.openAll(bench.patience());
        if (name.equals(BARE) && candidate instanceof LastmileCandidate lastmile) {
          LedgerAudit.expectNothing(lastmile.processes().redis());
        }
        publisher.rate(bench.options().rate(), bench.warmUp());
        long wrong = costs(bench, name, candidate, publisher);
        if (name.equals(LASTMILE) || name.equals(NCHAN_REDIS)) {
          wrong += limits(bench, name, publisher);
        }
        bench.results().add(WRONG, name, wrong);
      }
    }
  }

  /** Few for few streams, so that a channel's next update cannot overtake its last. */
  static int connections(int streams) {
    return Math.clamp(streams / 8, 1, CONNECTIONS);
  }

  /** Returns the number of errors. */
  private static long costs(Bench bench, String name, Candidate candidate, Publisher publisher) {
    Redis redis =
        candidate instanceof LastmileCandidate lastmile ? lastmile.processes().redis() : null;
    LedgerAudit before = redis == null ? null : LedgerAudit.read(redis);
    Figures figures = publisher.rate(bench.options().rate(), bench.phase());
    bench.say(figures, "%s, %d/s", name, bench.options().rate());
    bench.results().add(CPU, name, figures.microsPerUpdate());
    for (String part : candidate.parts().keySet()) {
      Measure measure = new Measure(GROUP, "CPU of " + part, UPDATE_CPU, NCHAN_REDIS, "");
      bench.results().add(measure, name, figures.microsPerUpdate(part));
    }
    if (redis != null) {
      long owed = name.equals(BARE) ? 0 : figures.published();
      check(LedgerAudit.read(redis).minus(before), owed, name);
    }
    return figures.wrong();
  }

  /** The ledger's cost is valid only if the ledger did, or did not, record the deliveries. */
  private static void check(LedgerAudit passed, long owed, String name) {
    if (passed.expected() != owed) {
      throw new IllegalStateException(
          "%s: of %d deliveries the ledger expected %d".formatted(name, owed, passed.expected()));
    }
  }

  /** Returns the number of errors at half of the maximum. */
  private static long limits(Bench bench, String name, Publisher publisher) {
    double most = new Ramp(bench, publisher).climb(name);
    if (most == 0) {
      throw new IllegalStateException("the lowest rate was not carried");
    }
    bench.results().add(MOST, name, most);
    Figures half = publisher.rate(most / 2, bench.phase().multipliedBy(2));
    bench.say(half, "%s, half of the maximum", name);
    bench.results().add(HALF_CPU, name, half.microsPerUpdate());
    for (double percentile : PERCENTILES) {
      String title = "latency at %s, p%s".formatted(MAXIMUM, BenchmarkResults.number(percentile));
      Measure measure = new Measure(GROUP, title, "ms", NCHAN_REDIS, "");
      bench.results().add(measure, name, Figures.millis(half.latency(), percentile));
    }
    return half.wrong();
  }

  @Override
  public void end(Bench bench) {
    compare(bench, ACCOUNT, LASTMILE, BARE);
    compare(bench, TRACING, AGENT, LASTMILE);
  }

  private static void compare(Bench bench, Measure measure, String one, String other) {
    Map<Integer, Double> base = bench.results().of(CPU, other);
    bench
        .results()
        .of(CPU, one)
        .forEach((round, value) -> {
          if (base.containsKey(round)) {
            bench.results().round(round);
            bench.results().add(measure, one, value / base.get(round));
          }
        });
  }
}
