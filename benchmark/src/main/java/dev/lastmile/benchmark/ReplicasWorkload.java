package dev.lastmile.benchmark;

import java.time.Duration;
import java.util.List;

/**
 * The same load for each replica, on more replicas: what an update costs all of them together, with
 * directed fan-out and with broadcast, and what they cost at rest. And the same on a Redis Cluster.
 *
 * <p>The cost at rest in the same round is subtracted from the cost of an update.
 */
final class ReplicasWorkload implements Workload {
  private static final String GROUP = "replicas";
  private static final String DIRECTED = "directed";
  private static final String BROADCAST = "broadcast";

  /** The most replicas together publish half of the common rate. */
  private static final int SHARE = 2 * 6;

  private static final Measure IDLE =
      Measure.alone(GROUP, "CPU of all with idle streams", "ms per s");
  private static final Measure WRONG =
      new Measure(GROUP, "deliveries lost or twice, updates refused", "", "", "0");

  private static final List<Setup> SETUPS =
      List.of(
          new Setup(1, DIRECTED, 1),
          new Setup(3, DIRECTED, 1),
          new Setup(6, DIRECTED, 1),
          new Setup(3, DIRECTED, 3),
          new Setup(1, BROADCAST, 1),
          new Setup(3, BROADCAST, 1),
          new Setup(6, BROADCAST, 1));

  /**
   * What is measured.
   *
   * @param primaries of Redis; a cluster if there are several
   */
  private record Setup(int replicas, String mode, int primaries) {
    static Setup named(String name) {
      return SETUPS.stream().filter(setup -> setup.name().equals(name)).findFirst().orElseThrow();
    }

    String name() {
      return "%d replica%s, %s%s"
          .formatted(
              replicas,
              replicas == 1 ? "" : "s",
              mode,
              primaries == 1 ? "" : ", Cluster of " + primaries);
    }

    /** Compared with one replica in the same mode, or the cluster with one Redis. */
    Measure cost(String title, String goal) {
      Setup peer = primaries == 1 ? new Setup(1, mode, 1) : new Setup(replicas, mode, 1);
      boolean hasGoal = mode.equals(DIRECTED) && primaries == 1;
      return new Measure(GROUP, title, "µs per update", peer.name(), hasGoal ? goal : "");
    }

    LastmileCandidate candidate(Bench bench) {
      return LastmileCandidate.spread(bench, replicas)
          .onCluster(primaries)
          .with("lastmile.fan-out", mode);
    }
  }

  @Override
  public List<String> candidates() {
    return SETUPS.stream().map(Setup::name).toList();
  }

  @Override
  public void measure(Bench bench, String name) {
    DeliveryRecorder recorder = new DeliveryRecorder();
    int count = bench.options().streams();
    Setup setup = Setup.named(name);
    double rate = bench.options().rate() * (double) setup.replicas() / SHARE;
    try (LastmileCandidate candidate = setup.candidate(bench)) {
      candidate.start();
      candidate.prepare(count);
      ChannelOrder order = new ChannelOrder(count);
      try (Streams streams =
              new Streams(count, i -> candidate.stream(i, i), recorder, bench.options().readers());
          Publisher publisher =
              new Publisher(
                  candidate, recorder, order::channel, 1, UnicastWorkload.connections(count))) {
        streams.openAll(bench.patience());
        // Each JVM compiles for itself.
        publisher.rate(rate, bench.warmUp());
        Usage rest = Usage.during(candidate, bench.phase());
        Figures figures = publisher.rate(rate, bench.phase());
        bench.say(figures, "%s, %.0f/s", name, rate);
        tell(bench, setup, rest, figures);
      }
    }
  }

  private static void tell(Bench bench, Setup setup, Usage rest, Figures figures) {
    String name = setup.name();
    double share = figures.seconds() / seconds(bench.phase());
    BenchmarkResults results = bench.results();
    results.add(
        setup.cost("CPU of all, Redis included", "≤ 1.2×"),
        name,
        (figures.usage().all() - rest.all() * share) / figures.published());
    results.add(
        setup.cost("CPU of Redis", "≤ 1.1×"),
        name,
        (figures.usage().redis() - rest.redis() * share) / figures.published());
    results.add(IDLE, name, rest.all() / 1e3 / seconds(bench.phase()));
    results.add(WRONG, name, figures.wrong());
  }

  static double seconds(Duration time) {
    return time.toNanos() / 1e9;
  }
}
