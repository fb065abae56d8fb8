package dev.lastmile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.validation.ValidationBindHandler;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.validation.beanvalidation.LocalValidatorFactoryBean;

/** A wrong setting stops the start and is named. */
class SettingsTest {
  @ParameterizedTest
  @CsvSource({
    "lastmile.strem.heartbeat=1s, lastmile.strem.heartbeat",
    "lastmile.stream.hartbeat=1s, lastmile.stream.hartbeat",
    "lastmile.unknown=1, lastmile.unknown",
    "lastmile.stream.heartbeat=1h, lastmile.stream.heartbeat",
    "lastmile.stream.queue-frames=0, lastmile.stream.queue-frames",
    "lastmile.stream.queue-bytes=many, lastmile.stream.queue-bytes",
    "lastmile.coordination=telepathy, lastmile.coordination",
    "lastmile.replica=no spaces, lastmile.replica",
    "lastmile.callbacks.secrets=topsecret, lastmile.callbacks.secrets",
    "lastmile.identity.key=too-short, lastmile.identity.key",
    "lastmile.redis.url=localhost, lastmile.redis.url",
    "lastmile.external.url=localhost:8090, lastmile.external.url",
    "lastmile.external.callback-urls=nonsense, lastmile.external.callback-urls",
    "lastmile.log.file-size=1B, lastmile.log.file-size",
    "lastmile.log.queue=1000, lastmile.log.queue"
  })
  void aWrongSettingStopsTheStartAndIsNamed(String setting, String named) {
    String sentence = sentence(catchThrowable(() -> start("--" + setting)));
    assertThat(sentence).contains(named).doesNotContain("topsecret", "too-short");
  }

  static Stream<Arguments> limits() {
    return Setting.all().stream()
        .flatMap(s -> s.outOfRange().stream().map(value -> Arguments.of(s, value)));
  }

  @ParameterizedTest
  @MethodSource("limits")
  void aValueOutOfRangeIsNamed(Setting setting, String value) {
    LocalValidatorFactoryBean validator = new LocalValidatorFactoryBean();
    validator.afterPropertiesSet();
    Map<String, String> values =
        Map.of(
            "lastmile.external-system.secrets",
            "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            setting.name(),
            value);
    Binder binder = new Binder(new MapConfigurationPropertySource(values));
    Throwable failure =
        catchThrowable(() ->
            binder.bind(
                setting.prefix(),
                Bindable.of(setting.record()),
                new ValidationBindHandler(validator)));
    assertThat(sentence(failure)).contains(setting.name());
    validator.close();
  }

  /** What whoever starts it reads. */
  private static String sentence(Throwable failure) {
    assertThat(failure).isNotNull();
    FailureAnalysis analysis = new SettingsFailureAnalyzer().analyze(failure);
    assertThat(analysis).as("analysis of " + failure).isNotNull();
    return analysis.getDescription();
  }

  @ParameterizedTest
  @CsvSource({
    "LASTMILE_IDENTITY_KEY, --lastmile.callbacks.secrets=whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "LASTMILE_WEBHOOK_SECRETS, --lastmile.identity.key=0123456789012345678901234567890123456789"
  })
  void productionWithoutSecretsDoesNotStart(String missing, String other) {
    assertThatThrownBy(() -> start("--spring.profiles.active=production", other))
        .hasStackTraceContaining(missing);
  }

  @ParameterizedTest
  @CsvSource({
    "LASTMILE_IDENTITY_KEY=demo-only-identity-key-that-everybody-can-read",
    "LASTMILE_WEBHOOK_SECRETS=whsec_ZGVtby1vbmx5LXNlY3JldC10aGF0LWV2ZXJ5Ym9keS1jYW4tcmVhZA==",
    "lastmile.identity.key=demo-only-identity-key-that-everybody-can-read",
    "lastmile.callbacks.secrets[0]=whsec_ZGVtby1vbmx5LXNlY3JldC10aGF0LWV2ZXJ5Ym9keS1jYW4tcmVhZA=="
  })
  void productionDoesNotStartWithSecretsThatEverybodyCanRead(String setting) {
    assertThatThrownBy(() -> start("--" + setting, "--spring.profiles.active=production"))
        .hasStackTraceContaining("for demonstrations");
  }

  @Test
  void productionShowsNobodyWhatIsForOperators_andHasNoFaults() {
    assertThatThrownBy(() ->
            start(
                "--spring.profiles.active=production",
                "--server.port=8099",
                "--management.server.port=8099"))
        .hasStackTraceContaining("MANAGEMENT_SERVER_PORT");
    assertThatThrownBy(() -> start("--spring.profiles.active=production,demo"))
        .hasStackTraceContaining("exclude each other");
  }

  private static void start(String... arguments) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "--server.port=0",
                "--management.server.port=0",
                "--lastmile.redis.url=redis://127.0.0.1:1",
                "--logging.level.root=OFF"));
    for (String argument : arguments) {
      // Given twice, both values would count.
      all.removeIf(other -> other.startsWith(argument.replaceFirst("=.*", "=")));
      all.add(argument);
    }
    // The switch of this build is no setting of a replica.
    String write = System.clearProperty("lastmile.write");
    try {
      Lastmile.main(all.toArray(String[]::new));
    } finally {
      if (write != null) {
        System.setProperty("lastmile.write", write);
      }
    }
  }
}
