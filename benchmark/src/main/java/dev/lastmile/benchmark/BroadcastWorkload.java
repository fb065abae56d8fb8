package dev.lastmile.benchmark;

import java.util.List;

/**
 * Every update reaches every stream: as many as go, with a few under way at any time, and a rate at
 * which nothing waits. Our CPU time is that of the replica and Redis.
 */
final class BroadcastWorkload implements Workload {
  private static final String GROUP = "broadcast";
  private static final Measure RATE_CPU =
      new Measure(GROUP, "CPU, no backlog", "s per million", NCHAN, "≤ 1.0×");
  private static final Measure FAN_OUT =
      new Measure(GROUP, "last stream reached, no backlog, p50", "ms", NCHAN, "");
  private static final Measure WRONG =
      new Measure(GROUP, "deliveries lost or twice, updates refused", "", "", "0");

  /** Without a backlog, so many deliveries per second. */
  private static final int DELIVERIES_PER_SECOND = 20_000;

  private static final int LEAST_UPDATES_PER_SECOND = 2;

  /** So few updates per second need more seconds. */
  private static final int LONGER = 3;

  @Override
  public List<String> candidates() {
    return List.of(LASTMILE, NCHAN);
  }

  private static Measure rate(int window) {
    return new Measure(GROUP, "delivered, %d under way".formatted(window), "1/s", NCHAN, "≥ 4×");
  }

  private static Measure cpu(int window) {
    return new Measure(
        GROUP, "CPU, %d under way".formatted(window), "s per million", NCHAN, "≤ 0.3×");
  }

  @Override
  public void measure(Bench bench, String name) {
    DeliveryRecorder recorder = new DeliveryRecorder();
    int count = bench.options().streams();
    try (Candidate candidate =
        name.equals(NCHAN) ? NchanCandidate.alone(bench) : LastmileCandidate.alone(bench)) {
      candidate.start();
      candidate.prepare(1);
      try (Streams streams =
              new Streams(count, i -> candidate.stream(0, i), recorder, bench.options().readers());
          Publisher publisher = new Publisher(candidate, recorder, _ -> 0, count, 1)) {
        streams.openAll(bench.patience());
        publisher.window(bench.options().windows().getFirst(), bench.warmUp());
        long wrong = 0;
        for (int window : bench.options().windows()) {
          Figures figures = publisher.window(window, bench.phase());
          bench.say(figures, "%s, %d under way", name, window);
          bench.results().add(rate(window), name, figures.deliveredPerSecond());
          bench.results().add(cpu(window), name, figures.microsPerDelivery());
          wrong += figures.wrong();
        }
        double perSecond =
            Math.max(LEAST_UPDATES_PER_SECOND, (double) DELIVERIES_PER_SECOND / count);
        Figures figures = publisher.rate(perSecond, bench.phase().multipliedBy(LONGER));
        bench.say(figures, "%s, %.0f/s", name, perSecond);
        bench.results().add(RATE_CPU, name, figures.microsPerDelivery());
        bench.results().add(FAN_OUT, name, Figures.millis(figures.fanOut(), 50));
        bench.results().add(WRONG, name, wrong + figures.wrong());
        if (streams.broken() > 0) {
          bench
              .results()
              .note("%s ended %d streams of a broadcast".formatted(name, streams.broken()));
        }
      }
    }
  }
}
