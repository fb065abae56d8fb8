package dev.lastmile.http;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import java.io.ByteArrayInputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What bad input gets: a problem that names the field and the limit, and no change. */
class BadInputIT {
  private final Cluster cluster = Cluster.shared();
  private final LastmileProcess a = cluster.replica(1);
  private final Browser browser = Browser.at(a);
  private final Webhooks webhooks = new Webhooks(cluster.secret());

  private RequestSpecification json() {
    return browser.ask(a).contentType(ContentType.JSON);
  }

  private static ValidatableResponse problem(Response response, int status, String field) {
    ValidatableResponse problem =
        response
            .then()
            .statusCode(status)
            .contentType("application/problem+json")
            .body("status", equalTo(status))
            .body("title", notNullValue())
            .body("detail", notNullValue())
            .body(not(containsString("Exception")))
            .body(not(containsString("dev.lastmile")));
    return field == null ? problem : problem.body("field", equalTo(field));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "[]", "\"x\"", "{\"kind\":{}}", "{\"kind\":\"export\"", "nul"})
  void aMalformedCreationIsRefused(String body) {
    problem(json().body(body).post("/api/operations"), 400, null).body("limit", notNullValue());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"kind\":\"export\",\"input\":{\"a\":1,\"a\":2}} | Duplicate Object property \"a\"",
        "{\"kind\":\"export\",\"input\":{\"a\":\"\u0001\"}} | Illegal unquoted character",
        "{\"kind\" | Unexpected end-of-input"
      })
  void aMalformedCreationIsToldWhatTheParserFound(String body, String reason) {
    problem(json().body(body).post("/api/operations"), 400, null)
        .body("detail", containsString(reason))
        .body("detail", containsString("line 1, column"))
        .body("detail", not(containsString("Source")));
  }

  static Stream<Arguments> creations() {
    return Stream.of(
        Arguments.of("{}", "kind"),
        Arguments.of("{\"kind\":null}", "kind"),
        Arguments.of("{\"kind\":\"bake\"}", "kind"),
        Arguments.of("{\"kind\":7}", "kind"),
        Arguments.of("{\"kind\":\"export\",\"kind\":\"import\"}", "body"),
        Arguments.of("{\"kind\":\"export\",\"input\":7}", "input"),
        Arguments.of("{\"kind\":\"export\",\"input\":{\"x\":1e99999999999}}", "input"),
        Arguments.of("{\"kind\":\"export\",\"input\":{\"x\":\"\\ud800\"}}", "input"),
        Arguments.of("{\"kind\":\"export\",\"input\":[]}", "input"));
  }

  @ParameterizedTest
  @MethodSource("creations")
  void aWrongCreationIsRefusedWithItsField(String body, String field) {
    problem(json().body(body).post("/api/operations"), 400, field).body("limit", notNullValue());
    browser.list(a, "").then().body("operations", equalTo(List.of()));
  }

  @Test
  void aBodyAboveTheLimitIsRefused_alsoWithoutALength() throws Exception {
    String large = "{\"kind\":\"export\",\"input\":{\"x\":\"" + "y".repeat(70_000) + "\"}}";
    problem(json().body(large).post("/api/operations"), 413, "body").body("limit", equalTo(65_536));
    HttpRequest chunked =
        HttpRequest.newBuilder(a.uri().resolve("/api/operations"))
            .header("Cookie", browser.cookie())
            .header("Content-Type", "application/json")
            .POST(
                HttpRequest.BodyPublishers.ofInputStream(
                    () -> new ByteArrayInputStream(large.getBytes(UTF_8))))
            .build();
    try (HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
      assertThat(http.send(chunked, HttpResponse.BodyHandlers.ofString()).statusCode())
          .isEqualTo(413);
    }
    String id = browser.create(a);
    problem(webhooks.send(a, id, large), 413, "body");
  }

  @Test
  void aDeepBodyIsRefused() {
    String deep =
        "{\"kind\":\"export\",\"input\":" + "{\"a\":".repeat(2_000) + "1" + "}".repeat(2_001);
    problem(json().body(deep).post("/api/operations"), 400, null);
    String id = browser.create(a);
    String deepResult =
        "{\"revision\":1,\"status\":\"RUNNING\",\"result\":"
            + "[".repeat(2_000)
            + "]".repeat(2_000)
            + "}";
    problem(webhooks.send(a, id, deepResult), 400, "body");
  }

  @Test
  void anotherContentTypeIsRefused() {
    problem(
        browser.ask(a).contentType(ContentType.TEXT).body("{}").post("/api/operations"), 415, null);
    problem(browser.ask(a).contentType(ContentType.XML).body("<a/>").post("/api/acks"), 415, null);
    problem(
        given()
            .baseUri(a.uri().toString())
            .contentType(ContentType.TEXT)
            .body("{}")
            .post("/api/callbacks/x"),
        415,
        null);
  }

  @ParameterizedTest
  @ValueSource(strings = {"short", "with space", "x%0Ay-12345", "ab\"cdefgh"})
  void aWrongCorrelationIdIsRefused(String id) {
    problem(
        json()
            .header("X-Correlation-Id", id)
            .body(Map.of("kind", "export"))
            .post("/api/operations"),
        400,
        "X-Correlation-Id");
  }

  @Test
  void aWrongIdempotencyKeyIsRefused() {
    problem(
        json()
            .header("Idempotency-Key", "k".repeat(129))
            .body(Map.of("kind", "export"))
            .post("/api/operations"),
        400,
        "Idempotency-Key");
  }

  @Test
  void withoutAValidCookieNothingIsTold() {
    String good = browser.cookie();
    String forged = good.substring(0, good.length() - 4) + "AAAA";
    String id = browser.create(a);
    for (String cookie : List.of("a=b", "lastmile_identity=", "lastmile_identity=x", forged)) {
      RequestSpecification asked = given().baseUri(a.uri().toString()).header("Cookie", cookie);
      problem(asked.get("/api/operations"), 401, null);
      problem(asked.get("/api/operations/" + id), 401, null);
      problem(asked.get("/api/operations/" + id + "/timeline"), 401, null);
      problem(asked.get("/api/stream"), 401, null);
      problem(asked.contentType(ContentType.JSON).body("{}").post("/api/operations"), 401, null);
      problem(asked.contentType(ContentType.JSON).body("{}").post("/api/acks"), 401, null);
    }
  }

  @Test
  void anotherIdentitysOperationDoesNotExist() {
    String id = browser.create(a);
    Browser other = Browser.at(a);
    String unknown = id.substring(0, 4) + "0".repeat(32);
    for (String path : List.of(id, unknown, "nonsense", "x".repeat(500))) {
      problem(other.ask(a).urlEncodingEnabled(false).get("/api/operations/" + path), 404, null);
    }
    problem(other.get(a, id), 404, "operationId");
    problem(other.ask(a).get("/api/operations/" + id + "/timeline"), 404, "operationId");
    problem(other.ack(a, id, 1, "live"), 404, "acks[0].operationId");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "x",
        "1",
        "0123456789abcdef-x",
        "0123456789abcdef-1-1",
        "0123456789abcdef-1-0.x",
        "-",
        "%00"
      })
  void aCursorThatIsNoneIsRefused(String cursor) {
    problem(
        browser.ask(a).urlEncodingEnabled(false).get("/api/operations?after=" + cursor),
        400,
        "after");
    problem(
        browser.ask(a).urlEncodingEnabled(false).get("/api/stream?lastEventId=" + cursor),
        400,
        "lastEventId");
  }

  @Test
  void aPageThatIsNoneIsRefused() {
    String list = "/api/operations?";
    problem(browser.ask(a).get(list + "limit=0"), 400, "limit");
    problem(browser.ask(a).get(list + "limit=1001"), 400, "limit");
    problem(browser.ask(a).get(list + "limit=1&limit=2"), 400, "limit");
    problem(browser.ask(a).get(list + "next=x"), 400, "next");
    problem(browser.ask(a).get(list + "next=0123456789abcdef-1"), 400, "next");
  }

  @Test
  void aLastEventIdThatIsNoneIsRefused() {
    problem(browser.ask(a).header("Last-Event-ID", "x").get("/api/stream"), 400, "Last-Event-ID");
  }

  @Test
  void aStreamIsReadOnly() {
    problem(browser.ask(a).post("/api/stream"), 405, null).header("Allow", "GET");
  }

  static Stream<Arguments> acks() {
    String id = "\"operationId\":\"op0-" + "0".repeat(32) + "\"";
    return Stream.of(
        Arguments.of("{}", 400, "acks"),
        Arguments.of("{\"acks\":null}", 400, "acks"),
        Arguments.of("{\"acks\":7}", 400, "acks"),
        Arguments.of("{\"acks\":[null]}", 400, "acks[0]"),
        Arguments.of("{\"acks\":[{" + id + ",\"via\":\"live\"}]}", 400, "acks[0].version"),
        Arguments.of(
            "{\"acks\":[{" + id + ",\"version\":0,\"via\":\"live\"}]}", 400, "acks[0].version"),
        Arguments.of(
            "{\"acks\":[{" + id + ",\"version\":1.5,\"via\":\"live\"}]}", 400, "acks[0].version"),
        Arguments.of("{\"acks\":[{" + id + ",\"version\":1}]}", 400, "acks[0].via"),
        Arguments.of("{\"acks\":[{" + id + ",\"version\":1,\"via\":\"fax\"}]}", 400, "acks[0].via"),
        Arguments.of(
            "{\"acks\":[{\"operationId\":\"x\",\"version\":1,\"via\":\"live\"}]}",
            404,
            "acks[0].operationId"));
  }

  @ParameterizedTest
  @MethodSource("acks")
  void aWrongAckIsRefusedWithItsField(String body, int status, String field) {
    problem(json().body(body).post("/api/acks"), status, field);
  }

  @Test
  void aBatchOfAcksIsTakenAsAWholeOrNotAtAll() {
    String id = browser.create(a);
    Map<String, Object> good = Map.of("operationId", id, "version", 1, "via", "live");
    Map<String, Object> ahead = Map.of("operationId", id, "version", 2, "via", "live");
    problem(
        json().body(Map.of("acks", List.of(good, ahead))).post("/api/acks"),
        409,
        "acks[1].version");
    assertThat(browser.hops(a, id, 1)).doesNotContain("client_acked");
    problem(
        json().body(Map.of("acks", Collections.nCopies(257, good))).post("/api/acks"), 400, "acks");
    json()
        .body(Map.of("acks", Collections.nCopies(256, good)))
        .post("/api/acks")
        .then()
        .statusCode(204);
  }

  static Stream<Arguments> callbacks() {
    return Stream.of(
        Arguments.of("", "body"),
        Arguments.of("[]", "body"),
        Arguments.of("{", "body"),
        Arguments.of("{\"status\":\"RUNNING\"}", "revision"),
        Arguments.of("{\"revision\":0,\"status\":\"RUNNING\"}", "revision"),
        Arguments.of("{\"revision\":-1,\"status\":\"RUNNING\"}", "revision"),
        Arguments.of("{\"revision\":1.5,\"status\":\"RUNNING\"}", "revision"),
        Arguments.of("{\"revision\":\"1\",\"status\":\"RUNNING\"}", "revision"),
        Arguments.of("{\"revision\":9007199254740992,\"status\":\"RUNNING\"}", "revision"),
        Arguments.of("{\"revision\":1e300,\"status\":\"RUNNING\"}", "revision"),
        Arguments.of("{\"revision\":1}", "status"),
        Arguments.of("{\"revision\":1,\"status\":\"PENDING\"}", "status"),
        Arguments.of("{\"revision\":1,\"status\":\"running\"}", "status"),
        Arguments.of("{\"revision\":1,\"status\":\"RUNNING\",\"progress\":101}", "progress"),
        Arguments.of("{\"revision\":1,\"status\":\"RUNNING\",\"progress\":-1}", "progress"),
        Arguments.of("{\"revision\":1,\"status\":\"RUNNING\",\"progress\":\"5\"}", "progress"),
        Arguments.of("{\"revision\":1,\"revision\":2,\"status\":\"RUNNING\"}", "body"),
        Arguments.of("{\"revision\":1,\"status\":\"RUNNING\",\"result\":1e99999999999}", "body"));
  }

  @ParameterizedTest
  @MethodSource("callbacks")
  void aWrongCallbackIsRefusedWithItsFieldAndChangesNothing(String body, String field) {
    String id = browser.create(a);
    problem(webhooks.send(a, id, body), 400, field).body("limit", notNullValue());
    browser.get(a, id).then().body("version", equalTo(1));
  }

  @Test
  void anOutcomeIsNotLostForATextThatIsOnlyShown() {
    String id = browser.create(a);
    String message = "m".repeat(2_000) + "\\ud83d";
    String body =
        "{\"revision\":1,\"status\":\"SUCCEEDED\",\"progress\":101,\"message\":\"%s\",\"result\":[\"\\ud800\"]}"
            .formatted(message);
    assertThat(webhooks.outcome(a, id, body)).isEqualTo("stored");
    browser
        .get(a, id)
        .then()
        .body("status", equalTo("SUCCEEDED"))
        .body("progress", equalTo(100))
        .body("message", equalTo("m".repeat(999) + "…"))
        .body("result", equalTo(List.of("\ufffd")));
  }

  @Test
  void aCallbackWithAWrongOrOldSignatureIsRefused() {
    String id = browser.create(a);
    String body = Webhooks.running(1, 1);
    long now = Instant.now().getEpochSecond();
    String foe = "whsec_" + Base64.getEncoder().encodeToString(new byte[32]);
    problem(new Webhooks(foe).send(a, id, body), 401, "webhook-signature");
    problem(webhooks.send(a, id, body, now - 400), 401, "webhook-timestamp");
    problem(webhooks.send(a, id, body, now + 400), 401, "webhook-timestamp");
    problem(
        given()
            .baseUri(a.uri().toString())
            .contentType(ContentType.JSON)
            .body(body)
            .post("/api/callbacks/" + id),
        401,
        "webhook-signature");
    browser.get(a, id).then().body("version", equalTo(1));
  }

  @Test
  void aCallbackForAnUnknownOperationIsNotFound() {
    String body = Webhooks.running(1, 1);
    problem(webhooks.send(a, "op0-" + "0".repeat(32), body), 404, "operationId");
    problem(webhooks.send(a, "nonsense", body), 404, "operationId");
  }

  @Test
  void whatReachesAFrameOrALogCannotBreakIt() {
    String id = browser.create(a);
    webhooks.outcome(
        a,
        id,
        "{\"revision\":1,\"status\":\"RUNNING\",\"message\":\"a\\n\\ndata: x\\r\\nevent: ready\","
            + "\"result\":{\"k\\n\":\"\\u2028\\u0000\"}}");
    try (var stream = browser.stream(a)) {
      var event = stream.await("the update", e -> e.name().equals("update"));
      assertThat(stream.events().stream().filter(e -> e.name().equals("ready"))).hasSize(1);
      assertThat(event.data()).contains("a\\n\\ndata: x\\r\\nevent: ready");
    }
  }

  @Test
  void anotherSitesPageCannotChangeAnything() {
    for (Map.Entry<String, String> header :
        List.of(
            Map.entry("Origin", "https://evil.example"),
            Map.entry("Origin", "null"),
            Map.entry("Sec-Fetch-Site", "cross-site"),
            Map.entry("Sec-Fetch-Site", "same-site"))) {
      problem(
          json()
              .header(header.getKey(), header.getValue())
              .body(Map.of("kind", "export"))
              .post("/api/operations"),
          403,
          header.getKey());
    }
    json()
        .header("Origin", a.uri().toString())
        .header("Sec-Fetch-Site", "same-origin")
        .body(Map.of("kind", "export", "input", Map.of("durationMillis", 3_600_000)))
        .post("/api/operations")
        .then()
        .statusCode(201);
  }

  @Test
  void theCookieIsForHttpOnlyAndSecureBehindTls() {
    String plain = given().baseUri(a.uri().toString()).post("/api/identity").header("Set-Cookie");
    assertThat(plain).contains("HttpOnly", "SameSite=Lax", "Path=/").doesNotContain("Secure");
    String tls =
        given()
            .baseUri(a.uri().toString())
            .header("X-Forwarded-Proto", "https")
            .post("/api/identity")
            .header("Set-Cookie");
    assertThat(tls).contains("Secure");
    assertThat(browser.ask(a).post("/api/identity").header("Set-Cookie"))
        .as("nobody's identity is replaced")
        .isNull();
    assertThat(given().baseUri(a.uri().toString()).get("/").header("Set-Cookie")).isNotNull();
  }

  @Test
  void numbersOfAResultAreKeptAsTheyWereSent() {
    String id = browser.create(a);
    String numbers = "[1.10,0.1234567890123456789,123456789012345678901234567890,1E+400,1E-400]";
    webhooks.outcome(a, id, "{\"revision\":1,\"status\":\"RUNNING\",\"result\":" + numbers + "}");
    assertThat(browser.get(a, id).asString()).contains("\"result\":" + numbers);
  }

  @Test
  void whateverAClientAcceptsItGetsTheOneRepresentation() {
    String id = browser.create(a);
    for (String accept : List.of("text/html", "foo", "application/xml;q=0.5", "*/*")) {
      browser
          .ask(a)
          .header("Accept", accept)
          .get("/api/operations/" + id)
          .then()
          .statusCode(200)
          .contentType(ContentType.JSON);
      problem(browser.ask(a).header("Accept", accept).get("/api/operations/x"), 404, "operationId");
    }
  }

  @Test
  void aFormIsNotTakenForABody() throws Exception {
    for (String path :
        List.of("/api/callbacks/op0-" + "0".repeat(32), "/api/operations", "/api/acks", "/nope")) {
      HttpRequest form =
          HttpRequest.newBuilder(a.uri().resolve(path))
              .header("Cookie", browser.cookie())
              .header("Content-Type", "multipart/form-data; boundary=x")
              .POST(HttpRequest.BodyPublishers.ofString("{}"))
              .build();
      try (HttpClient http = HttpClient.newHttpClient()) {
        HttpResponse<String> answer = http.send(form, HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(path).isIn(404, 415);
        assertThat(answer.body()).as(path).contains("\"status\"");
      }
    }
  }

  @Test
  void whatTheContainerRefusesIsAProblemToo() {
    problem(browser.ask(a).get("/error"), 404, null);
    problem(browser.ask(a).header("Accept", "text/html").post("/error"), 404, null);
    problem(
        browser.ask(a).urlEncodingEnabled(false).get("/api/operations?after=%25zz"), 400, "after");
    problem(browser.ask(a).request("TRACE", "/api/operations"), 405, null);
    problem(browser.ask(a).body("x").get("/api/stream"), 400, "body");
  }

  @Test
  void whatIsNotThereIsNotFound() {
    problem(browser.ask(a).get("/api/nothing"), 404, null);
    problem(browser.ask(a).delete("/api/operations"), 405, null);
    problem(browser.ask(a).urlEncodingEnabled(false).get("/api/..%2f..%2fetc"), 400, null);
    problem(browser.ask(a).header("x", "y".repeat(20_000)).get("/api/operations"), 431, null);
    browser.ask(a).get("/actuator/prometheus").then().statusCode(404);
  }
}
