package dev.lastmile.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.updates.DeliveryOutcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A new outcome of a delivery needs a text where people read outcomes; counters, scripts, series
 * and queries take it from the enum.
 */
class DeliveryOutcomeTextsTest {
  private static final Path PAGE = Path.of("src", "main", "resources", "demo");
  private static final Path ROOT = Path.of("..");

  @ParameterizedTest
  @EnumSource(DeliveryOutcome.class)
  void thePageTheBoardAndTheDocumentExplainIt(DeliveryOutcome outcome) throws IOException {
    for (Path file :
        new Path[] {
          PAGE.resolve("account.js"),
          ROOT.resolve("grafana/boards/delivery-slo.yaml"),
          ROOT.resolve("docs/explanation/ledger.md")
        }) {
      assertThat(Files.readString(file)).as(file.toString()).contains(outcome.wireName());
    }
  }
}
