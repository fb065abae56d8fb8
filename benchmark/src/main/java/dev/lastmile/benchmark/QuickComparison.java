package dev.lastmile.benchmark;

import static dev.lastmile.benchmark.QuickMeasure.AFTER;
import static dev.lastmile.benchmark.QuickMeasure.BEFORE;

import dev.lastmile.benchmark.QuickCandidate.Round;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * Compares the service of the working tree with that of an earlier commit. Both run from the first
 * round to the last; they are measured in turn, in alternating order.
 *
 * <p>Exit status: 0 when the comparison was made and no limit was exceeded; 1 when a stream was
 * refused, a delivery lost or a limit exceeded; 2 when the machine or the command line is
 * unsuitable; 3 when the time was up.
 */
final class QuickComparison {
  private static final String GROUP = "quick";

  private final QuickOptions quick;
  private final BenchmarkResults results = new BenchmarkResults();
  private final List<String> failures = new ArrayList<>();
  private final DisturbanceMonitor disturbance = new DisturbanceMonitor();
  private final Instant begun = Instant.now();
  private volatile boolean told;

  private QuickComparison(QuickOptions quick) {
    this.quick = quick;
  }

  public static void main(String[] arguments) {
    QuickOptions quick;
    try {
      quick = QuickOptions.parse(arguments);
      BenchmarkResults.check(quick.options().json());
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage() + "\n" + QuickOptions.USAGE);
      System.exit(2);
      return;
    }
    List<String> objections = new ArrayList<>(Machine.missing(false));
    List<String> doubts = Machine.objections(quick.options());
    if (!quick.options().anywhere()) {
      objections.addAll(doubts);
    }
    if (!objections.isEmpty()) {
      System.err.println("This machine is unsuitable:");
      objections.forEach(objection -> System.err.println("  " + objection));
      System.exit(2);
    }
    QuickComparison comparison = new QuickComparison(quick);
    doubts.forEach(doubt -> comparison.results.note("Measured all the same: " + doubt + "."));
    System.exit(comparison.run());
  }

  private int run() {
    Thread.ofPlatform().name("deadline").daemon().start(this::endInTime);
    Runtime.getRuntime().addShutdownHook(new Thread(this::tellEarly, "tell"));
    disturbance.start();
    try (StubServices stubs = new StubServices()) {
      compare(new Bench(quick.options(), stubs, results));
    } catch (RuntimeException e) {
      failures.add("not measured to the end: " + e.toString().lines().findFirst().orElseThrow());
      e.printStackTrace();
    }
    return tell();
  }

  private void compare(Bench bench) {
    try (QuickCandidate before =
            new QuickCandidate(bench, ServiceBuild.baseline(quick.baseline()));
        QuickCandidate after = new QuickCandidate(bench, ServiceBuild.workingTree())) {
      before.start();
      after.start();
      System.err.println("warm-up");
      // Together they get the rate that each has alone in a round.
      double rate = quick.options().rate() / 2.0;
      inBoth(before, after, candidate -> candidate.warmUp(rate));
      disturbance.begin(GROUP);
      for (int round = 1; round <= quick.options().rounds(); round++) {
        results.round(round);
        boolean isOdd = round % 2 == 1;
        measure(round, isOdd ? BEFORE : AFTER, isOdd ? before : after);
        measure(round, isOdd ? AFTER : BEFORE, isOdd ? after : before);
      }
    }
  }

  /** Both at the same time, since neither is measured meanwhile. */
  private static void inBoth(
      QuickCandidate before, QuickCandidate after, Consumer<QuickCandidate> work) {
    CompletableFuture<Void> other = CompletableFuture.runAsync(() -> work.accept(before));
    work.accept(after);
    other.join();
  }

  private void measure(int round, String name, QuickCandidate candidate) {
    System.err.printf("round %d of %d: %s%n", round, quick.options().rounds(), name);
    Round measured = candidate.measure();
    results.add(QuickMeasure.CPU.measure(), name, measured.microsPerUpdate());
    results.add(QuickMeasure.HEAP.measure(), name, measured.heapKilobytes());
    results.add(QuickMeasure.STORM.measure(), name, measured.stormMillis());
    failures.addAll(wrong(round, name, measured));
  }

  /** Errors that fail the comparison, however few. */
  static List<String> wrong(int round, String name, Round measured) {
    List<String> wrong = new ArrayList<>();
    if (measured.refused() > 0) {
      wrong.add("round %d, %s: %d streams refused".formatted(round, name, measured.refused()));
    }
    if (measured.wrong() > 0) {
      wrong.add(
          "round %d, %s: %d updates refused, or deliveries lost or made twice"
              .formatted(round, name, measured.wrong()));
    }
    return wrong;
  }

  /** Prints and writes the table; returns the exit status. */
  private int tell() {
    for (QuickMeasure quickMeasure : QuickMeasure.values()) {
      String failure =
          quickMeasure.failure(
              results.of(quickMeasure.measure(), BEFORE),
              results.of(quickMeasure.measure(), AFTER));
      if (!failure.isEmpty()) {
        failures.add(failure);
      }
    }
    results.note("Before: commit %s. After: the working tree.".formatted(quick.commit()));
    disturbance
        .worst()
        .values()
        .forEach(worst ->
            results.note(
                "At worst other processes used %.0f %% of the machine, its host %.0f %%."
                    .formatted(worst.others(), worst.steal())));
    failures.forEach(failure -> results.note("Failed: " + failure + "."));
    if (failures.isEmpty()) {
      results.note("Passed: nothing was lost or refused, and no limit is exceeded.");
    }
    told = true;
    String table = results.table();
    System.out.println(table);
    Path json = quick.options().json();
    results.write(json, about());
    Path text =
        json.resolveSibling(json.getFileName().toString().replaceFirst("\\.json$", "") + ".md");
    try {
      Files.writeString(text, table);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    System.err.println("Also in " + text + " and " + json);
    return failures.isEmpty() ? 0 : 1;
  }

  /** Prints the figures that were measured before Ctrl-C or the time limit. */
  private void tellEarly() {
    if (!told) {
      results.note("The run was stopped: missing figures were not measured.");
      System.out.println(results.table());
    }
  }

  private Map<String, Object> about() {
    Options options = quick.options();
    Map<String, Object> about = new LinkedHashMap<>();
    about.put("begun", begun.toString());
    about.put("secondsTaken", Duration.between(begun, Instant.now()).toSeconds());
    about.put("machine", Machine.description());
    about.put("baseline", quick.commit());
    about.put("streams", options.streams());
    about.put("rounds", options.rounds());
    about.put("seconds", options.seconds());
    about.put("warmUp", options.warmUp());
    about.put("rate", options.rate());
    about.put("jvm", options.jvm());
    about.put("anywhere", options.anywhere());
    return about;
  }

  private void endInTime() {
    Ticker.pause(Duration.ofMinutes(quick.options().minutes()));
    System.err.println("The time was up.");
    // Its shutdown hooks end the child processes too.
    System.exit(3);
  }
}
