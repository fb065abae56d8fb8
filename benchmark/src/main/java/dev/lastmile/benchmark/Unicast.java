package dev.lastmile.benchmark;

import java.util.List;
import java.util.Map;

/**
 * Each update is for another client: signed POST at A, Redis, B, the client's stream. What it costs
 * at a common rate, how many go, and how long they take at half of that.
 *
 * <p>With and without the account, and with and without the OpenTelemetry agent, to price both.
 */
final class Unicast implements Workload {
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
          case NCHAN_REDIS -> Nchan.pair(bench);
          case AGENT -> Lastmile.pair(bench).withAgent();
          default -> Lastmile.pair(bench);
        };
    candidate.start();
    return candidate;
  }

  @Override
  public void measure(Bench bench, String name) {
    Deliveries deliveries = new Deliveries();
    int count = bench.options().streams();
    try (Candidate candidate = start(bench, name)) {
      candidate.prepare(count);
      Order order = new Order(count);
      try (Streams streams =
              new Streams(
                  count, i -> candidate.stream(i, i), deliveries, bench.options().readers());
          Publisher publisher =
              new Publisher(candidate, deliveries, order::channel, 1, connections(count))) {
        streams.openAll(bench.patience());
        if (name.equals(BARE) && candidate instanceof Lastmile lastmile) {
          Books.expectNothing(lastmile.cluster().redis());
        }
        publisher.rate(bench.options().rate(), bench.warmUp());
        long wrong = costs(bench, name, candidate, publisher);
        if (name.equals(LASTMILE) || name.equals(NCHAN_REDIS)) {
          wrong += limits(bench, name, publisher);
        }
        bench.report().add(WRONG, name, wrong);
      }
    }
  }

  /** Few streams want few connections: the next update of a channel is not to overtake the last. */
  static int connections(int streams) {
    return Math.clamp(streams / 8, 1, CONNECTIONS);
  }

  /** What went wrong meanwhile. */
  private static long costs(Bench bench, String name, Candidate candidate, Publisher publisher) {
    Redis redis = candidate instanceof Lastmile lastmile ? lastmile.cluster().redis() : null;
    Books before = redis == null ? null : Books.read(redis);
    Figures figures = publisher.rate(bench.options().rate(), bench.phase());
    bench.say(figures, "%s, %d/s", name, bench.options().rate());
    bench.report().add(CPU, name, figures.microsPerUpdate());
    for (String part : candidate.parts().keySet()) {
      Measure measure = new Measure(GROUP, "CPU of " + part, UPDATE_CPU, NCHAN_REDIS, "");
      bench.report().add(measure, name, figures.microsPerUpdate(part));
    }
    if (redis != null) {
      long owed = name.equals(BARE) ? 0 : figures.published();
      check(Books.read(redis).minus(before), owed, name);
    }
    return figures.wrong();
  }

  /** A price of the account is one only if the account was kept, or was not. */
  private static void check(Books passed, long owed, String name) {
    if (passed.expected() != owed) {
      throw new IllegalStateException(
          "%s: of %d deliveries the books expected %d".formatted(name, owed, passed.expected()));
    }
  }

  /** What went wrong at half of the maximum. */
  private static long limits(Bench bench, String name, Publisher publisher) {
    double most = new Ramp(bench, publisher).climb(name);
    if (most == 0) {
      throw new IllegalStateException("not even the lowest rate went");
    }
    bench.report().add(MOST, name, most);
    Figures half = publisher.rate(most / 2, bench.phase().multipliedBy(2));
    bench.say(half, "%s, half of the maximum", name);
    bench.report().add(HALF_CPU, name, half.microsPerUpdate());
    for (double percentile : PERCENTILES) {
      String title = "latency at %s, p%s".formatted(MAXIMUM, Report.number(percentile));
      Measure measure = new Measure(GROUP, title, "ms", NCHAN_REDIS, "");
      bench.report().add(measure, name, Figures.millis(half.latency(), percentile));
    }
    return half.wrong();
  }

  @Override
  public void end(Bench bench) {
    compare(bench, ACCOUNT, LASTMILE, BARE);
    compare(bench, TRACING, AGENT, LASTMILE);
  }

  private static void compare(Bench bench, Measure measure, String one, String other) {
    Map<Integer, Double> base = bench.report().of(CPU, other);
    bench
        .report()
        .of(CPU, one)
        .forEach((round, value) -> {
          if (base.containsKey(round)) {
            bench.report().round(round);
            bench.report().add(measure, one, value / base.get(round));
          }
        });
  }
}
