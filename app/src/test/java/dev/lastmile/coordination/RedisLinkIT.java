package dev.lastmile.coordination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.lastmile.testing.Ports;
import dev.lastmile.testing.RedisServer.RedisProcess;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.KillArgs;
import io.lettuce.core.RedisClient;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that wait to leave together, on a real Redis: for so long that a test can look. */
class RedisLinkIT {
  private static final Duration GATHER = Duration.ofSeconds(20);

  @TempDir Path folder;

  private RedisProcess redis;
  private RedisClient client;
  private RedisClient other;
  private RedisCommands<String, String> commands;
  private RedisLink link;

  @BeforeEach
  void start() {
    redis = new RedisProcess(Ports.free(), folder, true);
    redis.start();
    client = RedisClient.create(redis.uri().toString());
    client.setOptions(
        ClientOptions.builder()
            .autoReconnect(false)
            .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .timeoutOptions(TimeoutOptions.enabled(GATHER.multipliedBy(2)))
            .build());
    other = RedisClient.create(redis.uri().toString());
    commands = other.connect().sync();
    link = new RedisLink(client, properties(), System::nanoTime);
    link.start();
    await().until(link::isUp);
  }

  @AfterEach
  void stop() {
    link.close();
    client.shutdown();
    other.shutdown();
    redis.close();
  }

  private RedisProperties properties() {
    return new RedisProperties(
        redis.uri().toString(),
        "updates",
        GATHER.multipliedBy(2),
        Duration.ofMillis(50),
        Duration.ofSeconds(2),
        Duration.ofSeconds(2),
        GATHER,
        100);
  }

  @Test
  void theFirstLeavesAtOnce_andTheSecondWaits() {
    set("first");
    await().until(() -> commands.get("first") != null);

    CompletableFuture<String> second = set("second");
    byte[] first = link.callAtOnce(async -> async.get("first"));
    assertThat(first).isNotNull();
    // That one took the second along; what comes now waits again.
    assertThat(second).succeedsWithin(Duration.ofSeconds(5));
    CompletableFuture<String> third = set("third");
    assertThat(commands.get("third")).isNull();
    assertThat(third).isNotDone();
  }

  @Test
  void enoughLeaveBeforeTheEndOfTheInterval() {
    set("first");
    await().until(() -> commands.get("first") != null);
    for (int i = 0; i < FlushPace.ENOUGH; i++) {
      set("n" + i);
    }
    await().until(() -> commands.get("n" + (FlushPace.ENOUGH - 1)) != null);
  }

  @Test
  void whatWaitsFailsAtOnceAndNeverArrives_whenTheConnectionBreaks() {
    set("first");
    await().until(() -> commands.get("first") != null);
    CompletableFuture<String> second = set("second");

    killConnections();

    assertThat(second).failsWithin(Duration.ofSeconds(5));
    await().until(link::isUp);
    assertThat(commands.get("second")).isNull();
  }

  @Test
  void whatWaitsFailsAtOnce_whenTheConnectionIsGivenUp() {
    set("first");
    await().until(() -> commands.get("first") != null);
    CompletableFuture<String> second = set("second");

    link.drop("for the test");

    assertThat(second).failsWithin(Duration.ofSeconds(5));
    await().until(link::isUp);
    assertThat(commands.get("second")).isNull();
  }

  @Test
  void epochsAreRenewed_whileOthersWait() {
    set("first");
    await().until(() -> commands.get("first") != null);
    set("second");
    commands.flushall();

    link.renewEpochs();

    assertThat(commands.hget("{p0}:meta", "epoch")).isNotNull();
  }

  @Test
  void nothingIsSent_whenRedisIsAway() {
    redis.stop();
    await().until(() -> !link.isUp());

    assertThatThrownBy(() -> set("first")).isInstanceOf(RedisAwayException.class);
    assertThatThrownBy(() -> link.callAtOnce(async -> async.get("first")))
        .isInstanceOf(RedisAwayException.class);
  }

  private CompletableFuture<String> set(String key) {
    CompletionStage<String> answer = link.startCall(async -> async.set(key, new byte[] {'1'}));
    return answer.toCompletableFuture();
  }

  /** All but the one that asks for it. */
  private void killConnections() {
    List<String> own = List.of(commands.clientId().toString());
    commands
        .clientList()
        .lines()
        .map(line -> line.replaceAll("^id=(\\d+) .*", "$1"))
        .filter(id -> !own.contains(id))
        .forEach(id -> commands.clientKill(KillArgs.Builder.id(Long.parseLong(id))));
  }
}
