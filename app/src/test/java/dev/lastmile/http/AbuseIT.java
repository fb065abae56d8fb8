package dev.lastmile.http;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.RawHttp;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import io.lettuce.core.RedisClient;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/**
 * Attacks, each with the limit that stops it and the counter that shows it. {@link BadInputIT}
 * tests invalid input; {@code StreamIT} tests more limits of streams.
 */
class AbuseIT {
  private static final StringBuilder TABLE =
      new StringBuilder("| Attack | Limit | Counter | Seen |\n|---|---|---|---|\n");

  private static RedisProcess redis;
  private static Cluster cluster;
  private static LastmileProcess a;
  private static Webhooks webhooks;

  @BeforeAll
  static void start(@TempDir Path folder) {
    redis = new RedisProcess(Ports.free(), folder, false);
    redis.start();
    cluster =
        Cluster.builder()
            .replicas(1)
            .redis(redis.uri())
            .environment("LASTMILE_LOG_FORMAT", "json")
            .with("logging.level.dev.lastmile", "DEBUG")
            .with("lastmile.log.burst", 100_000)
            .with("lastmile.stream.max-connections-per-address", 3)
            .with("lastmile.http.head-timeout", "1s")
            .with("lastmile.http.body-timeout", "500ms")
            .with("lastmile.http.max-bodies", 131_072)
            .with("lastmile.http.exchange-timeout", "2s")
            .with("lastmile.rate.window", "1h")
            .with("lastmile.rate.creations", 150)
            .with("lastmile.rate.acks", 30)
            .start();
    a = cluster.replica(1);
    webhooks = new Webhooks(cluster.secret());
  }

  @AfterAll
  static void stop() throws IOException {
    System.out.println("REPORT abuse\n" + TABLE);
    Files.writeString(Path.of("target", "abuse.md"), TABLE);
    cluster.close();
    redis.close();
  }

  private static double refused(String reason) {
    return Metrics.of(a).sum("lastmile_http_requests_rejected_total", "reason=\"" + reason + "\"");
  }

  /** Runs an attack and checks that its counter rises. */
  private static void attack(String what, String limit, String reason, Supplier<String> attack) {
    double before = refused(reason);
    String seen = attack.get();
    Awaitility.await(reason).until(() -> refused(reason) > before);
    note(what, limit, "lastmile_http_requests_rejected_total{reason=\"" + reason + "\"}", seen);
  }

  private static void note(String what, String limit, String counter, String seen) {
    TABLE.append("| %s | `%s` | `%s` | %s |%n".formatted(what, limit, counter, seen));
  }

  private static void othersAreServed() {
    assertThat(Browser.at(a).list(a, "").statusCode()).isEqualTo(200);
  }

  @Test
  void aHeadByTheDropIsCut() {
    attack(
        "slow request head",
        "lastmile.http.head-timeout",
        "head_time",
        () -> {
          List<RawHttp> slow = new ArrayList<>();
          for (int i = 0; i < 20; i++) {
            slow.add(RawHttp.connect(a).send("GET / HTTP/1.1\r\nHost: x\r\nX: "));
          }
          othersAreServed();
          long millis = slow.getFirst().drip("y", 100, 10_000);
          slow.forEach(RawHttp::close);
          assertThat(millis).isBetween(800L, 6_000L);
          return "20 connections, cut after " + millis + " ms; others served";
        });
    attack(
        "slow request line",
        "lastmile.http.head-timeout",
        "head_time",
        () -> {
          try (RawHttp http = RawHttp.connect(a).send("GE")) {
            return "cut after " + http.drip("T", 100, 10_000) + " ms";
          }
        });
  }

  @Tag("long")
  @Test
  void aConnectionThatRestsBetweenRequestsIsNotCut() {
    try (RawHttp http = RawHttp.connect(a)) {
      for (int i = 0; i < 3; i++) {
        assertThat(http.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").answer().status()).isEqualTo(200);
        rest(2_500);
      }
    }
  }

  @Tag("long")
  @Test
  void aConnectionThatRestsAfterALongAnswerIsNotCut() {
    Browser browser = browserWithResults(100);
    try (RawHttp http = RawHttp.connect(a.uri(), 65_536)) {
      http.send(listRequest(browser));
      // Longer than one check of all connections; after it the answer is read in time.
      rest(1_300);
      assertThat(http.answer().status()).isEqualTo(200);
      rest(2_500);
      assertThat(http.send(listRequest(browser)).answer().status()).isEqualTo(200);
    }
  }

  private static void rest(long millis) {
    long until = System.nanoTime() + millis * 1_000_000;
    Awaitility.await().until(() -> System.nanoTime() > until);
  }

  private static String listRequest(Browser browser) {
    return "GET /api/operations HTTP/1.1\r\nHost: x\r\nCookie: " + browser.cookie() + "\r\n\r\n";
  }

  private static Browser browserWithResults(int operations) {
    Browser browser = Browser.at(a);
    String result = "z".repeat(60_000);
    String report = "{\"revision\":1,\"status\":\"RUNNING\",\"result\":{\"large\":\"%s\"}}";
    for (int i = 0; i < operations; i++) {
      webhooks.outcome(a, browser.create(a), report.formatted(result));
    }
    return browser;
  }

  /**
   * No component may read a form before the limits apply: it would block on this body, or buffer
   * all of it.
   */
  @Test
  void aFormIsReadByNobody() {
    for (String method : List.of("PUT", "PATCH", "DELETE", "POST")) {
      try (RawHttp http = RawHttp.connect(a)) {
        http.send(
            method
                + " /api/operations HTTP/1.1\r\nHost: x\r\nCookie: "
                + Browser.at(a).cookie()
                + "\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n5\r\na=bcd\r\n");
        // The body never ends.
        assertThat(http.answer().status()).as(method).isEqualTo(method.equals("POST") ? 415 : 405);
      }
    }
    note("form of any size", "forms are not read", "http_server_requests", "405, 415 at once");
  }

  @Test
  void aBodyOfWhichNothingComesAnyMoreIsRefused() {
    try (Cluster patient =
        Cluster.builder()
            .replicas(1)
            .redis(redis.uri())
            .with("server.jetty.connection-idle-timeout", "1s")
            .start()) {
      LastmileProcess replica = patient.replica(1);
      try (RawHttp http = RawHttp.connect(replica)) {
        http.send(
            "POST /api/acks HTTP/1.1\r\nHost: x\r\nCookie: "
                + Browser.at(replica).cookie()
                + "\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
        assertThat(http.answer().status()).isEqualTo(408);
      }
      assertThat(
              Metrics.of(replica)
                  .sum("lastmile_http_requests_rejected_total", "reason=\"body_time\""))
          .isEqualTo(1);
      note(
          "body that stops",
          "server.jetty.connection-idle-timeout",
          "lastmile_http_requests_rejected_total{reason=\"body_time\"}",
          "408 after 1 s");
    }
  }

  @Test
  void aBodyByTheDropIsRefused() {
    attack(
        "slow body",
        "lastmile.http.body-timeout",
        "body_time",
        () -> {
          try (RawHttp http = RawHttp.connect(a)) {
            http.send(
                "POST /api/acks HTTP/1.1\r\nHost: x\r\nCookie: "
                    + Browser.at(a).cookie()
                    + "\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n");
            long millis = http.drip(" ", 50, 10_000);
            assertThat(http.answer().status()).isEqualTo(408);
            return "408 after " + millis + " ms";
          }
        });
  }

  private static RawHttp halfBody(int bytes) {
    return RawHttp.connect(a)
        .send(
            "POST /api/acks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                + "Content-Length: 65000\r\n\r\n"
                + " ".repeat(bytes));
  }

  @Test
  void halfBodiesHaveALimitTogether_andWholeOnesAreNotHeldUp() {
    attack(
        "half bodies of 60 KB",
        "lastmile.http.max-bodies",
        "body_memory",
        () -> {
          // They leave 100 bytes of the memory for incomplete bodies.
          List<RawHttp> halves = List.of(halfBody(60_000), halfBody(60_000), halfBody(10_972));
          Awaitility.await("the memory for bodies to be full").until(() -> refusedAtOnce(1_000));
          Response whole = creation(Browser.at(a), "\"" + "x".repeat(1_000) + "\"");
          halves.forEach(RawHttp::close);
          assertThat(whole.statusCode()).isEqualTo(400);
          othersAreServed();
          return "503 for a further half, a whole one served";
        });
    // Closed connections release their memory.
    Awaitility.await().until(() -> !refusedAtOnce(60_000));
  }

  /** Whether an incomplete body is rejected for lack of memory (503), not of time (408). */
  private static boolean refusedAtOnce(int bytes) {
    try (RawHttp http = halfBody(bytes)) {
      http.drip(" ", 100, 10_000);
      RawHttp.Answer answer = http.answer();
      assertThat(answer.status()).isIn(408, 503);
      assertThat(answer.header("Connection")).isEqualTo("close");
      return answer.status() == 503;
    }
  }

  @Tag("long")
  @Test
  void anAnswerReadByTheDropIsCut() {
    Browser browser = browserWithResults(140);
    attack(
        "slow reading of a list of 8 MB",
        "lastmile.http.exchange-timeout",
        "answer_time",
        () -> {
          try (RawHttp http = RawHttp.connect(a.uri(), 4_096)) {
            http.send(listRequest(browser));
            assertThat(http.read(1)).isPositive();
            double before = refused("answer_time");
            Awaitility.await()
                .until(() -> {
                  http.read(1);
                  return refused("answer_time") > before;
                });
            return "cut; others served";
          }
        });
    othersAreServed();
  }

  @Test
  void headersBodiesAndDepthAreBounded() {
    Browser browser = Browser.at(a);
    attack(
        "one header of 20 KB",
        "server.max-http-request-header-size",
        "head_size",
        () -> {
          Response answer = browser.ask(a).header("x", "y".repeat(20_000)).get("/api/operations");
          assertThat(answer.statusCode()).isEqualTo(431);
          return "431";
        });
    attack(
        "2000 headers",
        "server.max-http-request-header-size",
        "head_size",
        () -> {
          try (RawHttp http = RawHttp.connect(a).send("GET / HTTP/1.1\r\nHost: x\r\n")) {
            http.send("X-Y: z\r\n".repeat(2_000) + "\r\n");
            assertThat(http.answer().status()).isEqualTo(431);
            return "431";
          }
        });
    attack(
        "body of 70 KB",
        "lastmile.http.max-body",
        "body_size",
        () -> {
          assertThat(creation(browser, "\"" + "x".repeat(70_000) + "\"").statusCode())
              .isEqualTo(413);
          return "413";
        });
    attack(
        "JSON 101 deep",
        "spring.jackson.factory.constraints.read.max-nesting-depth",
        "body_json",
        () -> {
          String deep = "{\"a\":".repeat(100) + "1" + "}".repeat(100);
          assertThat(creation(browser, deep).statusCode()).isEqualTo(400);
          return "400";
        });
    attack(
        "two hosts in a request",
        "HTTP",
        "malformed",
        () -> {
          try (RawHttp http =
              RawHttp.connect(a).send("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n")) {
            assertThat(http.answer().status()).isEqualTo(400);
            return "400";
          }
        });
  }

  private static Response creation(Browser browser, String input) {
    return browser
        .ask(a)
        .contentType(ContentType.JSON)
        .body("{\"kind\":\"export\",\"input\":" + input + "}")
        .post("/api/operations");
  }

  @Test
  void floodsOfAnIdentityAreRefused() {
    Browser browser = Browser.at(a);
    attack(
        "flood of creations",
        "lastmile.rate.creations",
        "creations",
        () -> {
          for (int i = 0; i < 150; i++) {
            creation(browser, "{\"durationMillis\":3600000}").then().statusCode(201);
          }
          Response refused = creation(browser, "{}");
          assertThat(refused.statusCode()).isEqualTo(429);
          return "429, `Retry-After: " + refused.header("Retry-After") + "`";
        });
    attack(
        "flood of acks",
        "lastmile.rate.acks",
        "acks",
        () -> {
          Supplier<Response> ack =
              () ->
                  browser
                      .ask(a)
                      .contentType(ContentType.JSON)
                      .body("{\"acks\":[]}")
                      .post("/api/acks");
          for (int i = 0; i < 30; i++) {
            ack.get().then().statusCode(204);
          }
          assertThat(ack.get().statusCode()).isEqualTo(429);
          return "429";
        });
    attack(
        "creation by another site's page",
        "Sec-Fetch-Site, Origin",
        "cross_site",
        () -> {
          given()
              .baseUri(a.uri().toString())
              .header("Origin", "https://x.example")
              .post("/api/identity")
              .then()
              .statusCode(403);
          return "403";
        });
    othersAreServed();
  }

  @Test
  void anAddressHasItsLimitOfStreams_whateverItsIdentities() {
    List<SseClient> streams = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      SseClient stream = Browser.at(a).stream(a);
      stream.awaitReady();
      streams.add(stream);
    }
    Browser.at(a)
        .ask(a)
        .get("/api/stream")
        .then()
        .statusCode(503)
        .body(
            "field", org.hamcrest.Matchers.equalTo("lastmile.stream.max-connections-per-address"));
    assertThat(Metrics.of(a).sum("lastmile_stream_rejected_total", "address_full")).isEqualTo(1);
    try (RawHttp other = RawHttp.connect(a)) {
      other.send(
          "GET /api/stream HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.7\r\nCookie: "
              + Browser.at(a).cookie()
              + "\r\n\r\n");
      assertThat(other.read(12)).as("another address is served").isPositive();
    }
    streams.forEach(SseClient::close);
    Awaitility.await().until(() -> Metrics.of(a).sum("lastmile_stream_connections") == 0);
    try (SseClient again = Browser.at(a).stream(a)) {
      again.awaitReady();
    }
    note(
        "streams of many identities from one address",
        "lastmile.stream.max-connections-per-address",
        "lastmile_stream_rejected_total{reason=\"address_full\"}",
        "503 for the fourth, another address served");
  }

  @Test
  void aWebhookThatIsSentAgainOrChangedDoesNothing() throws Exception {
    Browser browser = Browser.at(a);
    String id = browser.create(a);
    String other = browser.create(a);
    String body = "{\"operationId\":\"%s\",\"revision\":1,\"status\":\"SUCCEEDED\"}".formatted(id);
    long now = Instant.now().getEpochSecond();
    String signature = new com.standardwebhooks.Webhook(cluster.secret()).sign("msg_1", now, body);
    assertThat(sent(id, body, now, signature).jsonPath().getString("outcome")).isEqualTo("stored");
    assertThat(sent(id, body, now, signature).jsonPath().getString("outcome"))
        .isEqualTo("duplicate");
    Response elsewhere = sent(other, body, now, signature);
    assertThat(elsewhere.statusCode()).isEqualTo(400);
    assertThat(elsewhere.jsonPath().getString("field")).isEqualTo("operationId");
    for (String forged :
        List.of(
            "v1," + "A".repeat(43) + "=",
            "v1a" + signature.substring(2),
            signature.substring(3),
            signature.substring(0, signature.length() - 2),
            "v1, " + signature.substring(3),
            "v1,x ".repeat(8) + signature)) {
      assertThat(sent(id, body, now, forged).statusCode()).as(forged).isEqualTo(401);
    }
    assertThat(sent(id, body + " ", now, signature).statusCode()).isEqualTo(401);
    assertThat(sent(id, body, now + 1, signature).statusCode()).isEqualTo(401);
    assertThat(sent(id, body, now - 301, signature).statusCode()).isEqualTo(401);
    browser.get(a, other).then().body("version", org.hamcrest.Matchers.equalTo(1));
    browser.get(a, id).then().body("version", org.hamcrest.Matchers.equalTo(2));
    note(
        "webhook sent again, to another operation, changed, forged",
        "lastmile.callbacks.window",
        "lastmile_hops_total{hop=\"callback\",outcome=\"duplicate|rejected\"}",
        "200 duplicate, 400, 401, 401; no change");
  }

  private static Response sent(String id, String body, long timestamp, String signature) {
    return given()
        .baseUri(a.uri().toString())
        .header("Content-Type", "application/json")
        .header("webhook-id", "msg_1")
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(body)
        .post("/api/callbacks/" + id);
  }

  @Test
  void aStrangersOrASecondCookieIsNoIdentity() {
    Browser victim = Browser.at(a);
    String id = victim.create(a);
    String mine = Browser.at(a).cookie();
    String forged = victim.cookie().substring(0, victim.cookie().length() - 2) + "AA";
    for (String cookies :
        List.of(mine + "; " + victim.cookie(), victim.cookie() + "; " + mine, forged)) {
      for (String path : List.of("/api/operations", "/api/operations/" + id, "/api/stream")) {
        given()
            .baseUri(a.uri().toString())
            .header("Cookie", cookies)
            .get(path)
            .then()
            .statusCode(401);
      }
    }
    // A cookie that the service did not sign does not replace the user's own.
    String planted = "lastmile_identity=evil; " + victim.cookie();
    given()
        .baseUri(a.uri().toString())
        .header("Cookie", planted)
        .get("/api/operations/" + id)
        .then()
        .statusCode(200);
    assertThat(
            given()
                .baseUri(a.uri().toString())
                .header("Cookie", planted)
                .post("/api/identity")
                .getHeader("Set-Cookie"))
        .as("an identity instead of the user's own")
        .isNull();
    // A malformed cookie of another application on the same host does not cause a rejection.
    victim
        .ask(a)
        .header("Cookie", "x=\"\u0001")
        .get("/api/operations/" + id)
        .then()
        .statusCode(200);
    try (RawHttp http = RawHttp.connect(a)) {
      http.send("GET /api/operations HTTP/1.1\r\nHost: x\r\nCookie: x=a\tb\r\n\r\n");
      RawHttp.Answer answer = http.answer();
      assertThat(answer.status()).isEqualTo(400);
      assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
      assertThat(answer.body()).doesNotContain("jetty", "Caused");
    }
    String guessed = "channel=" + "0".repeat(32);
    given()
        .baseUri(a.uri().toString())
        .header("X-Channel", "0".repeat(32))
        .header("Cookie", guessed)
        .get("/api/operations?" + guessed)
        .then()
        .statusCode(401);
    note("forged, planted or guessed identity", "-", "http_server_requests{status=\"401\"}", "401");
  }

  @Test
  void nothingFromOutsideBreaksAHeaderALogLineOrAKey() throws Exception {
    Browser browser = Browser.at(a);
    String evil = "x\r\nSet-Cookie: evil=1\r\n\r\n<b>{\"level\":\"ERROR\"}\u001b[31m";
    for (String path :
        List.of(
            "/api/operations/%0d%0aSet-Cookie:%20evil=1",
            "/api/operations?after=%0d%0aSet-Cookie:%20evil=1",
            "/api/callbacks/%0d%0aSet-Cookie:%20evil=1",
            "/api/operations/{p0pw}:meta%00*%20..")) {
      for (String method : List.of("GET", "POST")) {
        try (RawHttp http = RawHttp.connect(a)) {
          http.send(
              method
                  + " "
                  + path
                  + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
                  + "Cookie: "
                  + browser.cookie()
                  + "\r\n\r\n{}");
          RawHttp.Answer answer = http.answer();
          assertThat(answer.status()).as(path).isBetween(400, 499);
          assertThat(answer.headers()).doesNotContainKey("set-cookie");
        }
      }
    }
    for (String header : List.of("X-Correlation-Id", "Idempotency-Key", "traceparent")) {
      for (String value : List.of("a\rSet-Cookie: evil=1", "a\nSet-Cookie: evil=1", "a\u0000b")) {
        try (RawHttp http = RawHttp.connect(a)) {
          http.send(
              "POST /api/operations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nCookie: "
                  + browser.cookie()
                  + "\r\nContent-Length: 17\r\n"
                  + header
                  + ": "
                  + value
                  + "\r\n\r\n{\"kind\":\"export\"}");
          assertThat(http.answer().headers()).doesNotContainKey("set-cookie");
        }
      }
    }
    String json = new JsonMapper().writeValueAsString(evil);
    String id =
        creation(browser, "{\"durationMillis\":3600000,\"x\":" + json + "}").path("operationId");
    browser
        .ask(a)
        .contentType(ContentType.JSON)
        .header("Idempotency-Key", "*{p0pw}:meta|KEYS|*")
        .body("{\"kind\":\"export\",\"input\":{\"durationMillis\":3600000}}")
        .post("/api/operations")
        .then()
        .statusCode(201);
    webhooks.outcome(
        a,
        id,
        "{\"revision\":1,\"status\":\"RUNNING\",\"message\":%s,\"result\":%s}"
            .formatted(json, json));
    creation(browser, json).then().statusCode(400);
    browser.ack(a, id, 1, "live\r\nx").then().statusCode(400);

    for (String line : Files.readAllLines(a.log())) {
      assertThat(new JsonMapper().readTree(line).path("replica").asString())
          .as(line)
          .isEqualTo("replica-1");
    }
    try (RedisClient client = RedisClient.create(redis.uri().toString());
        var connection = client.connect()) {
      assertThat(connection.sync().keys("*"))
          .contains("lastmile:layout")
          .filteredOn(key -> !key.equals("lastmile:layout"))
          .allMatch(key ->
              key.matches(
                  "\\{p[0-9a-f][a-z]{2}}:[a-z]+(:(op[0-9a-f]-)?[0-9a-f]{32}(:[0-9a-f]{32})?|:replica-1\\S*)?"));
    }
    note(
        "line breaks and patterns in every field",
        "-",
        "-",
        "no injected header, log line or Redis key");
  }
}
