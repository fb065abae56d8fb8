package dev.lastmile.testkit.settings;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Settings as a table of a document. */
public final class SettingsTable {
  private static final Map<String, String> TYPES =
      Map.of(
          "Integer", "whole number",
          "Double", "number",
          "Duration", "duration",
          "DataSize", "size",
          "String", "text");

  private SettingsTable() {}

  /** One row for each setting. */
  public static String of(List<Setting> settings) {
    StringBuilder text =
        new StringBuilder(
            """
            | Property | Environment | Type | Default | Limit | Meaning |
            |---|---|---|---|---|---|
            """);
    for (Setting setting : settings) {
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
    return text.toString();
  }

  /** Each has a sentence, and numbers and durations have a limit. */
  public static void assertComplete(List<Setting> settings) {
    for (Setting setting : settings) {
      assertThat(setting.sentence()).as(setting.name()).hasSizeGreaterThan(10).doesNotContain("|");
      if (setting.type().equals("Integer") || setting.type().equals("Duration")) {
        assertThat(setting.limit()).as(setting.name() + " has a limit").isNotEmpty();
      }
    }
  }

  private static String type(Setting setting) {
    List<String> choices = setting.choices();
    if (setting.type().startsWith("Map")) {
      return "one value per name";
    }
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
