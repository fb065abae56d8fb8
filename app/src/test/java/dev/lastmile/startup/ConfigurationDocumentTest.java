package dev.lastmile.startup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.Generated;
import dev.lastmile.testkit.settings.Setting;
import dev.lastmile.testkit.settings.SettingsTable;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Compares {@code docs/reference/configuration.md} with the configuration metadata. */
class ConfigurationDocumentTest {
  static final List<Setting> SETTINGS =
      Setting.all(Path.of("target", "classes"), "application.yaml");

  @Test
  void theTableIsMadeFromTheMetadata() {
    Generated.assertPart(
        Path.of("..", "docs", "reference", "configuration.md"), SettingsTable.of(SETTINGS));
  }

  @Test
  void everySettingHasItsSentence() {
    assertThat(SETTINGS).hasSizeGreaterThan(70);
    SettingsTable.assertComplete(SETTINGS);
  }
}
