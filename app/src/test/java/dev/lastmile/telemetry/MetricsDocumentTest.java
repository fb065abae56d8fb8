package dev.lastmile.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.Generated;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** Compares {@code docs/reference/metrics.md} with the catalogue of metrics. */
class MetricsDocumentTest {
  @Test
  void theDocumentIsMadeFromTheCatalogue() {
    StringBuilder text =
        new StringBuilder("| Series | Kind | Labels | Meaning |\n|---|---|---|---|\n");
    for (Metric metric : Metric.values()) {
      text.append(
          "| `%s` | %s | %s | %s |%n"
              .formatted(
                  metric.prometheusName(),
                  metric.kind().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                  metric.labels().isEmpty() ? "" : "`" + String.join("`, `", metric.labels()) + "`",
                  metric.sentence()));
    }
    text.append("\n| Hop | Outcomes |\n|---|---|\n");
    for (Hop hop : Hop.values()) {
      text.append(
          "| `%s` | `%s` |%n".formatted(hop.wireName(), String.join("`, `", hop.outcomes())));
    }
    Generated.assertPart(Path.of("..", "docs", "reference", "metrics.md"), text.toString());
  }

  @Test
  void namesAreUniqueAndBeginWithOursAndEndAsPrometheusWantsThem() {
    assertThat(Arrays.stream(Metric.values()).map(Metric::prometheusName)).doesNotHaveDuplicates();
    for (Metric metric : Metric.values()) {
      boolean counts = metric.kind() == Metric.Kind.COUNTER || metric.kind() == Metric.Kind.ACCOUNT;
      assertThat(metric.prometheusName()).startsWith("lastmile_");
      assertThat(metric.prometheusName().endsWith("_total")).as(metric.name()).isEqualTo(counts);
      assertThat(metric.labels()).doesNotContain("operation_id", "correlation_id", "trace_id");
    }
  }
}
