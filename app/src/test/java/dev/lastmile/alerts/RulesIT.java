package dev.lastmile.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.process.Tool;
import dev.lastmile.testkit.rules.RuleFiles;
import dev.lastmile.testkit.telemetry.Alertmanager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What Prometheus' and Alertmanager's own tools say of the rules. */
class RulesIT {
  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"slo", "demo"})
  void promtoolFindsNothingToSayOfTheRules(String scale) throws Exception {
    List<String> arguments =
        new ArrayList<>(List.of("check", "rules", "--lint=all", "--lint-fatal"));
    RuleFiles.files(scale).forEach(file -> arguments.add(file.toString()));
    Tool.run("promtool", arguments);
  }

  static List<Path> tests() throws IOException {
    return tests("slo");
  }

  static List<Path> testsOfTheDemo() throws IOException {
    return tests("demo");
  }

  private static List<Path> tests(String scale) throws IOException {
    try (Stream<Path> files = Files.list(RuleFiles.folder(scale).resolve("tests"))) {
      List<Path> tests =
          files.filter(file -> file.toString().endsWith("-test.yaml")).sorted().toList();
      assertThat(tests).hasSizeGreaterThan(4);
      return tests;
    }
  }

  /** Each file by a process of its own, since promtool uses one core only. */
  @Execution(ExecutionMode.CONCURRENT)
  @ParameterizedTest
  @MethodSource("tests")
  void theTestsOfTheRulesPass(Path tests) throws Exception {
    Tool.run("promtool", List.of("test", "rules", tests.toString()));
  }

  /** The same tests at the scale of the demo, whose rules come from the same templates. */
  @Tag("long")
  @Execution(ExecutionMode.CONCURRENT)
  @ParameterizedTest
  @MethodSource("testsOfTheDemo")
  void theTestsOfTheDemosRulesPass(Path tests) throws Exception {
    Tool.run("promtool", List.of("test", "rules", tests.toString()));
  }

  @Test
  void theQueriesOfTheRunbooksParse() throws Exception {
    StringBuilder rules = new StringBuilder("groups:\n  - name: runbooks\n    rules:\n");
    int number = 0;
    for (Path runbook : RuleFiles.runbooks().values()) {
      for (String query : RuleFiles.queries(runbook)) {
        rules
            .append("      - record: runbook:query:n%d\n        expr: |\n".formatted(++number))
            .append(query.indent(10));
      }
    }
    assertThat(number).isGreaterThan(RuleFiles.runbooks().size());
    Path file = folder.resolve("runbooks.yaml");
    Files.writeString(file, rules);
    Tool.run("promtool", List.of("check", "rules", file.toString()));
  }

  @Test
  void theConfigurationOfPrometheusIsValid() throws Exception {
    Tool.run(
        "promtool", List.of("check", "config", "--syntax-only", "../prometheus/prometheus.yaml"));
  }

  @Test
  void everyAlertReachesWhomItIsFor() throws Exception {
    String configuration = RuleFiles.FOLDER.resolve("alertmanager.yaml").toString();
    Tool.run("amtool", List.of("check-config", configuration));
    int routes = 0;
    for (String line : Files.readAllLines(RuleFiles.FOLDER.resolve("tests/routes.txt"))) {
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      String[] route = line.split("=>", 2);
      List<String> arguments =
          new ArrayList<>(List.of("config", "routes", "test", "--config.file=" + configuration));
      arguments.add("--verify.receivers=" + route[1].strip());
      arguments.addAll(List.of(route[0].strip().split(" +")));
      Tool.run("amtool", arguments);
      routes++;
    }
    assertThat(routes).isGreaterThan(20);
  }

  /** A cause that has paged silences its effects, and nothing else. */
  @Test
  void onlyTheEffectsOfACauseAreSilenced_ofItsOwnReplica() {
    try (Alertmanager alertmanager = Alertmanager.start()) {
      alertmanager.raise(
          List.of(
              alert("RedisUnreachable", "app-1"),
              alert("RedisRefusing", "app-3"),
              alert("RedisUnreachable", "app-3"),
              alert("ReplicaNotReceiving", "app-1"),
              alert("LossWindowsSeen", "app-1"),
              alert("LedgerBacklog", ""),
              alert("ReplicaNotReceiving", "app-2"),
              alert("DeliveryLost", "app-2"),
              alert("LossWindowsSeen", "app-2"),
              alert("DeliveryLost", "app-3"),
              alert("DeliveryLossBurn", "")));
      assertThat(alertmanager.inhibited())
          .containsExactlyInAnyOrder(
              "ReplicaNotReceiving app-1",
              "LossWindowsSeen app-1",
              "RedisUnreachable app-3",
              "LedgerBacklog",
              "DeliveryLost app-2");
    }
  }

  private static Map<String, String> alert(String name, String replica) {
    return Map.of("alertname", name, "job", "lastmile", "replica", replica, "severity", "page");
  }
}
