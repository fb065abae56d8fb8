package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Data of another layout in a real Redis is not touched. */
class LayoutIT {
  @TempDir Path folder;

  private RedisProcess redis;

  @BeforeEach
  void start() {
    redis = new RedisProcess(Ports.free(), folder, false);
    redis.start();
  }

  @AfterEach
  void stop() {
    redis.close();
  }

  private void redis(Consumer<RedisCommands<String, String>> commands) {
    redis.ask(asked -> {
      commands.accept(asked);
      return true;
    });
  }

  private TestConnection connect() {
    TestConnection test =
        new TestConnection(
            List.of(
                "spring.data.redis.host=127.0.0.1",
                "spring.data.redis.port=" + redis.uri().getPort()));
    test.connection().start();
    return test;
  }

  private void refusedUntil(Consumer<RedisCommands<String, String>> remedy) {
    try (TestConnection test = connect()) {
      await("the cause").until(() -> test.errors.state().equals("other_layout"));
      assertThat(test.connection().isConnected()).isFalse();
      redis(commands -> assertThat(commands.keys("{p0pw}:*")).isEmpty());
      redis(remedy);
      await("the connection").until(() -> test.connection().isConnected());
      redis(commands -> assertThat(commands.get("lastmile:layout")).isEqualTo("2"));
    }
  }

  @Test
  void anotherStoredLayoutIsRefused() {
    redis(commands -> commands.set("lastmile:layout", "3"));
    refusedUntil(commands -> commands.del("lastmile:layout"));
  }

  @Test
  void dataOfTheFirstVersionIsRefused() {
    redis(commands -> commands.hset("{p0}:meta", "epoch", "00000000000000aa"));
    refusedUntil(commands -> commands.del("{p0}:meta"));
  }

  @Test
  void theLayoutIsStoredAgainWithTheFirstConnection() {
    try (TestConnection test = connect()) {
      await("the connection").until(() -> test.connection().isConnected());
    }
    redis(RedisCommands::flushall);
    try (TestConnection test = connect()) {
      await("the connection").until(() -> test.connection().isConnected());
      redis(commands -> assertThat(commands.get("lastmile:layout")).isEqualTo("2"));
    }
  }
}
