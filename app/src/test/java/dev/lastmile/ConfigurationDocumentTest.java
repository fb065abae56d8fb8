package dev.lastmile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testing.Generated;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** {@code docs/configuration.md} says what the compiler found in the properties themselves. */
class ConfigurationDocumentTest {
  private static final Map<String, String> TYPES =
      Map.of(
          "Integer", "whole number",
          "Double", "number",
          "Duration", "duration",
          "DataSize", "size",
          "String", "text");

  @Test
  void theTableIsMadeFromTheMetadata() {
    StringBuilder text =
        new StringBuilder(
            "| Property | Environment | Type | Default | Limit | |\n|---|---|---|---|---|---|\n");
    for (Setting setting : Setting.all()) {
      text.append(
          "| `%s` | %s | %s | %s | %s | %s |%n"
              .formatted(
                  setting.name(),
                  code(setting.environment()),
                  type(setting),
                  code(setting.defaultValue()),
                  setting.limit(),
                  setting.sentence()));
    }
    Generated.assertPart(Path.of("..", "docs", "configuration.md"), text.toString());
  }

  @Test
  void everySettingHasItsSentence() {
    assertThat(Setting.all()).hasSizeGreaterThan(80);
    for (Setting setting : Setting.all()) {
      assertThat(setting.sentence()).as(setting.name()).hasSizeGreaterThan(10).doesNotContain("|");
      if (setting.type().equals("Integer") || setting.type().equals("Duration")) {
        assertThat(setting.limit()).as(setting.name() + " has a limit").isNotEmpty();
      }
    }
  }

  private static String type(Setting setting) {
    List<String> choices = setting.choices();
    return choices.isEmpty()
        ? TYPES.getOrDefault(setting.type(), "list")
        : choices.stream()
            .map(choice -> "`" + choice.toLowerCase(Locale.ROOT).replace('_', '-') + "`")
            .collect(Collectors.joining(", "));
  }

  private static String code(String text) {
    return text.isEmpty() ? "" : "`" + text + "`";
  }
}
