package dev.lastmile.benchmark;

import java.util.Locale;
import java.util.Map;

/**
 * The figures of the quick comparison, each with the ratio above which the comparison fails.
 *
 * <p>Noise must not fail a comparison. So the ratio has to be above its limit, and the lowest value
 * of the working tree above the highest of the earlier commit: by chance alone, five values lie all
 * above five others once in 252 runs. {@code benchmark/README.md} has the ratios of equal builds.
 */
enum QuickMeasure {
  CPU("CPU of A, B and Redis", "µs per update", 1.5),
  HEAP("live heap of B", "KB per stream", 1.3),
  STORM("time until all streams are ready", "ms", 2);

  /** The candidate that the working tree is compared with. */
  static final String BEFORE = "before";

  /** The working tree. */
  static final String AFTER = "after";

  private final Measure measure;
  private final double limit;

  QuickMeasure(String title, String unit, double limit) {
    String goal = "≤ " + BenchmarkResults.number(limit) + "×";
    this.measure = new Measure("quick", title, unit, BEFORE, goal);
    this.limit = limit;
  }

  /** The row of the table. */
  Measure measure() {
    return measure;
  }

  /**
   * Why these values fail the comparison; empty if they do not. Values that are missing fail too.
   *
   * @param before by round
   * @param after by round
   */
  String failure(Map<Integer, Double> before, Map<Integer, Double> after) {
    ResultRow earlier = new ResultRow(measure, BEFORE, before, Map.of());
    ResultRow row = new ResultRow(measure, AFTER, after, before);
    double ratio = row.ratio();
    if (Double.isNaN(ratio)) {
      return measure.title() + ": not measured";
    }
    return ratio <= limit || row.least() <= earlier.most()
        ? ""
        : String.format(
            Locale.ROOT,
            "%s: %.2f times as much (limit %.2f), and more in every round",
            measure.title(),
            ratio,
            limit);
  }
}
