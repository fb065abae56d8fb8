package dev.lastmile.startup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.lastmile.testkit.settings.Setting;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.validation.ValidationBindHandler;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.validation.beanvalidation.LocalValidatorFactoryBean;

/** Every value outside its limits is refused, and the message names the setting. */
class SettingsTest {
  private static final LocalValidatorFactoryBean VALIDATOR = new LocalValidatorFactoryBean();

  @BeforeAll
  static void start() {
    VALIDATOR.afterPropertiesSet();
  }

  @AfterAll
  static void stop() {
    VALIDATOR.close();
  }

  static Stream<Arguments> limits() {
    return ConfigurationDocumentTest.SETTINGS.stream()
        .flatMap(s -> s.outOfRange().stream().map(value -> Arguments.of(s, value)));
  }

  @ParameterizedTest
  @MethodSource("limits")
  void aValueOutOfRangeIsNamed(Setting setting, String value) {
    Map<String, String> values = Map.of(setting.name(), value);
    Binder binder = new Binder(new MapConfigurationPropertySource(values));
    Throwable failure =
        catchThrowable(() ->
            binder.bind(
                setting.prefix(),
                Bindable.of(setting.record()),
                new ValidationBindHandler(VALIDATOR)));
    assertThat(sentence(failure)).contains(setting.name());
  }

  /** The message that a failed start prints. */
  static String sentence(Throwable failure) {
    assertThat(failure).isNotNull();
    FailureAnalysis analysis = new SettingsFailureAnalyzer().analyze(failure);
    assertThat(analysis).as("analysis of " + failure).isNotNull();
    return analysis.getDescription();
  }
}
