package dev.lastmile.benchmark;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The command line of the quick comparison.
 *
 * @param options those that it shares with the whole benchmark
 * @param baseline folder with the build to compare with
 * @param commit of that build
 */
record QuickOptions(Options options, Path baseline, String commit) {
  static final String USAGE =
      """
      benchmark/run --quick [option ...]
        compares the working tree with an earlier commit, in about three minutes; of the options above it takes
        --streams (3000), --rounds (5), --seconds (4), --warm-up (20), --rate, --readers, --jvm, --anywhere,
        --minutes (15), --json (benchmark/target/quick.json) and --logs (benchmark/target/quick-logs), and besides
        --baseline REVISION           the commit to compare with (HEAD~1)
        --baseline-properties FILE    benchmark/service.properties for a baseline that has none of its own
      """;

  /** Set by {@code benchmark/run} once the baseline is built. */
  private static final String FOLDER = "--baseline-folder";

  private static final String COMMIT = "--baseline-commit";

  /** They are about peers, or about which rows are measured. */
  private static final Set<String> NOT_HERE =
      Set.of("--windows", "--groups", "--candidates", "--workers");

  private static final Path TARGET = Path.of("benchmark", "target");

  static final Options DEFAULT =
      new Options(
          3_000,
          5,
          4,
          20,
          Options.DEFAULT.rate(),
          Options.DEFAULT.windows(),
          Options.DEFAULT.groups(),
          List.of(),
          Options.DEFAULT.workers(),
          Options.DEFAULT.readers(),
          Options.DEFAULT.jvm(),
          false,
          15,
          TARGET.resolve("quick.json"),
          TARGET.resolve("quick-logs"));

  /**
   * Reads a command line.
   *
   * @throws IllegalArgumentException with the error as a sentence
   */
  static QuickOptions parse(String... arguments) {
    List<String> shared = new ArrayList<>();
    Path folder = null;
    String commit = "";
    for (int i = 0; i < arguments.length; i++) {
      String name = arguments[i];
      if (NOT_HERE.contains(name)) {
        throw new IllegalArgumentException(name + " does not apply to --quick");
      } else if (name.equals(FOLDER) && i + 1 < arguments.length) {
        folder = Path.of(arguments[++i]);
      } else if (name.equals(COMMIT) && i + 1 < arguments.length) {
        commit = arguments[++i];
      } else {
        shared.add(name);
      }
    }
    if (folder == null) {
      throw new IllegalArgumentException("no baseline: start it by benchmark/run --quick");
    }
    return new QuickOptions(Options.parse(DEFAULT, shared.toArray(String[]::new)), folder, commit);
  }
}
