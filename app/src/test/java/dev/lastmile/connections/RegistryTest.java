package dev.lastmile.connections;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.connections.Registry.Admission;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;

class RegistryTest {
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final Registry registry =
      new Registry(new FakePresence(), TestUpdates.properties(16, 1_000, 8), () -> 0, meters);

  private static Connection connection() {
    Connection connection =
        new Connection(
            TestUpdates.CHANNEL, null, TestUpdates.properties(16, 1_000, 8), "replica-1", 0);
    connection.writeWith(
        new Writer() {
          @Override
          public void flush() {}

          @Override
          public void end() {}

          @Override
          public void abort() {}

          @Override
          public void refuse() {}
        });
    return connection;
  }

  private double closed(String reason) {
    return meters.get("stream.closed").tag("reason", reason).counter().count();
  }

  @Test
  void aLateCloseLeavesTheNewerConnectionOfTheSameClient() {
    Connection old = connection();
    Connection fresh = connection();
    registry.add(old);
    registry.add(fresh);
    registry.close(old, DisconnectReason.CLIENT_GONE);
    registry.close(old, DisconnectReason.ERROR);
    assertThat(registry.find(TestUpdates.CHANNEL.value()).connections()).containsExactly(fresh);
    assertThat(meters.get("stream.connections").gauge().value()).isEqualTo(1);
    assertThat(closed("client_gone")).isEqualTo(1);
    assertThat(closed("error")).isZero();
  }

  @Test
  void aChannelWithoutConnectionsIsForgotten() {
    Connection only = connection();
    registry.add(only);
    registry.close(only, DisconnectReason.CLIENT_GONE);
    assertThat(registry.find(TestUpdates.CHANNEL.value())).isNull();
    assertThat(registry.all()).isEmpty();
  }

  @Test
  void anIdentityHasItsLimitAndARefusalTakesNoPlace() {
    for (int i = 0; i < 10; i++) {
      assertThat(registry.add(connection())).isEqualTo(Admission.ADMITTED);
    }
    assertThat(registry.add(connection())).isEqualTo(Admission.IDENTITY_FULL);
    assertThat(meters.get("stream.connections").gauge().value()).isEqualTo(10);
    assertThat(meters.get("stream.opened").counter().count()).isEqualTo(10);
    assertThat(meters.get("stream.refused").tag("reason", "identity_full").counter().count())
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
