package dev.lastmile.dashboards;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lastmile.testkit.process.Tool;
import dev.lastmile.testkit.telemetry.Loki;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Prometheus' own tool and a real Loki say of the boards and of Loki's configuration. */
@Tag("long")
class DashboardsIT {
  @TempDir private Path folder;

  @Test
  void theQueriesOfMetricsParse() throws Exception {
    StringBuilder rules = new StringBuilder("groups:\n  - name: boards\n    rules:\n");
    int number = 0;
    for (BoardQuery query : BoardQuery.all()) {
      if (query.isPromql()) {
        rules
            .append("      - record: board:query:n%d # %s\n".formatted(++number, query))
            .append("        expr: |\n")
            .append(query.interpolated().indent(10));
      }
    }
    assertThat(number).isGreaterThan(100);
    Path file = folder.resolve("boards.yaml");
    Files.writeString(file, rules);
    Tool.run("promtool", List.of("check", "rules", file.toString()));
  }

  /** A test of promtool: what a panel's query answers 10 m after these series began. */
  private static String test(String series, String place, String refId, String expected) {
    String query =
        BoardQuery.all().stream()
            .filter(each -> each.place().equals(place) && each.refId().equals(refId))
            .findFirst()
            .orElseThrow()
            .interpolated();
    StringBuilder test = new StringBuilder("  - interval: 5s\n    input_series:\n");
    for (String each : series.strip().split("\n", -1)) {
      String[] parts = each.strip().split(" +", 2);
      test.append("      - {series: '%s', values: '%s'}\n".formatted(parts[0], parts[1]));
    }
    test.append("    promql_expr_test:\n      - eval_time: 10m\n        expr: |-\n")
        .append(query.indent(10))
        .append("        exp_samples: [%s]\n".formatted(expected));
    return test.toString();
  }

  /** The windows that both scales have, 3d and 36m, mean something else in each. */
  @Test
  void whatTheFirstPanelsSayIsRight_atBothScales() throws Exception {
    String slo =
        """
        job_window:lastmile_delivery_loss:sli{window="30d"} 0.9x120
        job_window:lastmile_delivery_loss:sli{window="3d"} 0.5x120
        job_window:lastmile_delivery_loss:burn_rate{window="30d"} 9x120
        job_window:lastmile_delivery_loss:burn_rate{window="3d"} 4x120
        job_window:lastmile_delivery_loss:burn_rate{window="6h"} 3x120
        job_window:lastmile_delivery_loss:burn_rate{window="1h"} 2x120
        job_window:lastmile_delivery_loss:burn_rate{window="5m"} 7.2x120
        job:lastmile_delivery_loss:budget_remaining 0.5x120
        """;
    String demo =
        """
        job_window:lastmile_delivery_loss:sli{window="3d"} 0.8x120
        job_window:lastmile_delivery_loss:sli{window="432m"} 0.7x120
        job_window:lastmile_delivery_loss:burn_rate{window="3d"} 1x120
        job_window:lastmile_delivery_loss:burn_rate{window="432m"} 4x120
        job_window:lastmile_delivery_loss:burn_rate{window="36m"} 3x120
        job_window:lastmile_delivery_loss:burn_rate{window="6m"} 2x120
        job_window:lastmile_delivery_loss:burn_rate{window="30s"} 7.2x120
        job:lastmile_delivery_loss:budget_remaining 0.5x120
        """;
    String of30d = "{labels: 'job_window:lastmile_delivery_loss:sli{window=\"30d\"}', value: 0.9}";
    String of3d = "{labels: 'job_window:lastmile_delivery_loss:sli{window=\"3d\"}', value: 0.8}";
    String near = "How near the burn alerts are";
    String lasts = "At this pace the loss budget lasts";
    // One lost at 350 s, two at 400 s.
    String lost = "job:lastmile_deliveries_expired:increase5s 0x69 1 0x8 2 0x39";
    List<String> tests =
        List.of(
            test(slo, "Objectives", "A", of30d),
            test(demo, "Objectives", "A", of3d),
            test(slo, near, "A", "{value: 0.1388888888888889}"),
            test(demo, near, "A", "{value: 0.1388888888888889}"),
            test(slo, near, "D", "{value: 3}"),
            test(demo, near, "D", "{value: 3}"),
            test(slo, lasts, "A", "{value: 648000}"),
            test(demo, lasts, "A", "{value: 64800}"),
            test(lost, "Losing since", "A", "{value: 350000}"),
            test(lost, "Losing since", "B", "{value: 400000}"));
    Path file = folder.resolve("boards-test.yaml");
    Files.writeString(
        file, "rule_files: []\nevaluation_interval: 5s\ntests:\n" + String.join("", tests));
    Tool.run("promtool", List.of("test", "rules", file.toString()));
  }

  private static String line(String event, String level, String fields) {
    return """
    {"@timestamp":"%s","message":"%s","level":"%s","replica":"app-2","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",\
    "correlation_id":"c-1","operation_id":"op7-1"%s}\
    """
        .formatted(Instant.now().minusSeconds(5), event, level, fields);
  }

  @Test
  void theQueriesOfLogsParse_andFindTheirLines_withOneLabelOnly() {
    try (Loki loki = Loki.start()) {
      loki.push(
          List.of(
              line(
                  "delivery_expired",
                  "WARN",
                  ",\"owner\":\"app-3\",\"reason\":\"not_received\",\"age_seconds\":5.1"),
              line(
                  "subscription_state_changed",
                  "WARN",
                  ",\"from\":\"receiving\",\"to\":\"stalled\""),
              line("hop", "DEBUG", ",\"hop\":\"delivered\",\"outcome\":\"delivered\"")));
      int number = 0;
      for (BoardQuery query : BoardQuery.all()) {
        if (!query.isPromql()) {
          assertThat(lines(loki, query.interpolated())).as(query.toString()).isNotEmpty();
          number++;
        }
      }
      assertThat(number).isGreaterThan(3);

      // Ids are found, and make no streams.
      assertThat(loki.labels()).containsExactly("service_name");
      assertThat(lines(loki, "{service_name=\"lastmile\"} | correlation_id=\"c-1\"")).hasSize(3);
      assertThat(
              lines(
                  loki,
                  "{service_name=\"lastmile\"} | trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\""))
          .hasSize(3);
      assertThat(lines(loki, expired()))
          .containsExactly(
              "owner=app-3 reason=not_received age=5.1s correlation=c-1 operation=op7-1 v (told by app-2)");
      assertThatThrownBy(() -> loki.query("{service_name=", Duration.ofMinutes(1)))
          .hasMessageContaining("parse error");
    }
  }

  private static String expired() {
    return BoardQuery.all().stream()
        .filter(query -> query.place().equals("Updates that expired"))
        .findFirst()
        .orElseThrow()
        .interpolated();
  }

  private static List<String> lines(Loki loki, String query) {
    return Awaitility.await(query)
        .atMost(20, TimeUnit.SECONDS)
        .until(() -> loki.query(query, Duration.ofMinutes(5)), found -> !found.isEmpty());
  }
}
