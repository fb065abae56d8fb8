package dev.lastmile.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.telemetry.Metric;
import dev.lastmile.testkit.Generated;
import dev.lastmile.testkit.rules.RuleFiles;
import dev.lastmile.testkit.rules.RuleFiles.Rule;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The rule files equal their rendered templates, and every alert has its labels, annotations and
 * runbook.
 */
class RulesTest {
  @ParameterizedTest
  @ValueSource(strings = {"slo", "demo"})
  void theFilesAreMadeFromTheirTemplates(String scale) {
    RuleFiles.rendered(scale).forEach(Generated::assertFile);
    Set<String> made =
        RuleFiles.rendered(scale).keySet().stream()
            .map(path -> path.getFileName().toString())
            .collect(Collectors.toSet());
    assertThat(RuleFiles.files(scale)).allMatch(path -> made.contains(path.getFileName() + ""));
  }

  @ParameterizedTest
  @ValueSource(strings = {"slo", "demo"})
  void everyAlertHasWhatSomebodyNeedsAtThreeInTheMorning(String scale) {
    for (Rule rule : RuleFiles.rules(scale)) {
      if (!rule.isAlert()) {
        assertThat(rule.name()).as("level:metric:operations").matches("[a-z_]+:[a-z_]+:[a-z0-9_]+");
        continue;
      }
      assertThat(rule.map("labels")).as(rule.name()).containsKeys("severity", "team");
      assertThat(rule.map("labels").get("severity")).as(rule.name()).isIn("page", "ticket", "none");
      assertThat(rule.map("annotations"))
          .as(rule.name())
          .containsOnlyKeys("summary", "description", "runbook_url", "dashboard_url");
      assertThat(rule.map("annotations").get("runbook_url"))
          .endsWith("/alert-rules/runbooks/" + rule.name() + ".md");
    }
  }

  @Test
  void everyAlertHasItsRunbook_andEveryRunbookItsAlert() {
    Set<String> alerts = new TreeSet<>();
    for (String scale : RuleFiles.SCALES) {
      RuleFiles.rules(scale).stream()
          .filter(Rule::isAlert)
          .forEach(rule -> alerts.add(rule.name()));
    }
    assertThat(RuleFiles.runbooks().keySet()).isEqualTo(alerts);
    RuleFiles.runbooks()
        .forEach((alert, runbook) -> {
          String text = RuleFiles.read(runbook);
          assertThat(text).startsWith("# " + alert + "\n");
          for (String heading :
              new String[] {
                "What it means", "What the user feels", "First look", "What to do", "Reproduce it"
              }) {
            assertThat(text).as(alert).contains("\n## " + heading + "\n");
          }
        });
  }

  @Test
  void bothScalesHaveTheSameRules_exceptForTheDemosOwnAlert() {
    Set<String> real = names("slo");
    Set<String> demo = names("demo");
    assertThat(demo).containsAll(real);
    demo.removeAll(real);
    assertThat(demo).containsExactly("NoTraffic");
  }

  private static Set<String> names(String scale) {
    return RuleFiles.rules(scale).stream()
        .map(Rule::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @ParameterizedTest
  @ValueSource(strings = {"slo", "demo"})
  void everySeriesOfOursThatIsNamedIsInTheCatalogueOrRecorded(String scale) {
    Set<String> known = new TreeSet<>(names(scale));
    Arrays.stream(Metric.values()).map(Metric::prometheusName).forEach(known::add);
    for (String suffix : new String[] {"_bucket", "_count", "_sum"}) {
      known.add(Metric.LATENCY.prometheusName() + suffix);
    }
    for (String expression : RuleFiles.expressions(scale)) {
      assertThat(RuleFiles.series(expression))
          .as(expression)
          .filteredOn(name -> name.contains(":") || name.startsWith("lastmile_"))
          .allMatch(known::contains);
    }
  }
}
