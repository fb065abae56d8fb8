package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.equalTo;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Redis is unreachable, killed, emptied or paused, or a subscription breaks: the promises hold, and
 * streams stay open.
 */
class RedisFaultsIT {
  @TempDir private static Path folder;

  private static RedisProcess redis;
  private static Cluster cluster;
  private static LastmileProcess a;
  private static LastmileProcess b;
  private static Webhooks webhooks;

  private final Browser browser = Browser.at(a);
  private SseClient stream;

  @BeforeAll
  static void startCluster() {
    redis = new RedisProcess(Ports.free(), folder, true);
    redis.start();
    cluster =
        Cluster.builder()
            .redis(redis.uri())
            .replicas(2)
            .with("lastmile.redis.timeout", "1s")
            .with("lastmile.redis.clock-interval", "500ms")
            .start();
    a = cluster.replica(1);
    b = cluster.replica(2);
    webhooks = new Webhooks(cluster.secret());
  }

  @AfterAll
  static void stopCluster() {
    if (cluster != null) {
      cluster.close();
    }
    redis.close();
  }

  /** Each test has an identity of its own, and leaves a Redis that both replicas reach. */
  @BeforeEach
  void start() {
    awaitBack();
    stream = browser.stream(b);
    stream.awaitReady();
  }

  @AfterEach
  void stop() {
    stream.close();
  }

  private static void redis(Consumer<RedisCommands<String, String>> commands) {
    RedisClient client = RedisClient.create(redis.uri().toString());
    try (StatefulRedisConnection<String, String> connection = client.connect()) {
      commands.accept(connection.sync());
    } finally {
      client.shutdown();
    }
  }

  private void awaitBack() {
    Awaitility.await("both replicas to reach Redis")
        .untilAsserted(() -> {
          browser.list(a, "").then().statusCode(200);
          browser.list(b, "").then().statusCode(200);
        });
  }

  private static void unavailable(Response response) {
    response
        .then()
        .statusCode(503)
        .contentType("application/problem+json")
        .header("Retry-After", "1");
  }

  @Test
  void awayMeans503AndOpenStreams_backWithAllDataIsNotNoticed() {
    String id = browser.create(a);
    stream.await("version 1", e -> e.data().contains(id));
    webhooks.outcome(a, id, Webhooks.running(1, 10));
    stream.await("version 2", e -> e.data().contains("\"version\":2"));
    String cursor = stream.updates().getLast().id();

    redis.kill();
    unavailable(webhooks.send(a, id, Webhooks.running(2, 20)));
    unavailable(browser.get(b, id));
    unavailable(browser.list(a, ""));
    unavailable(
        browser
            .ask(a)
            .contentType(ContentType.JSON)
            .body("{\"kind\":\"export\"}")
            .post("/api/operations"));
    unavailable(browser.ack(a, id, 1, "live"));
    unavailable(browser.ask(a).get("/api/stream"));
    assertThat(stream.isEnded()).isFalse();
    assertThat(a.isReady()).as("a replica stays ready without Redis").isTrue();
    Awaitility.await("the account to be NaN while it cannot be read")
        .untilAsserted(() ->
            assertThat(
                    Metrics.of(b).sum("lastmile_deliveries_expected_total", "owner=\"replica-2\""))
                .isNaN());

    redis.start();
    awaitBack();
    browser.get(a, id).then().statusCode(200).body("version", equalTo(2));
    browser.list(a, cursor).then().body("reset", equalTo(false)).body("operations", empty());
    assertThat(webhooks.outcome(b, id, Webhooks.running(1, 10))).isEqualTo("duplicate");
    assertThat(webhooks.outcome(b, id, Webhooks.running(2, 20))).isEqualTo("stored");
    SseClient.Event event = stream.await("version 3", e -> e.data().contains("\"version\":3"));
    assertThat(event.id().substring(0, 16)).as("epoch").isEqualTo(cursor.substring(0, 16));
    assertThat(term(event.id())).as("term").isNotEqualTo(term(cursor));
    assertThat(event.data()).contains("\"cursor\":\"" + event.id() + "\"");
    assertThat(stream.events()).as("nothing was lost").noneMatch(e -> e.name().equals("reset"));
    browser.list(a, event.id()).then().body("reset", equalTo(false));
  }

  private static String term(String cursor) {
    return cursor.replaceFirst(".*-(\\w+)\\..*", "$1");
  }

  @Tag("long")
  @Test
  void backWithoutDataMeansAnEmptyState() {
    String id = browser.create(a);
    stream.await("version 1", e -> e.data().contains(id));
    redis.kill();
    deleteData();
    redis.start();
    stream.await("reset", e -> e.name().equals("reset"));
    awaitBack();
    browser.get(a, id).then().statusCode(404);
    browser.list(a, "").then().body("operations", equalTo(List.of()));
    String next = browser.create(a);
    stream.await("the new one", e -> e.data().contains(next));
  }

  private void deleteData() {
    try (var files = java.nio.file.Files.walk(folder)) {
      files
          .filter(path -> path.toString().contains("appendonly"))
          .sorted(java.util.Comparator.reverseOrder())
          .forEach(path -> assertThat(path.toFile().delete()).isTrue());
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void aRunningRedisThatIsEmptiedGetsANewEpoch() {
    String id = browser.create(a);
    stream.await("version 1", e -> e.data().contains(id));
    redis(RedisCommands::flushall);
    browser.list(a, "").then().statusCode(200).body("operations", equalTo(List.of()));
    String next = browser.create(a);
    stream.await("reset", e -> e.name().equals("reset"));
    assertThat(Metrics.of(b).sum("lastmile_stream_resets_total", "reason=\"epoch\"")).isPositive();
    stream.await("the new one", e -> e.data().contains(next));
  }

  @Tag("long")
  @Test
  void aLostSubscriptionIsRenewedAndWhatItMissedIsRepaired() {
    double resubscriptions = Metrics.of(b).sum("lastmile_pubsub_resubscriptions_total");
    double lossWindow = Metrics.of(b).sum("lastmile_pubsub_loss_window_seconds_total");
    String id = browser.create(a);
    stream.await("version 1", e -> e.data().contains(id));
    long last = 120;
    for (long revision = 1; revision <= last; revision++) {
      if (revision % 20 == 0) {
        breakSubscriptions();
      }
      webhooks.outcome(a, id, Webhooks.running(revision, (int) (revision % 100)));
    }
    stream.await("the last version", e -> e.data().contains("\"version\":" + (last + 1) + ","));
    long before = 0;
    for (SseClient.Event update : stream.updates()) {
      long sequence = Long.parseLong(update.id().split("-", -1)[1]);
      assertThat(sequence).isGreaterThan(before);
      before = sequence;
    }
    assertThat(stream.events().stream().filter(e -> e.name().equals("ready")))
        .as("it is still the first connection")
        .hasSize(1);
    Metrics metrics = Metrics.of(b);
    assertThat(metrics.sum("lastmile_pubsub_resubscriptions_total"))
        .isGreaterThanOrEqualTo(resubscriptions + 5);
    assertThat(metrics.sum("lastmile_pubsub_loss_window_seconds_total")).isGreaterThan(lossWindow);
  }

  /**
   * The update of each round is published while the subscription is broken, and no later update
   * reveals the gap.
   */
  @Tag("long")
  @Test
  void theLastUpdateBeforeSilenceIsNotMissedWhenTheSubscriptionBreaks() {
    String id = browser.create(a);
    stream.await("version 1", e -> e.data().contains(id));
    for (int revision = 1; revision <= 15; revision++) {
      breakSubscriptions();
      webhooks.outcome(a, id, Webhooks.running(revision, revision));
      String version = "\"version\":" + (revision + 1) + ",";
      stream.await(version, e -> e.data().contains(version));
    }
  }

  private void breakSubscriptions() {
    redis(commands ->
        commands.dispatch(
            CommandType.CLIENT,
            new IntegerOutput<>(StringCodec.UTF8),
            new CommandArgs<>(StringCodec.UTF8).add("KILL").add("TYPE").add("pubsub")));
  }

  @Tag("long")
  @Test
  void aPausedRedisMeansAnUnknownOutcomeThatSendingAgainSettles() {
    String id = browser.create(a);
    redis.signal("STOP");
    HttpResponse<String> answer;
    try {
      answer = webhooks.quickly(a, id, Webhooks.running(1, 10));
    } finally {
      redis.signal("CONT");
    }
    assertThat(answer.statusCode()).isEqualTo(503);
    awaitBack();
    // Redis may have run the command from its socket after the pause: both outcomes are correct.
    assertThat(webhooks.outcome(b, id, Webhooks.running(1, 10))).isIn("stored", "duplicate");
    browser.get(b, id).then().body("version", equalTo(2)).body("progress", equalTo(10));
    stream.await("version 2", e -> e.data().contains("\"version\":2"));
    assertThat(stream.updates().stream().filter(e -> e.data().contains("\"version\":2")))
        .hasSize(1);
  }

  @Test
  void theSameCallbackEverywhereAtOnceIsStoredOnce() throws Exception {
    String id = browser.create(a);
    Callable<String> first = () -> webhooks.outcome(a, id, Webhooks.running(1, 10));
    Callable<String> second = () -> webhooks.outcome(b, id, Webhooks.running(1, 10));
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<String> outcomes =
          threads.invokeAll(List.of(first, second, first, second)).stream()
              .map(Future::resultNow)
              .toList();
      assertThat(outcomes)
          .containsExactlyInAnyOrder("stored", "duplicate", "duplicate", "duplicate");
    }
    browser.get(a, id).then().body("version", equalTo(2));
  }
}
