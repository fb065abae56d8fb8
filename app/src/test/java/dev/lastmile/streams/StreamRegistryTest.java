package dev.lastmile.streams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.streams.StreamRegistry.Admission;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;

class StreamRegistryTest {
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final StreamRegistry registry =
      new StreamRegistry(new FakePresence(), TestUpdates.properties(16, 1_000, 8), () -> 0, meters);

  private static StreamConnection connection() {
    StreamConnection connection =
        new StreamConnection(
            TestUpdates.CHANNEL,
            null,
            "",
            TestUpdates.properties(16, 1_000, 8),
            TestUpdates.memory(),
            "replica-1",
            0);
    connection.writeWith(new SilentWriter());
    return connection;
  }

  private double closed(String reason) {
    return meters.get("lastmile.stream.closed").tag("reason", reason).counter().count();
  }

  @Test
  void aLateCloseLeavesTheNewerConnectionOfTheSameClient() {
    StreamConnection old = connection();
    StreamConnection fresh = connection();
    registry.add(old);
    registry.add(fresh);
    registry.close(old, CloseReason.CLIENT_GONE);
    registry.close(old, CloseReason.ERROR);
    assertThat(registry.find(TestUpdates.CHANNEL.value()).connections()).containsExactly(fresh);
    assertThat(meters.get("lastmile.stream.connections").gauge().value()).isEqualTo(1);
    assertThat(closed("client_gone")).isEqualTo(1);
    assertThat(closed("error")).isZero();
  }

  @Test
  void aChannelWithoutConnectionsIsForgotten() {
    StreamConnection only = connection();
    registry.add(only);
    registry.close(only, CloseReason.CLIENT_GONE);
    assertThat(registry.find(TestUpdates.CHANNEL.value())).isNull();
    assertThat(registry.all()).isEmpty();
  }

  @Test
  void anIdentityHasItsLimitAndARefusalTakesNoPlace() {
    for (int i = 0; i < 10; i++) {
      assertThat(registry.add(connection())).isEqualTo(Admission.ADMITTED);
    }
    assertThat(registry.add(connection())).isEqualTo(Admission.IDENTITY_FULL);
    assertThat(meters.get("lastmile.stream.connections").gauge().value()).isEqualTo(10);
    assertThat(meters.get("lastmile.stream.opened").counter().count()).isEqualTo(10);
    assertThat(
            meters.get("lastmile.stream.rejected").tag("reason", "identity_full").counter().count())
        .isEqualTo(1);
  }

  @Test
  void aReplicaThatStopsTakesNoNewStreams() {
    registry.add(connection());
    registry.shutDown();
    assertThat(registry.add(connection())).isEqualTo(Admission.SHUTTING_DOWN);
    assertThat(registry.all()).isEmpty();
    assertThat(closed("shutdown")).isEqualTo(1);
  }
}
