package dev.lastmile.benchmark;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One measure of one candidate in all rounds.
 *
 * @param values by round
 * @param peer the peer's values by round; empty if there is no peer, or this is it
 */
record ResultRow(
    Measure measure, String candidate, Map<Integer, Double> values, Map<Integer, Double> peer) {
  ResultRow {
    values = new TreeMap<>(values);
    peer = new TreeMap<>(peer);
  }

  double median() {
    return median(values.values().stream().mapToDouble(Double::doubleValue).toArray());
  }

  double least() {
    return values.values().stream().mapToDouble(Double::doubleValue).min().orElse(Double.NaN);
  }

  double most() {
    return values.values().stream().mapToDouble(Double::doubleValue).max().orElse(Double.NaN);
  }

  /**
   * How this candidate compares to the peer: the median of the rounds' ratios, because a
   * disturbance affects both candidates of one round more alike than those of two rounds. Not a
   * number if there is nothing to compare.
   */
  double ratio() {
    return median(ratios().stream().mapToDouble(Double::doubleValue).toArray());
  }

  private List<Double> ratios() {
    return values.entrySet().stream()
        .filter(value -> peer.getOrDefault(value.getKey(), 0.0) > 0)
        .map(value -> value.getValue() / peer.get(value.getKey()))
        .toList();
  }

  /** Not a number if there is none. */
  static double median(double... values) {
    if (values.length == 0) {
      return Double.NaN;
    }
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
