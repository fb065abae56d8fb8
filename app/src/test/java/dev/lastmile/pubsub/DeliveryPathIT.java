package dev.lastmile.pubsub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.notNullValue;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import io.restassured.http.ContentType;
import io.restassured.path.json.JsonPath;
import io.restassured.response.Response;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Click on one replica, callback on another, seen on the stream of a third. */
class DeliveryPathIT {
  private final Cluster cluster = Cluster.shared();
  private final LastmileProcess a = cluster.replica(1);
  private final LastmileProcess b = cluster.replica(2);
  private final LastmileProcess c = cluster.replica(3);
  private final Webhooks webhooks = new Webhooks(cluster.secret());
  private final Browser browser = Browser.at(a);

  @Test
  void aCallbackOnOneReplicaArrivesOnTheStreamOfAnother() {
    try (SseClient stream = browser.stream(c)) {
      JsonPath ready = new JsonPath(stream.awaitReady().data());
      assertThat(ready.getString("replica")).isEqualTo("replica-3");
      assertThat(ready.getInt("heartbeatSeconds")).isEqualTo(10);
      assertThat(ready.getString("cursor")).startsWith(ready.getString("epoch") + "-");

      String id = browser.create(a);
      assertThat(webhooks.outcome(b, id, Webhooks.running(1, 40))).isEqualTo("stored");
      SseClient.Event event = stream.await("version 2", e -> e.data().contains("\"version\":2"));

      assertThat(event.name()).isEqualTo("update");
      JsonPath update = new JsonPath(event.data());
      assertThat(update.getString("operationId")).isEqualTo(id);
      assertThat(update.getString("status")).isEqualTo("RUNNING");
      assertThat(update.getInt("progress")).isEqualTo(40);
      assertThat(update.getString("cursor")).isEqualTo(event.id());
      assertThat(update.getString("traceparent")).matches("00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]");
      assertThat(update.getString("publishedAt")).isEqualTo(update.getString("updatedAt"));
      assertThat(update.getString("correlationId"))
          .isEqualTo(browser.get(b, id).path("correlationId"));
    }
  }

  @Test
  void everyHopIsInTheTimelineAndTheAckIsTheLast() {
    try (SseClient stream = browser.stream(c)) {
      stream.awaitReady();
      String id = browser.create(a);
      webhooks.outcome(b, id, Webhooks.running(1, 40));
      stream.await("version 2", e -> e.data().contains("\"version\":2"));
      browser.ack(b, id, 1, "live").then().statusCode(204);
      browser.ack(a, id, 2, "live").then().statusCode(204);
      Awaitility.await()
          .until(() -> browser.hops(a, id, 1).containsAll(List.of("delivered", "client_acked")));
      Awaitility.await()
          .untilAsserted(() ->
              assertThat(browser.hops(b, id, 2))
                  .containsExactly("callback", "published", "delivered", "client_acked"));
      assertThat(browser.hops(c, id, 1)).startsWith("initiated", "published");
      browser
          .ask(c)
          .get("/api/operations/" + id + "/timeline")
          .then()
          .body("hops.find { it.version == 2 && it.hop == 'callback' }.replica", equalTo(b.name()))
          .body("hops.find { it.version == 2 && it.hop == 'delivered' }.replica", equalTo(c.name()))
          .body(
              "hops.find { it.version == 2 && it.hop == 'client_acked' }.outcome", equalTo("live"))
          .body("correlationId", notNullValue());
    }
  }

  @Test
  void whatABrowserLearnsOtherwiseThanLiveIsCountedAsRecovered() {
    String id = browser.create(a);
    webhooks.outcome(b, id, Webhooks.running(1, 10));
    webhooks.outcome(b, id, Webhooks.running(2, 20));
    double replayed = recovered("replay");
    double polled = recovered("poll");
    browser.ack(c, id, 1, "live").then().statusCode(204);
    browser.ack(c, id, 2, "replay").then().statusCode(204);
    browser.ack(c, id, 2, "poll").then().statusCode(204);
    browser.ack(c, id, 3, "poll").then().statusCode(204);
    assertThat(recovered("replay") - replayed).isEqualTo(1);
    assertThat(recovered("poll") - polled).as("the first ack counts").isEqualTo(1);
  }

  @Test
  void latenciesAreTakenWhereAnUpdateReallyTravelled() {
    try (SseClient stream = browser.stream(b)) {
      stream.awaitReady();
      double delivered = latencies(b, "published", "delivered");
      String id = browser.create(a);
      webhooks.outcome(a, id, Webhooks.running(1, 10));
      webhooks.outcome(a, id, Webhooks.succeeded(2));
      stream.await("the end", e -> e.data().contains("SUCCEEDED"));
      Awaitility.await("three deliveries to be timed")
          .untilAsserted(
              () -> assertThat(latencies(b, "published", "delivered") - delivered).isEqualTo(3));
      double acked = latencies(c, "published", "client_acked");
      double finished = latencies(c, "initiated", "client_acked");
      browser.ack(c, id, 1, "live").then().statusCode(204);
      browser.ack(c, id, 2, "replay").then().statusCode(204);
      assertThat(latencies(c, "published", "client_acked") - acked).as("live only").isEqualTo(1);
      assertThat(latencies(c, "initiated", "client_acked") - finished).as("not final").isZero();
      browser.ack(c, id, 3, "poll").then().statusCode(204);
      browser.ack(c, id, 3, "live").then().statusCode(204);
      assertThat(latencies(c, "published", "client_acked") - acked).as("first acks").isEqualTo(1);
      assertThat(latencies(c, "initiated", "client_acked") - finished).isEqualTo(1);
    }
  }

  private static double latencies(LastmileProcess replica, String from, String to) {
    return Metrics.of(replica)
        .sum("lastmile_hop_latency_seconds_count", "from=\"" + from + "\"", "to=\"" + to + "\"");
  }

  private static double recovered(String by) {
    return Metrics.of(Cluster.shared().replica(3))
        .sum("lastmile_deliveries_recovered_total", "by=\"" + by + "\"");
  }

  @Test
  void theSimulatedSystemBringsAnOperationToItsEnd() {
    try (SseClient stream = browser.stream(b)) {
      stream.awaitReady();
      String id = browser.create(a, Map.of("steps", 3, "durationMillis", 300, "fail", false));
      stream.await("the end", e -> e.data().contains("SUCCEEDED"));
      List<Integer> versions =
          stream.updates().stream().map(e -> new JsonPath(e.data()).getInt("version")).toList();
      // A report that another one overtook is stale, and makes no version.
      assertThat(versions).hasSizeBetween(2, 4);
      assertThat(versions).isEqualTo(IntStream.rangeClosed(1, versions.size()).boxed().toList());
      browser
          .get(c, id)
          .then()
          .body("status", equalTo("SUCCEEDED"))
          .body("progress", equalTo(100))
          .body("result.jobId", equalTo(id));
    }
  }

  @Test
  void theSameOrAnOlderRevisionChangesNothing() {
    String id = browser.create(a);
    assertThat(webhooks.outcome(a, id, Webhooks.running(5, 50))).isEqualTo("stored");
    assertThat(webhooks.outcome(b, id, Webhooks.running(5, 60))).isEqualTo("duplicate");
    assertThat(webhooks.outcome(c, id, Webhooks.running(4, 70))).isEqualTo("stale");
    browser.get(a, id).then().body("progress", equalTo(50)).body("version", equalTo(2));
    assertThat(webhooks.outcome(b, id, Webhooks.succeeded(6))).isEqualTo("stored");
    assertThat(webhooks.outcome(c, id, Webhooks.running(7, 10))).isEqualTo("final");
    assertThat(webhooks.outcome(c, id, Webhooks.succeeded(6))).isEqualTo("duplicate");
    browser
        .get(c, id)
        .then()
        .body("status", equalTo("SUCCEEDED"))
        .body("progress", equalTo(100))
        .body("version", equalTo(3));
  }

  @Test
  void aFinalReportEndsTheOperation_alsoWithTheRevisionOfTheReportBefore() {
    String id = browser.create(a);
    assertThat(webhooks.outcome(a, id, Webhooks.running(1, 50))).isEqualTo("stored");
    assertThat(webhooks.outcome(b, id, Webhooks.succeeded(1))).isEqualTo("stored");
    assertThat(webhooks.outcome(c, id, Webhooks.succeeded(1))).isEqualTo("duplicate");
    browser.get(c, id).then().body("status", equalTo("SUCCEEDED")).body("version", equalTo(3));
  }

  @Test
  void progressThatIsNotToldStaysAsItWas() {
    String id = browser.create(a);
    webhooks.outcome(a, id, Webhooks.running(1, 50));
    webhooks.outcome(b, id, "{\"revision\":2,\"status\":\"FAILED\",\"message\":\"no\"}");
    browser
        .get(c, id)
        .then()
        .body("status", equalTo("FAILED"))
        .body("progress", equalTo(50))
        .body("message", equalTo("no"));
  }

  @Test
  void anUnchangedOperationIsNotSentAgain() {
    String id = browser.create(a);
    Response first = browser.get(b, id);
    String etag = first.header("ETag");
    assertThat(etag).matches("\"[0-9a-f]{16}\\.[0-9a-f]{13,}\\.1\"");
    browser
        .ask(c)
        .header("If-None-Match", etag)
        .get("/api/operations/" + id)
        .then()
        .statusCode(304);
    webhooks.outcome(a, id, Webhooks.running(1, 1));
    browser
        .ask(c)
        .header("If-None-Match", etag)
        .get("/api/operations/" + id)
        .then()
        .statusCode(200)
        .body("version", equalTo(2));
  }

  @Test
  void theSameRequestWithTheSameKeyIsOneOperation() {
    String body = "{\"kind\":\"export\",\"input\":{\"durationMillis\":3600000}}";
    Response first = createWithKey(a, "key-1", body);
    Response second = createWithKey(b, "key-1", body);
    first
        .then()
        .statusCode(201)
        .header("Location", equalTo("/api/operations/" + first.path("operationId")));
    second.then().statusCode(201);
    assertThat(second.<String>path("operationId")).isEqualTo(first.path("operationId"));
    assertThat(second.header("X-Correlation-Id")).isEqualTo(first.header("X-Correlation-Id"));
    createWithKey(c, "key-1", "{\"kind\":\"import\"}")
        .then()
        .statusCode(422)
        .body("field", equalTo("Idempotency-Key"));
    assertThat(createWithKey(c, "key-2", body).<String>path("operationId"))
        .isNotEqualTo(first.path("operationId"));
  }

  private Response createWithKey(LastmileProcess replica, String key, String body) {
    return browser
        .ask(replica)
        .contentType(ContentType.JSON)
        .header("Idempotency-Key", key)
        .body(body)
        .post("/api/operations");
  }

  @Test
  void aGivenCorrelationIdIsOnEverything() {
    try (SseClient stream = browser.stream(c)) {
      stream.awaitReady();
      String id =
          browser
              .ask(a)
              .contentType(ContentType.JSON)
              .header("X-Correlation-Id", "click-4711.x")
              .body(Map.of("kind", "report", "input", Map.of("durationMillis", 3_600_000)))
              .post("/api/operations")
              .then()
              .statusCode(201)
              .header("X-Correlation-Id", equalTo("click-4711.x"))
              .body("correlationId", equalTo("click-4711.x"))
              .extract()
              .path("operationId");
      webhooks.outcome(b, id, Webhooks.succeeded(1));
      SseClient.Event event = stream.await("the end", e -> e.data().contains("SUCCEEDED"));
      assertThat(new JsonPath(event.data()).getString("correlationId")).isEqualTo("click-4711.x");
      browser
          .ask(b)
          .get("/api/operations/" + id + "/timeline")
          .then()
          .body("correlationId", equalTo("click-4711.x"));
    }
  }

  @Test
  void aListGoesOnFromItsCursor() {
    String first = browser.create(a);
    String second = browser.create(b);
    Response all = browser.list(c, "");
    all.then()
        .body("reset", equalTo(false))
        .body("operations.operationId", equalTo(List.of(first, second)));
    webhooks.outcome(a, first, Webhooks.running(1, 1));
    browser
        .list(b, all.path("cursor"))
        .then()
        .body("reset", equalTo(false))
        .body("operations.operationId", equalTo(List.of(first)))
        .body("operations[0].version", equalTo(2));
  }

  @Test
  void aCursorThatDoesNotFitGetsEverythingAndIsToldSo() {
    String id = browser.create(a);
    String cursor = browser.list(a, "").path("cursor");
    String otherEpoch = cursor.replaceFirst("[0-9a-f]{16}", "0".repeat(16));
    String ahead = cursor.replaceFirst("-\\d+-", "-999999-");
    for (String wrong : List.of(otherEpoch, ahead)) {
      browser
          .list(b, wrong)
          .then()
          .body("reset", equalTo(true))
          .body("operations.operationId", equalTo(List.of(id)));
      try (SseClient stream = browser.stream(c, wrong)) {
        stream.await("the operation", e -> e.data().contains(id));
        assertThat(stream.events().stream().map(SseClient.Event::name))
            .startsWith("ready", "reset", "update");
        assertThat(new JsonPath(stream.events().get(1).data()).getString("cursor"))
            .isEqualTo(cursor);
      }
    }
  }

  @Test
  void aStreamGoesOnFromLastEventIdInHeaderOrQuery() {
    String id = browser.create(a);
    String cursor = browser.list(a, "").path("cursor");
    webhooks.outcome(b, id, Webhooks.running(1, 10));
    webhooks.outcome(c, id, Webhooks.running(2, 20));
    try (SseClient stream = browser.stream(a, cursor)) {
      stream.await("version 3", e -> e.data().contains("\"version\":3"));
      assertThat(stream.updates()).hasSize(1);
    }
    try (SseClient stream = browser.stream(a, browser.list(a, "").path("cursor"))) {
      stream.awaitReady();
      webhooks.outcome(c, id, Webhooks.running(3, 30));
      stream.await("version 4", e -> e.data().contains("\"version\":4"));
      assertThat(stream.updates()).hasSize(1);
    }
  }

  @Test
  void allTabsOfOneIdentityGetTheUpdateAndNobodyElseDoes() {
    Browser other = Browser.at(b);
    try (SseClient first = browser.stream(a);
        SseClient second = browser.stream(a);
        SseClient third = browser.stream(b);
        SseClient foreign = other.stream(a)) {
      List.of(first, second, third, foreign).forEach(SseClient::awaitReady);
      String id = browser.create(c);
      for (SseClient tab : List.of(first, second, third)) {
        tab.await("the update", e -> e.data().contains(id));
      }
      String own = other.create(c);
      foreign.await("its own", e -> e.data().contains(own));
      assertThat(foreign.updates()).hasSize(1);
    }
  }

  @Test
  void acksAreCountedOnceAndNeverBeforeTheirVersion() {
    String id = browser.create(a);
    browser.ack(a, id, 1, "live").then().statusCode(204);
    browser.ack(b, id, 1, "poll").then().statusCode(204);
    assertThat(browser.hops(c, id, 1)).containsOnlyOnce("client_acked");
    browser.ack(a, id, 2, "live").then().statusCode(409).body("field", equalTo("acks[0].version"));
  }
}
