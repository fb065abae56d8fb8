package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.PartitionTags;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.updates.Partition;
import io.lettuce.core.KillArgs;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.resource.Transports;
import io.netty.util.concurrent.EventExecutor;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that wait to leave together, on a real Redis: for so long that a test can look. */
class RedisConnectionIT {
  private static final Duration GATHER = Duration.ofSeconds(20);

  @TempDir Path folder;

  private RedisProcess redis;
  private static final Partition PARTITION = Partition.ALL.getFirst();

  private TestConnection test;
  private EventExecutor loop;
  private RedisClient other;
  private RedisCommands<String, String> commands;
  private RedisConnection connection;

  @BeforeEach
  void start() {
    redis = new RedisProcess(Ports.free(), folder, true);
    redis.start();
    test =
        new TestConnection(
            List.of("spring.data.redis.url=" + redis.uri()),
            set ->
                new RedisProperties(
                    "updates",
                    GATHER.multipliedBy(2),
                    set.redialInterval(),
                    set.connectTimeout(),
                    set.handshakeTimeout(),
                    set.clockInterval(),
                    set.clusterInterval(),
                    GATHER,
                    set.pointerCache()));
    connection = test.connection();
    loop =
        test.resources.eventLoopGroupProvider().allocate(Transports.eventLoopGroupClass()).next();
    other = RedisClient.create(redis.uri().toString());
    commands = other.connect().sync();
    connection.start();
    await().until(connection::isConnected);
  }

  @AfterEach
  void stop() {
    test.close();
    other.shutdown();
    redis.close();
  }

  @Test
  void whatNoThreadWaitsForWaits_underLoad() {
    load();
    CompletableFuture<String> waiting = set("waiting");

    assertThat(commands.get("waiting")).isNull();
    assertThat(waiting).isNotDone();
  }

  @Test
  void allThatWaitsLeavesAtOnceAndInOrder_whenAThreadWaits() {
    load();
    CompletableFuture<String> waiting = set("waiting");

    byte[] value = connection.call(PARTITION, async -> async.get("waiting"));

    assertThat(value).as("written before it was read").isNotNull();
    assertThat(waiting).succeedsWithin(Duration.ofSeconds(5));
  }

  @Test
  void enoughLeaveBeforeTheEndOfTheInterval() {
    load();
    for (int i = 0; i < CommandBatcher.BATCH; i++) {
      set("n" + i);
    }
    await().until(() -> commands.get("n" + (CommandBatcher.BATCH - 1)) != null);
  }

  @Test
  void whatWaitsFailsAtOnceAndNeverArrives_whenTheConnectionBreaks() {
    load();
    CompletableFuture<String> waiting = set("waiting");

    killConnections();

    assertThat(waiting).failsWithin(Duration.ofSeconds(5));
    await().until(connection::isConnected);
    assertThat(commands.get("waiting")).isNull();
  }

  @Test
  void whatWaitsFailsAtOnce_whenTheConnectionIsGivenUp() {
    load();
    CompletableFuture<String> waiting = set("waiting");

    connection.primary(PARTITION).drop("for the test");

    assertThat(waiting).failsWithin(Duration.ofSeconds(5));
    await().until(connection::isConnected);
    assertThat(commands.get("waiting")).isNull();
  }

  @Test
  void whatWaitsLeaves_whenTheApplicationEnds() {
    load();
    set("waiting");

    connection.close();

    await().until(() -> commands.get("waiting") != null);
  }

  @Test
  void epochsAreRenewed_whileOthersWait() {
    load();
    set("waiting");
    commands.flushall();

    connection.renewEpochs(PARTITION);

    assertThat(commands.hget(PartitionTags.FIRST + ":meta", "epoch")).isNotNull();
  }

  @Test
  void nothingIsSent_whenRedisIsAway() {
    redis.stop();
    await().until(() -> !connection.isConnected());

    assertThatThrownBy(() -> set("first")).isInstanceOf(RedisUnavailableException.class);
    assertThatThrownBy(() -> connection.call(PARTITION, async -> async.get("first")))
        .isInstanceOf(RedisUnavailableException.class);
  }

  @Test
  void moreThanMayBeUnderWayFailAtOnce_andLaterOnesDoNot() throws Exception {
    redis.signal("STOP");
    AtomicInteger refused = new AtomicInteger();
    List<CompletableFuture<String>> sent = new ArrayList<>();
    for (int i = 0; i < 70_000; i++) {
      try {
        sent.add(set("n"));
      } catch (RedisUnavailableException e) {
        refused.incrementAndGet();
      }
    }
    assertThat(sent).hasSize(65_536);
    assertThat(refused).hasValue(70_000 - 65_536);

    redis.signal("CONT");
    assertThat(CompletableFuture.allOf(sent.toArray(CompletableFuture[]::new)))
        .succeedsWithin(Duration.ofSeconds(30));
    byte[] value = connection.call(PARTITION, async -> async.get("n"));
    assertThat(value).isNotNull();
  }

  /** So many at once that the next ones wait. */
  private void load() {
    CountDownLatch ready = new CountDownLatch(1);
    loop.execute(() -> {
      try {
        ready.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    });
    for (int i = 0; i < CommandBatcher.LOAD; i++) {
      set("load" + i);
    }
    ready.countDown();
    await().until(() -> commands.get("load" + (CommandBatcher.LOAD - 1)) != null);
  }

  private CompletableFuture<String> set(String key) {
    CompletionStage<String> answer =
        connection.startCall(PARTITION, async -> async.set(key, new byte[] {'1'}));
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
