package dev.lastmile;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A wrong setting stops the start and is named. */
class SettingsTest {
  @ParameterizedTest
  @CsvSource({
    "lastmile.strem.heartbeat=1s, lastmile.strem.heartbeat",
    "lastmile.stream.hartbeat=1s, lastmile.stream.hartbeat",
    "lastmile.unknown=1, lastmile.unknown",
    "lastmile.stream.heartbeat=1h, heartbeat",
    "lastmile.stream.queue-frames=0, queueFrames",
    "lastmile.stream.queue-bytes=many, lastmile.stream.queue-bytes",
    "lastmile.coordination=telepathy, lastmile.coordination",
    "lastmile.replica=no spaces, lastmile.replica",
    "lastmile.callbacks.secrets=topsecret, lastmile.callbacks.secrets",
    "lastmile.identity.key=short, key"
  })
  void aWrongSettingStopsTheStartAndIsNamed(String setting, String named) {
    assertThatThrownBy(() -> start("--" + setting)).hasStackTraceContaining(named);
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

  private static void start(String... arguments) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "--server.port=0",
                "--management.server.port=0",
                "--lastmile.redis.url=redis://127.0.0.1:1",
                "--logging.level.root=OFF"));
    all.addAll(List.of(arguments));
    Lastmile.main(all.toArray(String[]::new));
  }
}
