package dev.lastmile.benchmark;

import dev.lastmile.benchmark.Streams.Opened;
import java.time.Duration;
import java.util.List;

/**
 * All streams at once: to a candidate that has just been started, and to one that has seen it
 * before, as after a break of the network.
 */
final class Storm implements Workload {
  private static final String GROUP = "connect storm";
  private static final Measure FIRST =
      new Measure(GROUP, "time until all are ready, just started", "ms", NCHAN, "≤ 1.5×");
  private static final Measure AGAIN =
      new Measure(GROUP, "time until all are ready, again", "ms", NCHAN, "≤ 1.5×");
  private static final Measure ERRORS = new Measure(GROUP, "streams that failed", "", "", "0");

  /** As often as the compilers of a JVM need until they have little left to do. */
  private static final int TIMES = 12;

  private static final Duration BETWEEN = Duration.ofSeconds(3);

  @Override
  public List<String> candidates() {
    return List.of(LASTMILE, NCHAN);
  }

  @Override
  public void measure(Bench bench, String name) {
    try (Candidate candidate = name.equals(NCHAN) ? Nchan.alone(bench) : Lastmile.alone(bench)) {
      candidate.start();
      for (int i = 0; i < bench.options().streams(); i++) {
        // Identities are made here and now, not on the clock.
        candidate.stream(i, i);
      }
      int errors = 0;
      for (int i = 1; i <= TIMES; i++) {
        try (Streams streams =
            new Streams(
                bench.options().streams(),
                number -> candidate.stream(number, number),
                new Deliveries(),
                bench.options().readers())) {
          Opened opened = streams.open(bench.patience());
          bench.say("storm %d of %s: %s", i, name, opened);
          errors += opened.failed();
          if (i == 1 || i == TIMES) {
            bench.report().add(i == 1 ? FIRST : AGAIN, name, opened.millis());
          }
        }
        Ticker.pause(BETWEEN);
      }
      bench.report().add(ERRORS, name, errors);
    }
  }
}
