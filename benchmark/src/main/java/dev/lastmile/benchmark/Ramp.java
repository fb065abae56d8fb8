package dev.lastmile.benchmark;

import java.time.Duration;

/**
 * Finds the highest rate at which p99 is below 50 ms and nothing is lost or refused, in steps of a
 * quarter, and once half-way to the step that failed. A rate that fails is tried once more, since a
 * single pause of the machine can spoil a p99.
 */
final class Ramp {
  private static final double LONGEST_P99_MILLIS = 50;
  private static final double START_PER_SECOND = 1_000;
  private static final double MOST_PER_SECOND = 200_000;
  private static final double FACTOR = 1.25;
  private static final Duration REST = Duration.ofMillis(500);

  private final Bench bench;
  private final Publisher publisher;

  Ramp(Bench bench, Publisher publisher) {
    this.bench = bench;
    this.publisher = publisher;
  }

  /** The highest rate that was carried; 0 if even the first was not. */
  double climb(String name) {
    double reached = 0;
    for (double rate = START_PER_SECOND; rate < MOST_PER_SECOND; rate *= FACTOR) {
      if (!goes(name, rate)) {
        double between = Math.sqrt(reached * rate);
        return reached > 0 && goes(name, between) ? between : reached;
      }
      reached = rate;
    }
    return reached;
  }

  private boolean goes(String name, double rate) {
    return isCarried(name, rate) || isCarried(name, rate);
  }

  private boolean isCarried(String name, double rate) {
    Ticker.pause(REST);
    Figures figures = publisher.rate(rate, bench.phase().dividedBy(2));
    double p99 = Figures.millis(figures.latency(), 99);
    bench.say(figures, "%s, ramp %.0f/s", name, rate);
    return p99 < LONGEST_P99_MILLIS && figures.wrong() == 0;
  }
}
