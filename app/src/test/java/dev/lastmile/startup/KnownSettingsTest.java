package dev.lastmile.startup;

import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNoException;

import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.context.event.ApplicationPreparedEvent;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.MutablePropertySources;
import org.springframework.core.env.PropertySource;

class KnownSettingsTest {
  private static void start(String setting) {
    try (GenericApplicationContext context = new GenericApplicationContext()) {
      Map<String, Object> settings = Map.of(setting, "1h");
      MutablePropertySources sources = context.getEnvironment().getPropertySources();
      // The environment of the machine says nothing about the test.
      sources.stream().map(PropertySource::getName).toList().forEach(sources::remove);
      sources.addFirst(new MapPropertySource("test", settings));
      new KnownSettings()
          .onApplicationEvent(
              new ApplicationPreparedEvent(new SpringApplication(), new String[0], context));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lastmile.operations.deadline",
        "lastmile.operations.deadlines.export",
        "lastmile.operations.deadlines[bulk_export]",
        "LASTMILE_OPERATIONS_DEADLINE",
        "LASTMILE_OPERATIONS_DEADLINES_EXPORT",
        "lastmile.callbacks.secrets[0]",
        "LASTMILE_CALLBACKS_SECRETS_0",
        "lastmile.stream.maxConnections",
        "other.setting"
      })
  void aSettingIsKnownInEveryFormThatSpringBinds(String setting) {
    assertThatNoException().isThrownBy(() -> start(setting));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lastmile.operations.deadlinesexport",
        "lastmile.operation.deadlines[export]",
        "LASTMILE_OPERATIONS_DEADLINESEXPORT",
        "lastmile.stream.hartbeat"
      })
  void aMisspelledSettingIsNamed(String setting) {
    assertThatIllegalStateException()
        .isThrownBy(() -> start(setting))
        .withMessageContaining(setting);
  }
}
