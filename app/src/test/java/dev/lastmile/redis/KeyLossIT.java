package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.PartitionTags;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import io.restassured.response.Response;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * After the loss of any key, or pair of keys, lists, creations, callbacks and streams go on, and
 * the account balances.
 */
@Tag("long")
@TestInstance(Lifecycle.PER_CLASS)
class KeyLossIT {
  private static final Duration PATIENCE = Duration.ofSeconds(15);
  private static final int LIMIT = 5;
  private static final int PAIRS = Integer.getInteger("lastmile.keys.pairs", 40);
  private static final long SEED = Long.getLong("lastmile.seed", 19);

  /**
   * By the name in {@code docs/reference/redis-keys.md}; C is a channel, O an operation, D a digest
   * and I an incarnation.
   */
  private static final List<String> KEYS =
      List.of(
          ":meta",
          ":log:C",
          ":operations:C",
          ":finals:C",
          ":pointer:O",
          ":timeline:O",
          ":idempotency:C:D",
          ":submissions",
          ":expiry",
          ":overdue",
          ":deadlines",
          ":leases",
          ":hearing",
          ":presence:C",
          ":channels:I",
          ":ledger",
          ":redelivered",
          ":entries",
          ":account",
          ":expired",
          ":totals");

  private RedisProcess redis;
  private RedisClient client;
  private RedisCommands<String, String> commands;
  private Cluster cluster;
  private LastmileProcess a;
  private LastmileProcess b;
  private Webhooks webhooks;

  @BeforeAll
  void start(@TempDir Path folder) {
    redis = new RedisProcess(Ports.free(), folder, false);
    redis.start();
    client = RedisClient.create(redis.uri().toString());
    commands = client.connect().sync();
    cluster =
        Cluster.builder()
            .redis(redis.uri())
            .replicas(2)
            .with("lastmile.retention.operations-per-channel", LIMIT)
            .with("lastmile.stream.presence-check", "3s")
            .start();
    a = cluster.replica(1);
    b = cluster.replica(2);
    webhooks = new Webhooks(cluster.secret());
  }

  @AfterAll
  void stop() {
    cluster.close();
    client.shutdown();
    redis.close();
  }

  static Stream<String> singles() {
    return KEYS.stream();
  }

  static Stream<String> pairs() {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < KEYS.size(); i++) {
      for (int j = i + 1; j < KEYS.size(); j++) {
        all.add(KEYS.get(i) + " " + KEYS.get(j));
      }
    }
    java.util.Collections.shuffle(all, new Random(SEED));
    return all.stream().limit(PAIRS);
  }

  @ParameterizedTest
  @MethodSource("singles")
  void aKeyIsDeleted(String key) {
    play(List.of(key));
  }

  @ParameterizedTest
  @MethodSource("pairs")
  void twoKeysAreDeleted(String keys) {
    play(List.of(keys.split(" ")));
  }

  private void play(List<String> deleted) {
    Browser browser = Browser.at(a);
    try (SseClient stream = browser.stream(b)) {
      stream.awaitReady();
      String pending =
          browser
              .ask(a)
              .contentType("application/json")
              .header("Idempotency-Key", "key-1")
              .body("{\"kind\":\"export\"}")
              .post("/api/operations")
              .path("operationId");
      webhooks.outcome(a, pending, Webhooks.running(1, 10));
      String ended = browser.create(a);
      webhooks.outcome(b, ended, Webhooks.succeeded(1));
      stream.await("the end", e -> e.data().contains(ended) && e.data().contains("SUCCEEDED"));

      String channel = channelOf(pending);
      delete(deleted, pending, channel);

      eventually("the list", () -> browser.list(a, ""), 200);
      Response created = eventually("a creation", () -> browser.tryCreate(a), 201);
      String next = created.jsonPath().getString("operationId");
      stream.await("the open stream to go on", e -> e.data().contains(next));
      eventually("the callback", () -> webhooks.send(b, next, Webhooks.running(1, 10)), 200);
      stream.await("version 2", e -> e.data().contains(next) && e.data().contains("\"version\":2"));
      String presence = commands.keys("*:presence:" + channel).toString();
      assertThat(presence).as("the owner has announced itself").contains(channel);
      try (SseClient other = browser.stream(a)) {
        other.awaitReady();
        other.await("the operation", e -> e.data().contains(next));
      }
    }
    assertThat(Metrics.of(a).sum("lastmile_redis_errors_total", "cause=\"error_reply\"")).isZero();
    assertThat(Metrics.of(b).sum("lastmile_redis_errors_total", "cause=\"error_reply\"")).isZero();
    await("the account to balance").atMost(PATIENCE).until(this::balances);
  }

  private String channelOf(String operation) {
    return commands.hget(tagOf(operation) + ":pointer:" + operation, "channel");
  }

  private static String tagOf(String operation) {
    return PartitionTags.ofOperation(operation);
  }

  private void delete(List<String> names, String operation, String channel) {
    String tag = tagOf(operation);
    List<String> keys = new ArrayList<>();
    for (String name : names) {
      if (name.equals(":hearing") || name.equals(":totals")) {
        keys.add(PartitionTags.FIRST + name);
      } else if (name.equals(":channels:I")) {
        keys.addAll(commands.keys(tag + ":channels:*"));
      } else if (name.equals(":idempotency:C:D")) {
        keys.addAll(commands.keys(tag + ":idempotency:" + channel + ":*"));
        assertThat(keys).isNotEmpty();
      } else {
        keys.add(tag + name.replace(":C", ":" + channel).replace(":O", ":" + operation));
      }
    }
    if (!keys.isEmpty()) {
      commands.del(keys.toArray(String[]::new));
    }
  }

  private static Response eventually(String what, Callable<Response> request, int status) {
    return await(what).atMost(PATIENCE).until(request, response -> response.statusCode() == status);
  }

  private boolean balances() {
    Metrics metrics = Metrics.of(a);
    double expected = metrics.sum("lastmile_deliveries_expected_total");
    double ended =
        metrics.sum("lastmile_deliveries_settled_total")
            + metrics.sum("lastmile_deliveries_expired_total");
    return metrics.sum("lastmile_deliveries_outstanding") == 0 && expected == ended;
  }

  /** No callback reaches an operation without its pointer, so it can never end. */
  @Test
  void aChannelFullOfOperationsWithoutPointersTakesNewOnes() {
    Browser browser = Browser.at(a);
    List<String> pending = new ArrayList<>();
    for (int i = 0; i < LIMIT; i++) {
      pending.add(browser.create(a));
    }
    browser.tryCreate(a).then().statusCode(429);
    for (String operation : pending.subList(1, LIMIT)) {
      commands.del(tagOf(operation) + ":pointer:" + operation);
    }
    String next = browser.create(b);
    assertThat(browser.list(a, "").jsonPath().getList("operations.operationId", String.class))
        .containsExactlyInAnyOrder(pending.getFirst(), next);
  }

  /** The alert RedisKeysLost uses the counter. */
  @Test
  void aRepairIsCounted() {
    double before = repairs();
    play(List.of(":operations:C"));
    await("the repair to be counted").until(() -> repairs() > before);
  }

  @Test
  void anEmptiedRedisIsCounted() {
    double before = repairs();
    play(List.of());
    commands.flushall();
    await("the loss to be counted").until(() -> repairs() > before);
  }

  private double repairs() {
    return Metrics.of(a).sum("lastmile_redis_repairs_total")
        + Metrics.of(b).sum("lastmile_redis_repairs_total");
  }
}
