package dev.lastmile.benchmark;

/**
 * Something that is measured of each candidate in each round.
 *
 * @param group of rows that belong together
 * @param title what it is
 * @param unit of its values
 * @param peer the candidate to which the others are compared; empty if to none
 * @param goal what we want to reach; empty if nothing in particular
 */
record Measure(String group, String title, String unit, String peer, String goal) {
  /** Without anybody to compare to. */
  static Measure alone(String group, String title, String unit) {
    return new Measure(group, title, unit, "", "");
  }
}
