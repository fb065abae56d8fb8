package dev.lastmile.benchmark;

import dev.lastmile.benchmark.Streams.Opened;
import java.time.Duration;
import java.util.List;

/**
 * Opens all streams at once: at a candidate that has just been started, and at one that has had
 * such storms before, as after a network failure.
 */
final class StormWorkload implements Workload {
  private static final String GROUP = "connect storm";
  private static final String CLUSTER = "lastmile, Cluster of 3";
  private static final Measure FIRST =
      new Measure(GROUP, "time until all are ready, just started", "ms", NCHAN, "≤ 1.5×");
  private static final Measure AGAIN =
      new Measure(GROUP, "time until all are ready, again", "ms", NCHAN, "≤ 1.5×");
  private static final Measure ERRORS = new Measure(GROUP, "streams that failed", "", "", "0");

  /** After so many storms a JVM has compiled nearly all of the code. */
  private static final int TIMES = 12;

  private static final Duration BETWEEN = Duration.ofSeconds(3);

  @Override
  public List<String> candidates() {
    return List.of(LASTMILE, CLUSTER, NCHAN);
  }

  private static Candidate candidate(Bench bench, String name) {
    return switch (name) {
      case NCHAN -> NchanCandidate.alone(bench);
      case CLUSTER -> LastmileCandidate.alone(bench).onCluster(3);
      default -> LastmileCandidate.alone(bench);
    };
  }

  @Override
  public void measure(Bench bench, String name) {
    try (Candidate candidate = candidate(bench, name)) {
      candidate.start();
      for (int i = 0; i < bench.options().streams(); i++) {
        // Creates the identities before the clock starts.
        candidate.stream(i, i);
      }
      int errors = 0;
      for (int i = 1; i <= TIMES; i++) {
        try (Streams streams =
            new Streams(
                bench.options().streams(),
                number -> candidate.stream(number, number),
                new DeliveryRecorder(),
                bench.options().readers())) {
          Opened opened = streams.open(bench.patience());
          bench.say("storm %d of %s: %s", i, name, opened);
          errors += opened.failed();
          if (i == 1 || i == TIMES) {
            bench.results().add(i == 1 ? FIRST : AGAIN, name, opened.millis());
          }
        }
        Ticker.pause(BETWEEN);
      }
      bench.results().add(ERRORS, name, errors);
    }
  }
}
