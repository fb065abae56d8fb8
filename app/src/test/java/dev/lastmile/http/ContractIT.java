package dev.lastmile.http;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Error;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.lastmile.testkit.Generated;
import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.RawHttp;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.Contract;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import io.restassured.specification.RequestSpecification;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Compares a replica with its OpenAPI and AsyncAPI documents: every documented response is
 * provoked, and every response that occurs is documented.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ContractIT {
  private static final String UNKNOWN = "op0-" + "0".repeat(32);
  private static final Map<String, Object> EXPORT =
      Map.of("kind", "export", "input", Map.of("durationMillis", 3_600_000));

  private static final Contract CONTRACT = new Contract();
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
            .with("lastmile.redis.timeout", "500ms")
            // Redis is gone in the end, so a drain has nothing to wait for.
            .with("lastmile.drain.settle", "0s")
            .with("lastmile.stream.heartbeat", "500ms")
            .with("lastmile.stream.max-connections-per-identity", 1)
            .with("lastmile.retention.operations-per-channel", 2)
            .with("lastmile.http.body-timeout", "300ms")
            .with("lastmile.rate.window", "1h")
            .with("lastmile.rate.creations", 20)
            .with("lastmile.rate.reads", 20)
            .with("lastmile.rate.acks", 20)
            .with("lastmile.rate.streams", 8)
            .with("lastmile.rate.identities-per-address", 40)
            .start();
    a = cluster.replica(1);
    webhooks = new Webhooks(cluster.secret());
  }

  @AfterAll
  static void stop() {
    cluster.close();
    redis.close();
  }

  private static RequestSpecification anyone() {
    return given().filter(CONTRACT).baseUri(a.uri().toString());
  }

  private static RequestSpecification as(Browser browser) {
    return anyone().header("Cookie", browser.cookie());
  }

  private static RequestSpecification json(Browser browser, Object body) {
    return as(browser).contentType(ContentType.JSON).body(body);
  }

  private static Response callback(String id, Object body) {
    return callback(id, body, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
  }

  private static Response callback(String id, Object body, String secret) {
    return new Webhooks(secret).send(a, id, body.toString(), anyone());
  }

  private static void expect(int status, Response response) {
    assertThat(response.statusCode()).as(response.asString()).isEqualTo(status);
  }

  /**
   * Sends a request that client libraries do not allow, and checks the response against the
   * document.
   */
  private static RawHttp.Answer raw(int status, String method, String path, String rest) {
    try (RawHttp http = RawHttp.connect(a)) {
      http.send(method + " " + path + " HTTP/1.1\r\n" + rest);
      return checked(status, method, path, http.answer());
    }
  }

  private static RawHttp.Answer checked(
      int status, String method, String path, RawHttp.Answer answer) {
    assertThat(answer.status()).as(method + " " + path + " " + answer.body()).isEqualTo(status);
    CONTRACT.check(a.uri().resolve(path), method, status, answer::header, answer.body());
    return answer;
  }

  /** Every operation of the document, with a path that can be requested. */
  private static Map<String, String> operations() {
    Map<String, String> all = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> path : Contract.document(a.uri()).path("paths").properties()) {
      for (String method : path.getValue().propertyNames()) {
        if (!path.getKey().startsWith("/v3")) {
          all.put(
              method.toUpperCase(Locale.ROOT) + " " + path.getKey(),
              path.getKey().replaceAll("\\{\\w+}", UNKNOWN));
        }
      }
    }
    return all;
  }

  @Test
  @Order(1)
  void theServersOwnAnswers() {
    operations()
        .forEach((operation, path) -> {
          String method = operation.substring(0, operation.indexOf(' '));
          String host = "Host: " + a.uri().getAuthority() + "\r\n";
          raw(400, method, path, host + host + "Host: other\r\n\r\n");
          raw(431, method, path, host + "X: " + "y".repeat(9_000) + "\r\n\r\n");
        });
    raw(200, "GET", "/asyncapi.yaml", "Host: x\r\n\r\n");
    raw(200, "GET", "/v3/api-docs", "Host: x\r\n\r\n");
    raw(400, "GET", "/v3/api-docs", "Host: x\r\nHost: y\r\n\r\n");
    raw(431, "GET", "/v3/api-docs", "Host: x\r\nX: " + "y".repeat(9_000) + "\r\n\r\n");
  }

  @Test
  @Order(2)
  void bodies() {
    Browser browser = Browser.at(a);
    String head =
        "Host: x\r\nCookie: " + browser.cookie() + "\r\nContent-Type: application/json\r\n";
    for (String path : List.of("/api/operations", "/api/acks", "/api/callbacks/" + UNKNOWN)) {
      expect(415, as(browser).contentType(ContentType.TEXT).body("x").post(path));
      expect(413, json(browser, "x".repeat(70_000)).post(path));
      try (RawHttp http = RawHttp.connect(a)) {
        http.send("POST " + path + " HTTP/1.1\r\n" + head + "Content-Length: 1000\r\n\r\n");
        assertThat(http.drip(" ", 50, 10_000)).isBetween(250L, 5_000L);
        checked(408, "POST", path, http.answer());
      }
    }
    expect(400, json(browser, "{").post("/api/operations"));
    expect(400, json(browser, "{}").post("/api/acks"));
    expect(400, callback(UNKNOWN, "{}", cluster.secret()));
  }

  @Test
  @Order(3)
  void identities() {
    expect(200, anyone().get("/"));
    expect(204, anyone().post("/api/identity"));
    expect(403, anyone().header("Sec-Fetch-Site", "cross-site").post("/api/identity"));
    String two = Browser.at(a).cookie() + "; " + Browser.at(a).cookie();
    for (String cookie : List.of("a=b", two)) {
      RequestSpecification asked = anyone().header("Cookie", cookie);
      expect(401, asked.get("/api/operations"));
      expect(401, asked.get("/api/operations/" + UNKNOWN));
      expect(401, asked.get("/api/operations/" + UNKNOWN + "/timeline"));
      expect(401, asked.get("/api/stream"));
      expect(401, asked.contentType(ContentType.JSON).body(EXPORT).post("/api/operations"));
      expect(401, asked.contentType(ContentType.JSON).body("{}").post("/api/acks"));
    }
  }

  @Test
  @Order(4)
  void operationsAndCallbacks() {
    Browser browser = Browser.at(a);
    Response created = json(browser, EXPORT).header("Idempotency-Key", "k").post("/api/operations");
    expect(201, created);
    String id = created.path("operationId");
    expect(201, json(browser, EXPORT).header("Idempotency-Key", "k").post("/api/operations"));
    expect(
        422,
        json(browser, Map.of("kind", "import"))
            .header("Idempotency-Key", "k")
            .post("/api/operations"));
    expect(
        403, json(browser, EXPORT).header("Origin", "https://x.example").post("/api/operations"));
    expect(403, json(browser, "{}").header("Origin", "https://x.example").post("/api/acks"));
    expect(200, as(browser).get("/api/operations/" + id));
    expect(304, as(browser).header("If-None-Match", "*").get("/api/operations/" + id));
    expect(200, as(browser).get("/api/operations/" + id + "/timeline"));
    expect(200, as(browser).get("/api/operations"));
    expect(400, as(browser).get("/api/operations?after=x"));
    expect(404, as(browser).get("/api/operations/" + UNKNOWN));
    expect(404, as(browser).get("/api/operations/" + UNKNOWN + "/timeline"));
    expect(401, callback(id, Webhooks.running(1, 1)));
    expect(404, callback(UNKNOWN, Webhooks.running(1, 1), cluster.secret()));
    expect(200, callback(id, Webhooks.succeeded(1), cluster.secret()));
    Map<String, Object> ack = Map.of("operationId", id, "version", 2, "via", "live");
    Map<String, Object> unknown = Map.of("operationId", UNKNOWN, "version", 1, "via", "live");
    expect(204, json(browser, Map.of("acks", List.of(ack))).post("/api/acks"));
    Map<String, Object> ahead = Map.of("operationId", id, "version", 3, "via", "live");
    expect(409, json(browser, Map.of("acks", List.of(ahead))).post("/api/acks"));
    expect(404, json(browser, Map.of("acks", List.of(unknown))).post("/api/acks"));
    expect(201, json(browser, EXPORT).post("/api/operations"));
    expect(201, json(browser, EXPORT).post("/api/operations"));
    expect(410, json(browser, EXPORT).header("Idempotency-Key", "k").post("/api/operations"));
    expect(429, json(browser, EXPORT).post("/api/operations"));
  }

  @Test
  @Order(5)
  void framesOfTheStream() throws IOException {
    JsonNode document =
        new JsonMapper()
            .valueToTree(
                new Yaml().<Map<String, Object>>load(anyone().get("/asyncapi.yaml").asString()));
    Generated.assertFile(
        Path.of("..", "docs", "reference", "asyncapi.yaml"),
        Files.readString(Path.of("src/main/resources/dev/lastmile/http/asyncapi.yaml")));
    Browser browser = Browser.at(a);
    String id = browser.create(a);
    List<SseClient.Event> events = new ArrayList<>();
    try (SseClient stream = browser.stream(a, "0123456789abcdef-7")) {
      stream.awaitReady();
      webhooks.outcome(
          a,
          id,
          "{\"revision\":1,\"status\":\"RUNNING\",\"message\":\"a\\n\\rb\\u2028\",\"result\":[1.50,{}]}");
      webhooks.outcome(a, id, Webhooks.succeeded(2));
      stream.await("the last version", e -> e.data().contains("\"version\":3"));
      stream.await("a heartbeat", e -> e.name().equals("heartbeat"));
      events.addAll(stream.events());
      RawHttp.Answer head = answer(stream);
      CONTRACT.check(a.uri().resolve("/api/stream"), "GET", stream.status(), head::header, "");
      expect(503, as(browser).get("/api/stream"));
      expect(403, as(browser).header("Sec-Fetch-Site", "same-site").get("/api/stream"));
      expect(400, as(browser).get("/api/stream?lastEventId=x"));
    }
    for (SseClient.Event event : events) {
      assertFrame(document, event);
    }
    assertThat(new TreeSet<>(events.stream().map(SseClient.Event::name).toList()))
        .as("each documented message was received, and no other")
        .isEqualTo(new TreeSet<>(document.at("/components/messages").propertyNames()));
  }

  private static RawHttp.Answer answer(SseClient stream) {
    Map<String, String> headers = new LinkedHashMap<>();
    for (String line : stream.head().split("\r?\n")) {
      String[] pair = line.split(":", 2);
      if (pair.length == 2) {
        headers.put(pair[0].toLowerCase(Locale.ROOT), pair[1].strip());
      }
    }
    return new RawHttp.Answer(stream.status(), headers, "");
  }

  private static void assertFrame(JsonNode document, SseClient.Event event) {
    JsonMapper json = new JsonMapper();
    ObjectNode whole = json.createObjectNode();
    whole.put("$ref", "#/components/schemas/" + event.name());
    whole.set("components", document.path("components"));
    JsonNode data = json.readTree(event.data());
    assertThat(
            SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(whole)
                .validate(data))
        .extracting(Error::toString)
        .as(event.toString())
        .isEmpty();
    assertThat(event.id())
        .as("only an update has an id, and it is its cursor")
        .isEqualTo(event.name().equals("update") ? data.path("cursor").asString() : "");
  }

  /**
   * Runs in a separate thread, so that the timeout also ends a blocking read of a stream that
   * should have been rejected.
   */
  @Test
  @Order(6)
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void floods() {
    Browser browser = Browser.at(a);
    flood(20, () -> as(browser).get("/api/operations"));
    expect(429, as(browser).get("/api/operations/" + UNKNOWN));
    expect(429, as(browser).get("/api/operations/" + UNKNOWN + "/timeline"));
    flood(20, () -> json(browser, "{\"acks\":[]}").post("/api/acks"));
    for (int i = 0; i < 8; i++) {
      try (SseClient stream = browser.stream(a)) {
        stream.awaitReady();
      }
      Awaitility.await().until(() -> Metrics.of(a).sum("lastmile_stream_connections") == 0);
    }
    expect(429, as(browser).get("/api/stream"));
  }

  private static void flood(int most, Supplier<Response> request) {
    for (int i = 0; i < most; i++) {
      assertThat(request.get().statusCode()).isLessThan(300);
    }
    Response refused = request.get();
    expect(429, refused);
    assertThat(refused.path("limit").toString()).isEqualTo(Integer.toString(most));
    assertThat(Integer.parseInt(refused.header("Retry-After"))).isBetween(1, 3_600 / most + 1);
  }

  @Test
  @Order(7)
  void withoutRedisAndInTheEnd() {
    Browser browser = Browser.at(a);
    String id = browser.create(a);
    while (anyone().post("/api/identity").statusCode() == 204) {
      // Uses up the identities that one address may create.
    }
    Response refused = anyone().get("/");
    expect(429, refused);
    assertThat(refused.header("Set-Cookie")).as("no identity beyond the limit").isNull();
    redis.kill();
    Awaitility.await().until(() -> as(browser).get("/api/operations/" + id).statusCode() == 503);
    expect(503, as(browser).get("/api/operations"));
    expect(503, as(browser).get("/api/operations/" + id + "/timeline"));
    expect(503, json(browser, EXPORT).post("/api/operations"));
    Map<String, Object> ack = Map.of("operationId", id, "version", 1, "via", "live");
    expect(503, json(browser, Map.of("acks", List.of(ack))).post("/api/acks"));
    expect(503, callback(id, Webhooks.running(1, 1), cluster.secret()));
    System.out.printf("REPORT %d documented answers seen%n", CONTRACT.seen());
    assertThat(CONTRACT.unseen(a.uri())).as("documented, but never received").isEmpty();
  }
}
