package dev.lastmile.startup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.lastmile.Lastmile;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The service does not start with an invalid setting, and the message names it. */
class SettingsIT {
  @ParameterizedTest
  @CsvSource({
    "lastmile.strem.heartbeat=1s, lastmile.strem.heartbeat",
    "lastmile.stream.hartbeat=1s, lastmile.stream.hartbeat",
    "lastmile.unknown=1, lastmile.unknown",
    "lastmile.operations.deadlinesexport=1h, lastmile.operations.deadlinesexport",
    "lastmile.operations.deadlines.exports=1h, exports is not a kind",
    "lastmile.operations.deadlines.export=1ms, lastmile.operations.deadlines",
    "lastmile.stream.heartbeat=1h, lastmile.stream.heartbeat",
    "lastmile.stream.queue-frames=0, lastmile.stream.queue-frames",
    "lastmile.stream.queue-bytes=many, lastmile.stream.queue-bytes",
    "lastmile.fan-out=telepathy, 'lastmile.fan-out cannot be read as a value of type Mode: one of directed, broadcast, local-only'",
    "lastmile.replica=no spaces, lastmile.replica",
    "lastmile.callbacks.secrets=topsecret, lastmile.callbacks.secrets",
    "lastmile.identity.key=too-short, lastmile.identity.key",
    "spring.data.redis.url=localhost, spring.data.redis.url",
    "spring.data.redis.url=redis://:topsecret#1@redis:6379, spring.data.redis.url",
    "spring.data.redis.url=redis://:topsecret/1@redis:6379, spring.data.redis.url",
    "spring.data.redis.sentinel.master=lastmile, spring.data.redis.sentinel.master exclude each other",
    "'spring.data.redis.cluster.nodes=a:1,b:2', spring.data.redis.cluster.nodes exclude each other",
    "'spring.data.redis.masterreplica.nodes=a:1,b:2', spring.data.redis.masterreplica.nodes is not supported",
    "lastmile.jobs.url=localhost:8090, lastmile.jobs.url",
    "lastmile.jobs.callback-urls=nonsense, lastmile.jobs.callback-urls",
    "lastmile.log.file-size=1B, lastmile.log.file-size",
    "lastmile.log.queue=1000, lastmile.log.queue"
  })
  void aWrongSettingStopsTheStartAndIsNamed(String setting, String named) {
    String sentence = SettingsTest.sentence(catchThrowable(() -> start("--" + setting)));
    assertThat(sentence).contains(named).doesNotContain("topsecret", "too-short");
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
        .hasStackTraceContaining("public demo secret");
  }

  @Test
  void productionShowsNobodyWhatIsForOperators() {
    assertThatThrownBy(() ->
            start(
                "--spring.profiles.active=production",
                "--server.port=8099",
                "--management.server.port=8099"))
        .hasStackTraceContaining("MANAGEMENT_SERVER_PORT");
  }

  @Test
  void aClusterHasOneDatabase() {
    assertThatThrownBy(() ->
            Lastmile.main(
                new String[] {
                  "--spring.data.redis.cluster.nodes=127.0.0.1:1",
                  "--spring.data.redis.database=1",
                  "--logging.level.root=OFF"
                }))
        .hasStackTraceContaining("spring.data.redis.database must be 0");
  }

  private static void start(String... arguments) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "--server.port=0",
                "--management.server.port=0",
                "--spring.data.redis.url=redis://127.0.0.1:1",
                "--logging.level.root=OFF"));
    for (String argument : arguments) {
      // An option that is given twice would have both values.
      all.removeIf(other -> other.startsWith(argument.replaceFirst("=.*", "=")));
      all.add(argument);
    }
    Lastmile.main(all.toArray(String[]::new));
  }
}
