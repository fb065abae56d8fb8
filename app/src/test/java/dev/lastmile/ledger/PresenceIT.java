package dev.lastmile.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.PartitionTags;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.testkit.telemetry.LedgerAudit;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.restassured.RestAssured;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests which replicas have presence of a channel in Redis, and from when until when. The Redis is
 * also a node of Redis Cluster.
 */
class PresenceIT {
  private static final Duration COLLECTED = Duration.ofSeconds(12);

  @TempDir static Path folder;

  private static RedisProcess redis;
  private static RedisClient client;
  private static StatefulRedisConnection<String, String> connection;
  private static RedisCommands<String, String> commands;
  private static Cluster cluster;
  private static LastmileProcess a;
  private static LastmileProcess b;

  @BeforeAll
  static void start() {
    // In cluster mode, a command or script fails if it uses keys of two slots or undeclared keys.
    redis = new RedisProcess(Ports.free(), folder, false).clustered();
    redis.start();
    client = RedisClient.create(redis.uri().toString());
    connection = client.connect();
    commands = connection.sync();
    cluster = Cluster.builder().redis(redis.uri()).replicas(2).start();
    a = cluster.replica(1);
    b = cluster.replica(2);
  }

  @AfterAll
  static void stop() {
    cluster.close();
    connection.close();
    client.shutdown();
    redis.close();
  }

  /** The replicas that have presence of any channel, read from Redis. */
  private static List<String> present() {
    List<String> replicas = new ArrayList<>();
    for (String key : commands.keys("*:presence:*")) {
      commands.hkeys(key).forEach(owner -> replicas.add(owner.substring(0, owner.indexOf('~'))));
    }
    return replicas.stream().sorted().toList();
  }

  private static List<String> channelSets() {
    return commands.keys("*:channels:*");
  }

  private static String incarnation(LastmileProcess replica) {
    return RestAssured.given()
        .baseUri(replica.management().toString())
        .get("/actuator/deliveries")
        .path("incarnation");
  }

  @Test
  void itIsInRedisBeforeTheStreamIsReady_andGoneWithTheLastConnection() {
    AtomicReference<List<String>> atReady = new AtomicReference<>();
    Browser browser = Browser.at(a);
    try (SseClient stream =
        browser.stream(
            a,
            "",
            event -> {
              if (event.name().equals("ready")) {
                atReady.set(present());
              }
            })) {
      stream.awaitReady();
      Awaitility.await().until(() -> atReady.get() != null);
      assertThat(atReady.get()).containsExactly("replica-1");
    }
    Awaitility.await().until(() -> present().isEmpty() && channelSets().isEmpty());
  }

  @Test
  void aReconnectToAnotherReplicaLeavesTheRightOwner_howeverLateTheOldOneNotices() {
    Browser browser = Browser.at(a);
    try (SseClient old = browser.stream(a)) {
      old.awaitReady();
      try (SseClient fresh = browser.stream(b)) {
        fresh.awaitReady();
        assertThat(present()).containsExactly("replica-1", "replica-2");
        old.close();
        Awaitility.await().until(() -> present().equals(List.of("replica-2")));
        String id = browser.create(a);
        fresh.await("version 1", e -> e.data().contains(id));
      }
    }
    Awaitility.await().until(() -> present().isEmpty());
  }

  @Test
  void streamsThatComeAndGoOnTheSameReplicaLeaveExactlyWhatIsOpen() {
    Browser browser = Browser.at(a);
    SseClient last = browser.stream(a);
    last.awaitReady();
    for (int i = 0; i < 150; i++) {
      SseClient next = i % 3 == 0 ? null : browser.stream(a);
      last.close();
      last = next == null ? browser.stream(a) : next;
      if (i % 2 == 0) {
        last.awaitReady();
      }
    }
    last.awaitReady();
    Awaitility.await().until(() -> present().equals(List.of("replica-1")));
    long expected = LedgerAudit.read(redis.uri()).total("expected");
    String id = browser.create(b);
    last.await("version 1", e -> e.data().contains(id));
    assertThat(LedgerAudit.read(redis.uri()).total("expected")).isEqualTo(expected + 1);
    last.close();
    Awaitility.await().until(() -> present().isEmpty() && channelSets().isEmpty());
    Awaitility.await().until(() -> LedgerAudit.read(redis.uri()).outstanding() == 0);
    LedgerAudit.read(redis.uri()).assertBalanced();
  }

  @Test
  void whatADeadReplicaLeavesIsCollected() {
    Browser browser = Browser.at(a);
    try (SseClient stream = browser.stream(b)) {
      stream.awaitReady();
      assertThat(present()).containsExactly("replica-2");
      b.kill();
      Awaitility.await()
          .atMost(COLLECTED)
          .until(() -> present().isEmpty() && channelSets().isEmpty());
      assertThat(commands.zrange(PartitionTags.ALL.get(3) + ":leases", 0, -1))
          .allMatch(name -> name.startsWith("replica-1~"));
    }
    b.start().awaitReady();
  }

  /**
   * The streams stay open during the pause. The replica announces them again with another
   * incarnation.
   */
  @Test
  void aReplicaThatSleptThroughItsLeaseTakesAnotherIncarnationAndIsAnOwnerAgain() {
    Browser browser = Browser.at(a);
    Webhooks webhooks = new Webhooks(cluster.secret());
    try (SseClient stream = browser.stream(b)) {
      stream.awaitReady();
      String before = incarnation(b);
      String id = browser.create(a);
      b.signal("STOP");
      Awaitility.await().atMost(COLLECTED).until(() -> present().isEmpty());
      webhooks.outcome(a, id, Webhooks.running(1, 10));
      b.signal("CONT");
      stream.await("the update of the pause", e -> e.data().contains("\"version\":2"));
      Awaitility.await().until(() -> present().equals(List.of("replica-2")));
      assertThat(incarnation(b)).isNotEqualTo(before);
      assertThat(stream.isEnded()).isFalse();
      long delivered = LedgerAudit.read(redis.uri()).of("replica-2", "delivered");
      webhooks.outcome(a, id, Webhooks.running(2, 20));
      stream.await("version 3", e -> e.data().contains("\"version\":3"));
      Awaitility.await()
          .until(() -> LedgerAudit.read(redis.uri()).of("replica-2", "delivered") == delivered + 1);
    }
    Awaitility.await().until(() -> present().isEmpty());
  }
}
