package dev.lastmile.benchmark;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * Measures this service and its peers in the same run, and prints the results. Exit status: 0 when
 * everything was measured, 1 when something was not, 2 when the machine or the command line is
 * unsuitable, 3 when the time was up.
 */
final class Benchmark {
  private static final Map<String, Supplier<Workload>> WORKLOADS = workloads();

  /** The groups of rows, in the order in which they are measured. */
  static final List<String> GROUPS = List.copyOf(WORKLOADS.keySet());

  private final Options options;
  private final BenchmarkResults results = new BenchmarkResults();
  private final Instant begun = Instant.now();
  private final DisturbanceMonitor disturbance = new DisturbanceMonitor();
  private final AtomicBoolean told = new AtomicBoolean();
  private boolean failed;

  private Benchmark(Options options) {
    this.options = options;
  }

  private static Map<String, Supplier<Workload>> workloads() {
    Map<String, Supplier<Workload>> all = new LinkedHashMap<>();
    all.put("idle", IdleWorkload::new);
    all.put("storm", StormWorkload::new);
    all.put("broadcast", BroadcastWorkload::new);
    all.put("unicast", UnicastWorkload::new);
    all.put("replicas", ReplicasWorkload::new);
    all.put("constants", ConstantsWorkload::new);
    all.put("ledger", LedgerWorkload::new);
    all.put("lists", ListsWorkload::new);
    all.put("kill", KillWorkload::new);
    return all;
  }

  public static void main(String[] arguments) {
    if (List.of(arguments).contains("--help")) {
      System.out.print(Options.usage());
      return;
    }
    Options options;
    try {
      options = Options.parse(arguments);
      check(options);
      BenchmarkResults.check(options.json());
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage() + "\n" + Options.usage());
      System.exit(2);
      return;
    }
    List<String> objections = new ArrayList<>(Machine.missing(true));
    List<String> doubts = Machine.objections(options);
    if (!options.anywhere()) {
      objections.addAll(doubts);
    }
    if (!objections.isEmpty()) {
      System.err.println("This machine is unsuitable:");
      objections.forEach(objection -> System.err.println("  " + objection));
      System.exit(2);
    }
    Benchmark benchmark = new Benchmark(options);
    doubts.forEach(doubt -> benchmark.results.note("Measured all the same: " + doubt + "."));
    System.exit(benchmark.run());
  }

  /**
   * Checks the names of candidates: a misspelled one would give an empty table.
   *
   * @throws IllegalArgumentException with the error as a sentence
   */
  private static void check(Options options) {
    List<String> known =
        options.groups().stream()
            .flatMap(group -> WORKLOADS.get(group).get().candidates().stream())
            .distinct()
            .toList();
    for (String candidate : options.candidates()) {
      if (!known.contains(candidate)) {
        throw new IllegalArgumentException(
            candidate + " is none of " + String.join("; ", known) + ", which these groups have");
      }
    }
  }

  private int run() {
    Thread.ofPlatform().name("deadline").daemon().start(this::endInTime);
    Runtime.getRuntime().addShutdownHook(new Thread(this::tellEarly, "tell"));
    disturbance.start();
    try (StubServices stubs = new StubServices()) {
      Bench bench = new Bench(options, stubs, results);
      for (String group : options.groups()) {
        disturbance.begin(group);
        measure(bench, group, WORKLOADS.get(group).get());
      }
    }
    tell();
    return failed ? 1 : 0;
  }

  /** All candidates once, then all again in the opposite order, and so on. */
  private void measure(Bench bench, String group, Workload workload) {
    for (int round = 1; round <= options.rounds(); round++) {
      List<String> candidates = new ArrayList<>(workload.candidates());
      if (round % 2 == 0) {
        Collections.reverse(candidates);
      }
      for (String candidate : candidates) {
        if (!options.candidates().isEmpty() && !options.candidates().contains(candidate)) {
          continue;
        }
        System.err.printf("%s, round %d of %d: %s%n", group, round, options.rounds(), candidate);
        results.round(round);
        try {
          workload.measure(bench, candidate);
        } catch (Exception | Error e) {
          failed = true;
          results.note(
              "Not measured: %s of %s, round %d: %s".formatted(group, candidate, round, e));
          e.printStackTrace();
        }
      }
    }
    workload.end(bench);
  }

  private void endInTime() {
    Ticker.pause(Duration.ofMinutes(options.minutes()));
    results.note("The time was up: missing figures were not measured.");
    try {
      tell();
    } finally {
      // Its shutdown hooks end the child processes too.
      System.exit(3);
    }
  }

  /** Prints the figures that were measured before Ctrl-C. */
  private void tellEarly() {
    if (!told.get()) {
      results.note("The run was stopped: missing figures were not measured.");
      tell();
    }
  }

  private void tell() {
    if (!told.compareAndSet(false, true)) {
      return;
    }
    Map<String, Object> about = new LinkedHashMap<>();
    about.put("begun", begun.toString());
    about.put("minutesTaken", Duration.between(begun, Instant.now()).toMinutes());
    about.put("machine", Machine.description());
    about.put("streams", options.streams());
    about.put("rounds", options.rounds());
    about.put("seconds", options.seconds());
    about.put("warmUp", options.warmUp());
    about.put("rate", options.rate());
    about.put("windows", options.windows());
    about.put("candidates", options.candidates());
    about.put("workers", options.workers());
    about.put("readers", options.readers());
    about.put("jvm", options.jvm());
    about.put("groups", options.groups());
    about.put("anywhere", options.anywhere());
    about.put("worstPercentOfTheMachine", disturbance.worst());
    System.out.println(results.table());
    results.write(options.json(), about);
    System.err.println("Also in " + options.json());
  }
}
