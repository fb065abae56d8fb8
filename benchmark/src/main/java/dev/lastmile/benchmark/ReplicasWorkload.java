package dev.lastmile.benchmark;

import java.time.Duration;
import java.util.List;

/**
 * The same load on more replicas, each of which receives every update and sweeps the ledger.
 * Measures what an update costs all of them together, and what they cost at rest.
 */
final class ReplicasWorkload implements Workload {
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
    DeliveryRecorder recorder = new DeliveryRecorder();
    int count = bench.options().streams();
    int replicas = Integer.parseInt(name.substring(0, name.indexOf(' ')));
    double rate = bench.options().rate() / 2.0;
    try (LastmileCandidate candidate = LastmileCandidate.spread(bench, replicas)) {
      candidate.start();
      candidate.prepare(count);
      ChannelOrder order = new ChannelOrder(count);
      try (Streams streams =
              new Streams(count, i -> candidate.stream(i, i), recorder, bench.options().readers());
          Publisher publisher =
              new Publisher(
                  candidate, recorder, order::channel, 1, UnicastWorkload.connections(count))) {
        streams.openAll(bench.patience());
        // Each JVM compiles for itself, and gets its share of the updates only.
        publisher.rate(rate, bench.warmUp().multipliedBy(replicas));
        Figures figures = publisher.rate(rate, bench.phase());
        bench.say(figures, "%s, %.0f/s", name, rate);
        bench.results().add(CPU, name, figures.microsPerUpdate());
        bench.results().add(REDIS, name, figures.microsPerUpdate("Redis"));
        bench.results().add(IDLE, name, idleMillis(candidate, bench.phase()));
        bench.results().add(WRONG, name, figures.wrong());
      }
    }
  }

  /** CPU time per second, in milliseconds, while nothing is published. */
  static double idleMillis(Candidate candidate, Duration time) {
    return Usage.during(candidate, time).all() / 1e3 / (time.toMillis() / 1e3);
  }
}
