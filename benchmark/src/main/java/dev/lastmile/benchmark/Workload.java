package dev.lastmile.benchmark;

import java.util.List;

/** A group of rows, and how they are measured. */
interface Workload {
  String LASTMILE = "lastmile";
  String NCHAN = "nchan";
  String NCHAN_REDIS = "nchan + Redis";

  List<String> candidates();

  /** Starts a candidate, measures it once, and ends it. */
  void measure(Bench bench, String candidate);

  /** Called after the last round; adds figures that combine candidates. */
  default void end(Bench bench) {}
}
