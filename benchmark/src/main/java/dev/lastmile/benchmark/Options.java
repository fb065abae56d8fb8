package dev.lastmile.benchmark;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * The options of the command line.
 *
 * @param streams how many streams a candidate holds
 * @param rounds how often each candidate of a group is measured
 * @param seconds length of a phase
 * @param warmUp seconds before the first phase of a candidate in which the same is done
 * @param rate updates per second at which costs are compared
 * @param windows updates in flight at the same time, for the rows with a backlog
 * @param groups which groups, in their order
 * @param candidates which of their candidates; empty for all
 * @param workers of each nginx
 * @param readers threads of the load client that read streams
 * @param jvm options of each replica's JVM
 * @param anywhere whether the machine may be too small or busy
 * @param minutes after which the run is ended
 * @param json where the figures go as well
 * @param logs where the processes' logs go
 */
record Options(
    int streams,
    int rounds,
    int seconds,
    int warmUp,
    int rate,
    List<Integer> windows,
    List<String> groups,
    List<String> candidates,
    int workers,
    int readers,
    List<String> jvm,
    boolean anywhere,
    int minutes,
    Path json,
    Path logs) {
  static final String USAGE =
      """
      benchmark/run [option ...]
        --streams N        streams of each candidate (10000)
        --rounds N         how often each candidate is measured (3)
        --seconds N        length of a phase (5)
        --warm-up N        seconds in which a candidate does the same before (30)
        --rate N           updates per second at which costs are compared (2000)
        --windows N,N      updates in flight at once, for the rows with a backlog (2,16)
        --groups a,b       of %s (all)
        --candidates a;b   which of their candidates, as the table names them (all)
        --workers N        worker processes of each nginx (2)
        --readers N        threads of the load client that read (1)
        --jvm "-X -Y"      options of each replica's JVM (%s)
        --anywhere         on a small or busy machine too; its figures are unreliable
        --minutes N        after which everything is ended (150)
        --json FILE        where the figures go as well (benchmark/target/figures.json)
        --logs FOLDER      where the processes' logs go (benchmark/target/logs)
      """;

  /** The folder in which {@code run} was called; it changes into the repository. */
  private static final Path FROM = Path.of(System.getenv().getOrDefault("BENCHMARK_FROM", ""));

  /** Those of {@code compose.yaml}, with both compilers and more memory. */
  private static final List<String> JVM =
      List.of("-Xmx1g", "-Xmn64m", "-XX:+UseSerialGC", "-XX:+UseCompactObjectHeaders");

  static final Options DEFAULT =
      new Options(
          10_000,
          3,
          5,
          30,
          2_000,
          List.of(2, 16),
          Benchmark.GROUPS,
          List.of(),
          2,
          1,
          JVM,
          false,
          150,
          Path.of("benchmark", "target", "figures.json"),
          Path.of("benchmark", "target", "logs"));

  static String usage() {
    return USAGE.formatted(String.join(",", Benchmark.GROUPS), String.join(" ", JVM))
        + QuickOptions.USAGE;
  }

  /**
   * Reads a command line.
   *
   * @throws IllegalArgumentException with the error as a sentence
   */
  static Options parse(String... arguments) {
    return parse(DEFAULT, arguments);
  }

  /** As {@link #parse(String...)}, with other defaults. */
  static Options parse(Options defaults, String... arguments) {
    Options options = defaults;
    for (int i = 0; i < arguments.length; i++) {
      String name = arguments[i];
      if (name.equals("--anywhere")) {
        options = options.with(name, "");
      } else if (i + 1 < arguments.length) {
        options = options.with(name, arguments[++i]);
      } else {
        throw new IllegalArgumentException(name + " is unknown, or its value is missing");
      }
    }
    return options;
  }

  private Options with(String name, String value) {
    return new Options(
            name.equals("--streams") ? number(name, value, 1, 1_000_000) : streams,
            name.equals("--rounds") ? number(name, value, 1, 1_000) : rounds,
            name.equals("--seconds") ? number(name, value, 1, 600) : seconds,
            name.equals("--warm-up") ? number(name, value, 1, 600) : warmUp,
            name.equals("--rate") ? number(name, value, 1, 1_000_000) : rate,
            name.equals("--windows") ? windows(value) : windows,
            name.equals("--groups") ? groups(value) : groups,
            name.equals("--candidates") ? List.of(value.split(";")) : candidates,
            name.equals("--workers") ? number(name, value, 1, 64) : workers,
            name.equals("--readers") ? number(name, value, 1, 64) : readers,
            name.equals("--jvm") ? List.of(value.trim().split("\\s+")) : jvm,
            name.equals("--anywhere") || anywhere,
            name.equals("--minutes") ? number(name, value, 1, 10_000) : minutes,
            name.equals("--json") ? FROM.resolve(value) : json,
            name.equals("--logs") ? FROM.resolve(value) : logs)
        .orUnknown(name);
  }

  private Options orUnknown(String name) {
    if (!name.startsWith("--") || !USAGE.contains("  " + name + " ")) {
      throw new IllegalArgumentException(name + " is no option");
    }
    return this;
  }

  private static int number(String name, String value, int least, int most) {
    try {
      int number = Integer.parseInt(value);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Reported below.
    }
    throw new IllegalArgumentException(
        "%s has to be a whole number from %d to %d".formatted(name, least, most));
  }

  private static List<Integer> windows(String value) {
    return Arrays.stream(value.split(","))
        .map(window -> number("--windows", window, 1, 1_000))
        .toList();
  }

  private static List<String> groups(String value) {
    List<String> groups = List.of(value.split(","));
    for (String group : groups) {
      if (!Benchmark.GROUPS.contains(group)) {
        throw new IllegalArgumentException(group + " is none of " + Benchmark.GROUPS);
      }
    }
    return groups;
  }
}
