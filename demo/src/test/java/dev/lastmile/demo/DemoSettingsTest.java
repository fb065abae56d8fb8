package dev.lastmile.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lastmile.testkit.Generated;
import dev.lastmile.testkit.settings.Setting;
import dev.lastmile.testkit.settings.SettingsTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The settings of the demo, of the load generator and of the simulated external system. */
class DemoSettingsTest {
  private static final List<Setting> SETTINGS = settings();

  private static List<Setting> settings() {
    List<Setting> all =
        new ArrayList<>(Setting.all(Path.of("target", "classes"), "application-demo.yaml"));
    all.addAll(
        Setting.all(
            Path.of("..", "testkit", "target", "classes"), "application-external-system.yaml"));
    return all;
  }

  @Test
  void theTableIsMadeFromTheMetadata() {
    Generated.assertPart(
        Path.of("..", "docs", "reference", "demo-configuration.md"), SettingsTable.of(SETTINGS));
  }

  @Test
  void everySettingHasItsSentence() {
    assertThat(SETTINGS).hasSizeGreaterThan(20);
    SettingsTable.assertComplete(SETTINGS);
  }

  @Test
  void productionHasNoFaultsThatAnyClientCanSwitch() {
    assertThatThrownBy(() ->
            DemoApplication.main(
                new String[] {
                  "--spring.profiles.active=production",
                  "--lastmile.identity.key=0123456789012345678901234567890123456789",
                  "--lastmile.callbacks.secrets=whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                  "--spring.data.redis.url=redis://127.0.0.1:1",
                  "--server.port=0",
                  "--management.server.port=0",
                  "--logging.level.root=OFF"
                }))
        .hasStackTraceContaining("not for the profile production");
  }
}
