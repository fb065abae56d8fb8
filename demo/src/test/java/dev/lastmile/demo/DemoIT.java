package dev.lastmile.demo;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.testkit.telemetry.LedgerAudit;
import io.restassured.path.json.JsonPath;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests the demo over HTTP: each fault has its effect and ends, and the ledger balances after each
 * test.
 */
class DemoIT {
  private static final String FAULTS = "/api/demo/faults";
  private static final List<String> EXTERNAL =
      List.of("duplicate-callbacks", "reorder-callbacks", "lose-callbacks", "slow-external");

  @TempDir private static Path folder;
  private static RedisProcess redis;
  private static Cluster cluster;
  private static Webhooks webhooks;

  @BeforeAll
  static void start() {
    redis = new RedisProcess(Ports.free(), folder, false);
    redis.start();
    cluster =
        Cluster.builder()
            .redis(redis.uri())
            .with("lastmile.stream.heartbeat", "500ms")
            .with("lastmile.canary.interval", "200ms")
            .with("lastmile.canary.stale", "4s")
            .with("lastmile.canary.stalled", "800ms")
            .with("lastmile.drain.streams", "1s")
            .start();
    webhooks = new Webhooks(cluster.secret());
  }

  @AfterAll
  static void stop() {
    cluster.close();
    redis.close();
  }

  @AfterEach
  void allFaultsOff_booksBalance() {
    for (String fault : List.of("local-only", "broadcast", "deaf", "refuse-callbacks")) {
      switchOff(cluster.replica(1), fault);
    }
    EXTERNAL.forEach(fault -> switchOff(cluster.replica(1), fault));
    awaitAll("coordination", "directed");
    awaitAll("hearing", "receiving");
    await("nothing outstanding").until(() -> LedgerAudit.read(redis.uri()).outstanding() == 0);
    LedgerAudit.read(redis.uri()).assertBalanced();
    assertThat(cluster.replicas()).allMatch(LastmileProcess::isReady);
  }

  private static ConditionFactory await(String what) {
    return Awaitility.await(what).atMost(20, TimeUnit.SECONDS);
  }

  private static JsonPath switchOn(LastmileProcess replica, String fault) {
    return given()
        .baseUri(replica.uri().toString())
        .put(FAULTS + "/" + fault)
        .then()
        .statusCode(200)
        .extract()
        .jsonPath();
  }

  private static JsonPath switchOff(LastmileProcess replica, String fault) {
    return given()
        .baseUri(replica.uri().toString())
        .delete(FAULTS + "/" + fault)
        .then()
        .statusCode(200)
        .extract()
        .jsonPath();
  }

  private static JsonPath account(LastmileProcess replica) {
    return given()
        .baseUri(replica.uri().toString())
        .get("/api/demo/account")
        .then()
        .statusCode(200)
        .extract()
        .jsonPath();
  }

  /** A field of the summaries of all replicas, read at one of them. */
  private static List<String> said(String field) {
    return account(cluster.replica(2)).getList("replicas." + field);
  }

  private static void awaitAll(String field, String value) {
    await(field + " of all replicas to be " + value)
        .until(() -> said(field).equals(List.of(value, value, value)));
  }

  private static List<String> having(JsonPath listed, String fault) {
    return listed.getList("faults.find { it.name == '" + fault + "' }.replicas");
  }

  @Test
  void localOnly_failsInSilence_countsItself_andHealsOpenStreamsWhenItEnds() {
    LastmileProcess clicked = cluster.replica(1);
    LastmileProcess called = cluster.replica(2);
    LastmileProcess streaming = cluster.replica(3);
    Browser browser = Browser.at(clicked);
    try (SseClient stream = browser.stream(streaming)) {
      stream.awaitReady();
      String id = browser.create(clicked);
      stream.await("version 1", e -> e.data().contains(id));

      assertThat(having(switchOn(called, "local-only"), "local-only")).hasSize(3);
      awaitAll("coordination", "local-only");
      awaitAll("hearing", "off");
      long lostBefore = LedgerAudit.read(redis.uri()).of("replica-3", "not_received");
      long askedBefore = LedgerAudit.read(redis.uri()).total("redelivered");
      double windows = Metrics.of(streaming).sum("lastmile_pubsub_resubscriptions_total");
      assertThat(webhooks.outcome(called, id, Webhooks.running(1, 10))).isEqualTo("stored");
      await("the ledger to count it as lost")
          .until(() ->
              LedgerAudit.read(redis.uri()).of("replica-3", "not_received") == lostBefore + 1);
      assertThat(stream.updates()).hasSize(1);
      assertThat(stream.isEnded()).isFalse();
      assertThat(cluster.replicas()).allMatch(LastmileProcess::isReady);
      assertThat(Metrics.of(streaming).sum("lastmile_pubsub_canary_age_seconds")).isGreaterThan(4);
      assertThat(LedgerAudit.read(redis.uri()).total("redelivered"))
          .as("no redelivery")
          .isEqualTo(askedBefore);

      // An update that the stream's own replica accepts arrives without an id. The gap stays.
      webhooks.outcome(streaming, id, Webhooks.running(2, 20));
      assertThat(stream.await("version 3", e -> e.data().contains("\"version\":3")).id()).isEmpty();
      assertThat(stream.updates()).hasSize(2);

      switchOff(called, "local-only");
      awaitAll("coordination", "directed");
      // The same stream delivers it: it never ended.
      String healed =
          stream
              .await(
                  "version 3 from state",
                  e -> e.data().contains("\"version\":3") && !e.id().isEmpty())
              .data();
      assertThat(healed).contains("\"progress\":20");
      assertThat(Metrics.of(streaming).sum("lastmile_pubsub_resubscriptions_total"))
          .isEqualTo(windows + 1);
      webhooks.outcome(called, id, Webhooks.succeeded(3));
      stream.await("the end, live", e -> e.data().contains("SUCCEEDED"));
      assertThat(stream.isEnded()).isFalse();
    }
  }

  @Tag("long")
  @Test
  void localOnlyAtOneReplica_losesWhatThatOneTakes_orAnotherAsksAgain_andTheLedgerTells() {
    given()
        .baseUri(cluster.replica(1).uri().toString())
        .put(FAULTS + "/local-only?replica=replica-2")
        .then()
        .statusCode(200);
    await("replica 2 to be local-only")
        .until(() -> said("coordination").equals(List.of("directed", "local-only", "directed")));
    Browser browser = Browser.at(cluster.replica(1));
    try (SseClient stream = browser.stream(cluster.replica(3))) {
      stream.awaitReady();
      String id = browser.create(cluster.replica(1));
      stream.await("version 1", e -> e.data().contains(id));
      long lostBefore = LedgerAudit.read(redis.uri()).of("replica-3", "not_received");
      webhooks.outcome(cluster.replica(2), id, Webhooks.succeeded(1));
      // The first sweep decides: replica 2 redelivers nothing, the others do.
      await("its delivery or its loss")
          .until(() ->
              stream.updates().stream().anyMatch(e -> e.data().contains("SUCCEEDED"))
                  || LedgerAudit.read(redis.uri()).of("replica-3", "not_received")
                      == lostBefore + 1);
      await("nothing to be outstanding")
          .until(() -> LedgerAudit.read(redis.uri()).outstanding() == 0);
      LedgerAudit.read(redis.uri()).assertBalanced();
    }
  }

  @Test
  void deafReplica_findsThatItself_sendsItsStreamsAway_andComesBack() {
    LastmileProcess deaf = cluster.replica(3);
    Browser browser = Browser.at(cluster.replica(1));
    try (SseClient stream = browser.stream(deaf)) {
      stream.awaitReady();
      given()
          .baseUri(cluster.replica(2).uri().toString())
          .put(FAULTS + "/deaf?replica=replica-3")
          .then()
          .statusCode(200);
      await("replica 3 to be stalled").until(() -> said("hearing").get(2).equals("stalled"));
      await("the stream to be closed").until(stream::isEnded);
      await("replica 3 to be unready").until(() -> !deaf.isReady());
      assertThat(cluster.replica(1).isReady()).isTrue();
      browser.ask(deaf).get("/api/stream").then().statusCode(503);
      assertThat(Metrics.of(deaf).sum("lastmile_stream_closed_total", "reason=\"stalled\""))
          .isPositive();

      switchOff(cluster.replica(1), "deaf");
      await("it to receive again").until(() -> said("hearing").get(2).equals("receiving"));
      await("it to be ready").until(deaf::isReady);
      try (SseClient again = browser.stream(deaf)) {
        again.awaitReady();
      }
    }
  }

  /**
   * The fault ends before the replica detects it, and no redelivery follows. Ending the fault
   * itself must repair the stream.
   */
  @Tag("long")
  @Test
  void shortDeafness_healsWhatItSwallowed() {
    Browser browser = Browser.at(cluster.replica(1));
    try (SseClient stream = browser.stream(cluster.replica(3))) {
      stream.awaitReady();
      String id = browser.create(cluster.replica(1));
      stream.await("version 1", e -> e.data().contains(id));
      switchOn(cluster.replica(1), "deaf");
      await("replica 3 to have the fault")
          .pollInterval(20, TimeUnit.MILLISECONDS)
          .until(() -> account(cluster.replica(3)).getList("replicas[2].faults").contains("deaf"));
      long asked = LedgerAudit.read(redis.uri()).of("replica-3", "redelivered");
      webhooks.outcome(cluster.replica(2), id, Webhooks.succeeded(1));
      await("a redelivery that is not received")
          .until(() -> LedgerAudit.read(redis.uri()).of("replica-3", "redelivered") > asked);
      assertThat(stream.updates()).hasSize(1);
      switchOff(cluster.replica(1), "deaf");
      stream.await("the end", e -> e.data().contains("SUCCEEDED"));
      assertThat(stream.isEnded()).isFalse();
    }
  }

  @Tag("long")
  @Test
  void aFaultSurvivesItsReplica() {
    LastmileProcess replica = cluster.replica(2);
    given()
        .baseUri(cluster.replica(1).uri().toString())
        .put(FAULTS + "/local-only?replica=replica-2")
        .then()
        .statusCode(200);
    await("it to be on").until(() -> said("coordination").contains("local-only"));
    replica.kill();
    await("replica 2 to be absent")
        .until(() -> account(cluster.replica(1)).getList("replicas.replica").size() == 2);
    replica.start().awaitReady();
    await("it to be on again")
        .until(() -> said("coordination").equals(List.of("directed", "local-only", "directed")));
  }

  @Tag("long")
  @Test
  void offAtOneReplica_staysOnAtTheOthers() {
    switchOn(cluster.replica(1), "local-only");
    JsonPath listed =
        given()
            .baseUri(cluster.replica(2).uri().toString())
            .delete(FAULTS + "/local-only?replica=replica-1")
            .then()
            .statusCode(200)
            .extract()
            .jsonPath();
    assertThat(having(listed, "local-only")).containsExactly("replica-2", "replica-3");
    await("replica 1 to publish")
        .until(() -> said("coordination").equals(List.of("directed", "local-only", "local-only")));
  }

  @Tag("long")
  @Test
  void faultsOfTheExternalSystem_areItsOwn() {
    for (String fault : EXTERNAL) {
      JsonPath listed = switchOn(cluster.replica(1), fault);
      assertThat(listed.getBoolean("faults.find { it.name == '" + fault + "' }.on")).isTrue();
    }
    assertThat(externalFaults()).containsExactlyInAnyOrderElementsOf(EXTERNAL);
    assertThat(account(cluster.replica(3)).getList("faults.findAll { it.on }.name", String.class))
        .containsExactlyElementsOf(EXTERNAL);
    EXTERNAL.forEach(fault -> switchOff(cluster.replica(2), fault));
    assertThat(externalFaults()).isEmpty();

    switchOn(cluster.replica(1), "duplicate-callbacks");
    Browser browser = Browser.at(cluster.replica(1));
    long before = duplicates();
    String id = browser.create(cluster.replica(1), Map.of("durationMillis", 400, "fail", false));
    browser.awaitStatus(cluster.replica(2), id, "SUCCEEDED");
    await("the duplicates to be counted").until(() -> duplicates() >= before + 1);
  }

  private static long duplicates() {
    JsonPath hops = account(cluster.replica(1));
    // A duplicate of the final callback counts as final.
    return hops.getLong("approximate.hops.callback.duplicate")
        + hops.getLong("approximate.hops.callback.final");
  }

  private static List<String> externalFaults() {
    return given()
        .baseUri(cluster.external().uri().toString())
        .get("/faults")
        .jsonPath()
        .getList("", String.class);
  }

  @Test
  void theAccountOfAll_isTheOneInTheBooks_andTellsWhatWasLost() {
    switchOn(cluster.replica(1), "local-only");
    awaitAll("coordination", "local-only");
    Browser browser = Browser.at(cluster.replica(1));
    try (SseClient stream = browser.stream(cluster.replica(3))) {
      stream.awaitReady();
      String id = browser.create(cluster.replica(1));
      await("its loss to be listed")
          .until(() ->
              account(cluster.replica(2))
                  .getList("deliveries.expired.operationId", String.class)
                  .contains(id));
      // Totals are at most a second old.
      await("the totals to equal the ledger")
          .untilAsserted(() -> {
            JsonPath totals = account(cluster.replica(2));
            LedgerAudit books = LedgerAudit.read(redis.uri());
            for (String counter : List.of("expected", "delivered", "not_received", "late")) {
              assertThat(totals.getLong("total." + counter))
                  .as(counter)
                  .isEqualTo(books.total(counter));
            }
          });
      JsonPath account = account(cluster.replica(2));
      assertThat(account.getString("answeredBy")).isEqualTo("replica-2");
      assertThat(account.getBoolean("deliveries.redis")).isTrue();
      Map<String, Object> example =
          account.getMap("deliveries.expired.find { it.operationId == '" + id + "' }");
      assertThat(example).containsEntry("reason", "not_received").containsEntry("version", 1);
      assertThat(example.get("correlationId").toString()).hasSize(36);
      assertThat(account.getString("approximate.note")).contains("approximate");
      assertThat(account.getLong("approximate.hops.initiated.created")).isPositive();
      assertThat(account.getList("replicas.connections", Long.class).get(2)).isPositive();
      assertThat(having(account, "local-only")).hasSize(3);
      assertThat(account.getString("grafanaUrl")).isNull();
    }
  }

  @Tag("long")
  @Test
  void callbacksThatOneReplicaRefuses_landAtTheOthers() {
    given()
        .baseUri(cluster.replica(1).uri().toString())
        .put(FAULTS + "/refuse-callbacks?replica=replica-1")
        .then()
        .statusCode(200);
    await("it to be on")
        .until(() ->
            account(cluster.replica(1)).getList("replicas[0].faults").contains("refuse-callbacks"));
    Browser browser = Browser.at(cluster.replica(1));
    String id = browser.create(cluster.replica(1), Map.of("durationMillis", 800, "fail", false));
    browser.awaitStatus(cluster.replica(2), id, "SUCCEEDED");
    List<String> where =
        browser
            .ask(cluster.replica(2))
            .get("/api/operations/" + id + "/timeline")
            .path("hops.findAll { it.hop == 'callback' }.replica");
    assertThat(where).isNotEmpty().doesNotContain("replica-1");
  }

  @Tag("long")
  @Test
  void aSlowReader_isFoundToBeSlow_andDelaysNobody() {
    LastmileProcess replica = cluster.replica(2);
    Browser browser = Browser.at(replica);
    try (SseClient quick = browser.stream(replica)) {
      quick.awaitReady();
      long before = LedgerAudit.read(redis.uri()).of("replica-2", "slow_consumer");
      given()
          .baseUri(replica.uri().toString())
          .post("/api/demo/slow-reader")
          .then()
          .statusCode(204);
      given()
          .baseUri(replica.uri().toString())
          .post("/api/demo/slow-reader")
          .then()
          .statusCode(409);
      await("the slow reader to be listed")
          .until(() ->
              account(cluster.replica(1)).getList("replicas[1].faults").contains("slow-reader"));
      await("it to be counted as slow")
          .until(() -> LedgerAudit.read(redis.uri()).of("replica-2", "slow_consumer") > before);
      String id = browser.create(replica);
      webhooks.outcome(cluster.replica(1), id, Webhooks.succeeded(1));
      quick.await("the end", e -> e.data().contains("SUCCEEDED"));
      await("its stream to be closed")
          .until(() ->
              Metrics.of(replica).sum("lastmile_stream_closed_total", "reason=\"slow_consumer\"")
                  == 1);
      assertThat(quick.isEnded()).isFalse();
    }
  }

  @Test
  void thePage_givesAnIdentity_andMayLoadNothingButThisServer() {
    String base = cluster.replica(1).uri().toString();
    given()
        .baseUri(base)
        .get("/")
        .then()
        .statusCode(200)
        .contentType("text/html")
        .cookie("lastmile_identity")
        .header("Content-Security-Policy", containsString("default-src 'none'; script-src 'self'"))
        .body(containsString("page/page.js"));
    for (String path :
        List.of(
            "/page/page.js",
            "/page/page.css",
            "/lastmile.js",
            "/lastmile/stream.js",
            "/webjars/uplot/dist/uPlot.esm.js")) {
      given().baseUri(base).get(path).then().statusCode(200);
    }
  }

  @Test
  void whoAsksWrongly_isToldWhat_andNothingChanges() {
    String base = cluster.replica(1).uri().toString();
    given()
        .baseUri(base)
        .put(FAULTS + "/rain")
        .then()
        .statusCode(404)
        .contentType("application/problem+json")
        .body("field", equalTo("name"))
        .body(
            "limit",
            containsString("local-only, broadcast, deaf, refuse-callbacks, duplicate-callbacks"));
    given().baseUri(base).delete(FAULTS + "/rain").then().statusCode(404);
    given()
        .baseUri(base)
        .put(FAULTS + "/deaf?replica=replica-9")
        .then()
        .statusCode(400)
        .contentType("application/problem+json")
        .body("field", equalTo("replica"))
        .body("limit", equalTo("one of replica-1, replica-2, replica-3"));
    given()
        .baseUri(base)
        .put(FAULTS + "/slow-external?replica=replica-1")
        .then()
        .statusCode(400)
        .body("field", equalTo("replica"));
    // A page of another site must not switch faults.
    given()
        .baseUri(base)
        .header("Sec-Fetch-Site", "cross-site")
        .put(FAULTS + "/deaf")
        .then()
        .statusCode(403);
    assertThat(
            given()
                .baseUri(base)
                .get(FAULTS)
                .jsonPath()
                .getList("faults.findAll { it.on }.name", String.class))
        .isEmpty();
  }

  @Tag("long")
  @Test
  void forgottenFaultsEnd_andAnAbsentRedisOrExternalSystemIsSaid(@TempDir Path own) {
    try (RedisProcess away = new RedisProcess(Ports.free(), own, false)) {
      away.start();
      try (Cluster single =
          Cluster.builder()
              .redis(away.uri())
              .replicas(1)
              .with("lastmile.demo.fault-ends-after", "2s")
              .with("lastmile.demo.grafana-url", "http://127.0.0.1:3000")
              .start()) {
        LastmileProcess replica = single.replica(1);
        String base = replica.uri().toString();
        switchOn(replica, "deaf");
        switchOn(replica, "slow-external");
        await("the faults to end by themselves")
            .until(() -> account(replica).getList("faults.findAll { it.on }.name").isEmpty());
        await("the replica to have no fault")
            .until(() -> account(replica).getList("replicas[0].faults").isEmpty());
        assertThat(account(replica).getString("grafanaUrl")).isEqualTo("http://127.0.0.1:3000");

        single.external().kill();
        assertThat(
                given()
                    .baseUri(base)
                    .get(FAULTS)
                    .jsonPath()
                    .<Object>get("faults.find { it.name == 'slow-external' }.on"))
            .isNull();
        given()
            .baseUri(base)
            .put(FAULTS + "/slow-external")
            .then()
            .statusCode(502)
            .contentType("application/problem+json");

        away.kill();
        await("Redis to be down").until(() -> !account(replica).getBoolean("deliveries.redis"));
        assertThat(account(replica).<Object>get("faults")).isNull();
        assertThat(account(replica).getString("replicas[0].replica")).isEqualTo("replica-1");
        given()
            .baseUri(base)
            .put(FAULTS + "/deaf")
            .then()
            .statusCode(503)
            .header("Retry-After", "1");
      }
    }
  }
}
