package dev.lastmile.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.not;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.redis.PartitionTags;
import dev.lastmile.testkit.redis.RedisServer;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.restassured.http.ContentType;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests what is kept and for how long, and how clients are informed about deleted operations. */
class RetentionIT {
  private static Cluster.Builder small() {
    return Cluster.builder()
        .replicas(1)
        .with("lastmile.retention.operations-per-channel", 3)
        .with("lastmile.retention.sweep-interval", "200ms");
  }

  @Tag("long")
  @Test
  void theOldestFinalOperationGoesForANewOne_andIfNoneIsFinalTheNewOneIsRefused() {
    try (Cluster cluster = small().start()) {
      LastmileProcess a = cluster.replica(1);
      Browser browser = Browser.at(a);
      Webhooks webhooks = new Webhooks(cluster.secret());
      String first = browser.create(a);
      String second = browser.create(a);
      String third = browser.create(a);
      browser
          .ask(a)
          .contentType(ContentType.JSON)
          .body(Map.of("kind", "export"))
          .post("/api/operations")
          .then()
          .statusCode(429)
          .header("Retry-After", "5")
          .body("limit", equalTo(3));
      webhooks.outcome(a, second, Webhooks.succeeded(1));
      webhooks.outcome(a, first, Webhooks.succeeded(1));
      String cursorBefore = browser.list(a, "").path("cursor");
      String lower = cursorBefore.replaceFirst("-\\d+-", "-3-");

      String fourth = browser.create(a);
      browser.get(a, second).then().statusCode(404);
      browser.get(a, first).then().statusCode(200);
      browser
          .list(a, "")
          .then()
          .body("operations.operationId", equalTo(List.of(third, first, fourth)));
      // The deleted operation had sequence 4. A client with a lower cursor may still show it.
      browser.list(a, lower).then().body("reset", equalTo(true));
      browser
          .list(a, cursorBefore)
          .then()
          .body("reset", equalTo(false))
          .body("operations.operationId", equalTo(List.of(fourth)));
      try (SseClient stream = browser.stream(a, lower)) {
        SseClient.Event reset = stream.await("reset", e -> e.name().equals("reset"));
        assertThat(reset.data()).contains("retention");
      }
      assertThat(webhooks.send(a, second, Webhooks.running(2, 1)).statusCode()).isEqualTo(404);
    }
  }

  @Test
  void aListAndAStreamOfSeveralPagesEndAlsoWhereAPageEndsBelowWhatWasDeleted() {
    try (Cluster cluster =
        Cluster.builder()
            .replicas(1)
            .with("lastmile.retention.operations-per-channel", 10)
            .with("lastmile.retention.page-operations", 3)
            .start()) {
      LastmileProcess a = cluster.replica(1);
      Browser browser = Browser.at(a);
      for (int i = 0; i < 9; i++) {
        browser.create(a);
      }
      String last = browser.create(a);
      new Webhooks(cluster.secret()).outcome(a, last, Webhooks.succeeded(1));
      String next = browser.create(a);
      browser
          .list(a, "")
          .then()
          .body("reset", equalTo(false))
          .body("operations.operationId", not(hasItem(last)))
          .body("operations.operationId", hasItem(next))
          .body("operations.size()", equalTo(10));
      try (SseClient stream = browser.stream(a)) {
        stream.await("the newest", e -> e.data().contains(next));
        String live = "\"version\":2";
        new Webhooks(cluster.secret()).outcome(a, next, Webhooks.running(1, 1));
        stream.await("live", e -> e.data().contains(live));
        assertThat(stream.updates()).hasSize(11);
        assertThat(stream.events().stream().filter(e -> e.name().equals("reset"))).isEmpty();
      }
    }
  }

  @Test
  void finalOperationsEndAfterTheirTime_andLeaveNothingBehind() {
    try (RedisServer redis = RedisServer.start();
        Cluster cluster =
            small()
                .redis(redis.uri())
                .with("lastmile.retention.after-final", "2s")
                .with("lastmile.retention.idempotency-keys", "2s")
                .start()) {
      LastmileProcess a = cluster.replica(1);
      Browser browser = Browser.at(a);
      Webhooks webhooks = new Webhooks(cluster.secret());
      // The replica is listed as receiving from its first canary on.
      Awaitility.await()
          .until(() ->
              redis(redis, commands -> commands.exists(PartitionTags.FIRST + ":hearing")) == 1);
      long keysBefore = keys(redis);
      String id =
          browser
              .ask(a)
              .contentType(ContentType.JSON)
              .header("Idempotency-Key", "once")
              .body(Map.of("kind", "export", "input", Map.of("durationMillis", 3_600_000)))
              .post("/api/operations")
              .path("operationId");
      webhooks.outcome(a, id, Webhooks.succeeded(1));
      String cursor = browser.list(a, "").path("cursor");
      browser.list(a, "").then().body("operations.operationId", hasItem(id));
      Awaitility.await().until(() -> browser.get(a, id).statusCode() == 404);
      Awaitility.await("no key left").until(() -> keys(redis) == keysBefore);

      // New sequences lie above all earlier ones, so the old cursor stays valid.
      String next = browser.create(a);
      browser
          .list(a, cursor)
          .then()
          .body("reset", equalTo(false))
          .body("operations.operationId", equalTo(List.of(next)))
          .body("operations.operationId", not(hasItem(id)));
    }
  }

  private static long keys(RedisServer redis) {
    return redis(redis, RedisCommands::dbsize);
  }

  private static long redis(
      RedisServer redis, ToLongFunction<RedisCommands<String, String>> question) {
    RedisClient client = RedisClient.create(redis.uri().toString());
    try (StatefulRedisConnection<String, String> connection = client.connect()) {
      return question.applyAsLong(connection.sync());
    } finally {
      client.shutdown();
    }
  }
}
