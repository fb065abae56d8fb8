package dev.lastmile.benchmark;

/**
 * A figure that is measured of each candidate in each round.
 *
 * @param group of rows that belong together
 * @param title its name in the table
 * @param unit of its values
 * @param peer the candidate to which the others are compared; empty if to none
 * @param goal the value to reach; empty if there is none
 */
record Measure(String group, String title, String unit, String peer, String goal) {
  /** Without a peer and without a goal. */
  static Measure alone(String group, String title, String unit) {
    return new Measure(group, title, unit, "", "");
  }
}
