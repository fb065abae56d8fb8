package dev.lastmile.demo.scenarios;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.lastmile.testkit.process.Tool;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.opentest4j.TestAbortedException;

/**
 * Repeats every scenario 20 times: {@code ./mvnw verify -Pproof}, or {@code
 * -Dlastmile.proof.rounds=N} times. The round is the seed.
 *
 * <p>Each run appends a line with the commit, the scenario, the seed and the result to {@code
 * target/proof.csv}. A run that passed is not repeated, so a proof that was stopped continues.
 */
@EnabledIfSystemProperty(named = "lastmile.proof.rounds", matches = "[0-9]+")
class ProofIT {
  private static final Path TABLE = Path.of("..", "target", "proof.csv");
  private static final String HEAD = "commit,scenario,seed,result,seconds,at\n";

  private static final List<Class<? extends Scenario>> SCENARIOS =
      List.of(
          ReplicaFaultsIT.class,
          ClientFaultsIT.class,
          PubsubFaultsIT.class,
          RandomScheduleIT.class);

  @TestFactory
  Stream<DynamicTest> everyScenarioInEveryRound() throws Exception {
    String commit = commit();
    long rounds = Long.getLong("lastmile.proof.rounds");
    return LongStream.rangeClosed(1, rounds)
        .boxed()
        .flatMap(seed ->
            SCENARIOS.stream()
                .flatMap(type ->
                    scenarios(type)
                        .map(method ->
                            DynamicTest.dynamicTest(
                                name(type, method) + " seed " + seed,
                                () -> proveOnce(commit, type, method, seed)))));
  }

  private static Stream<Method> scenarios(Class<?> type) {
    return Arrays.stream(type.getDeclaredMethods())
        .filter(method -> method.isAnnotationPresent(Test.class))
        .sorted(Comparator.comparing(Method::getName));
  }

  private static String name(Class<?> type, Method method) {
    return type.getSimpleName() + "." + method.getName();
  }

  private static void proveOnce(
      String commit, Class<? extends Scenario> type, Method method, long seed) throws Throwable {
    String key = commit + "," + name(type, method) + "," + seed + ",";
    assumeFalse(isRecorded(key), "recorded in " + TABLE);
    long begun = System.nanoTime();
    Scenario scenario = type.getDeclaredConstructor().newInstance();
    scenario.start(seed);
    Throwable failure = null;
    try {
      method.invoke(scenario);
    } catch (InvocationTargetException e) {
      failure = e.getCause();
    }
    long seconds = (System.nanoTime() - begun) / 1_000_000_000;
    record(
        key
            + result(failure)
            + ","
            + seconds
            + ","
            + Instant.now().truncatedTo(ChronoUnit.SECONDS));
    scenario.end();
    if (failure != null) {
      throw failure;
    }
  }

  private static String result(Throwable failure) {
    return failure == null
        ? "passed"
        : failure instanceof TestAbortedException ? "skipped" : "failed";
  }

  /** A run that failed is repeated. */
  private static boolean isRecorded(String key) throws IOException {
    return Files.exists(TABLE)
        && Files.readAllLines(TABLE).stream()
            .anyMatch(line -> line.startsWith(key) && !line.startsWith(key + "failed"));
  }

  private static void record(String line) throws IOException {
    Files.createDirectories(TABLE.getParent());
    if (!Files.exists(TABLE)) {
      Files.writeString(TABLE, HEAD);
    }
    Files.writeString(TABLE, line + "\n", StandardOpenOption.APPEND);
  }

  /** The commit, with a mark if the tree has changes. */
  private static String commit() throws IOException, InterruptedException {
    String id = Tool.run("git", List.of("rev-parse", "--short=12", "HEAD")).strip();
    String changes = Tool.run("git", List.of("status", "--porcelain", "--untracked-files=no"));
    return changes.isBlank() ? id : id + "+";
  }
}
