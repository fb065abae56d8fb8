package dev.lastmile.benchmark;

import java.time.Duration;
import java.util.List;

/**
 * The same load on more replicas: each hears every update, and looks after the ledger. What an
 * update costs all of them together, and what they cost while nothing happens.
 */
final class Replicas implements Workload {
  private static final String GROUP = "replicas";
  private static final String ONE = "1 replica";
  private static final Measure CPU =
      new Measure(GROUP, "CPU of all, Redis included", "µs per update", ONE, "");
  private static final Measure REDIS = new Measure(GROUP, "CPU of Redis", "µs per update", ONE, "");
  private static final Measure IDLE =
      new Measure(GROUP, "CPU of all with idle streams", "ms per s", ONE, "");
  private static final Measure WRONG =
      new Measure(GROUP, "deliveries lost or twice, updates refused", "", "", "0");

  @Override
  public List<String> candidates() {
    return List.of(ONE, "3 replicas", "6 replicas");
  }

  @Override
  public void measure(Bench bench, String name) {
    Deliveries deliveries = new Deliveries();
    int count = bench.options().streams();
    int replicas = Integer.parseInt(name.substring(0, name.indexOf(' ')));
    double rate = bench.options().rate() / 2.0;
    try (Lastmile candidate = Lastmile.spread(bench, replicas)) {
      candidate.start();
      candidate.prepare(count);
      Order order = new Order(count);
      try (Streams streams =
              new Streams(
                  count, i -> candidate.stream(i, i), deliveries, bench.options().readers());
          Publisher publisher =
              new Publisher(candidate, deliveries, order::channel, 1, Unicast.connections(count))) {
        streams.openAll(bench.patience());
        // Each has its own compilers, and gets one update of so many.
        publisher.rate(rate, bench.warmUp().multipliedBy(replicas));
        Figures figures = publisher.rate(rate, bench.phase());
        bench.say(figures, "%s, %.0f/s", name, rate);
        bench.report().add(CPU, name, figures.microsPerUpdate());
        bench.report().add(REDIS, name, figures.microsPerUpdate("Redis"));
        bench.report().add(IDLE, name, idleMillis(candidate, bench.phase()));
        bench.report().add(WRONG, name, figures.wrong());
      }
    }
  }

  /** CPU time per second, in milliseconds, while nothing is published. */
  static double idleMillis(Candidate candidate, Duration time) {
    return Usage.during(candidate, time).all() / 1e3 / (time.toMillis() / 1e3);
  }
}
