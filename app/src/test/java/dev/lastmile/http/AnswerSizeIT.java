package dev.lastmile.http;

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
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Answers that a client could try to make grow. {@code ListIT} is about lists. */
class AnswerSizeIT {
  private static final int HEAD_BYTES = 8_192;

  private static RedisProcess redis;
  private static Cluster cluster;
  private static LastmileProcess a;
  private static Browser browser;

  @BeforeAll
  static void start(@TempDir Path folder) {
    redis = new RedisProcess(Ports.free(), folder, false);
    redis.start();
    cluster =
        Cluster.builder()
            .replicas(1)
            .redis(redis.uri())
            .with("lastmile.http.max-bodies", 131_072)
            .with("lastmile.redis.timeout", "5s")
            .start();
    a = cluster.replica(1);
    browser = Browser.at(a);
  }

  @AfterAll
  static void stop() {
    cluster.close();
    redis.close();
  }

  /** Requests with values that a client chooses, wherever it can choose one. */
  private static void strangeRequests(String value) {
    browser.ask(a).get("/api/" + value);
    browser.ask(a).get("/api/operations/" + value);
    browser.ask(a).request("X" + value, "/api/operations");
    browser.ask(a).request("X" + value, "/api/stream");
    browser.ask(a).header("Last-Event-ID", value).get("/api/stream");
    browser.ask(a).header("Sec-Fetch-Site", value).get("/api/stream");
    browser.ask(a).header("Origin", "http://" + value).post("/api/acks");
    browser.ask(a).contentType("text/" + value).body("x").post("/api/acks");
    browser
        .ask(a)
        .contentType(ContentType.JSON)
        .body(Map.of("kind", value))
        .post("/api/operations");
    browser.ask(a).request("X" + value, "/api/callbacks/" + value);
    new Webhooks(cluster.secret()).send(a, value, Webhooks.running(1, 1));
    try (RawHttp http = RawHttp.connect(a)) {
      http.send("X" + value + " / HTTP/1.1\r\nHost: " + value + "\r\n\r\n").answer();
    }
  }

  private static TreeSet<String> series() {
    TreeSet<String> series = new TreeSet<>();
    Metrics.of(a)
        .text()
        .lines()
        .filter(line -> line.startsWith("lastmile_") || line.startsWith("http_"))
        .forEach(line -> series.add(line.substring(0, line.lastIndexOf(' '))));
    return series;
  }

  @Test
  void strangeRequestsAddNoSeries() {
    strangeRequests("first");
    TreeSet<String> before = series();
    for (int i = 0; i < 20; i++) {
      strangeRequests("other" + i);
    }
    TreeSet<String> added = series();
    added.removeAll(before);
    assertThat(added).isEmpty();
  }

  @Test
  void aProblemIsHardlyLargerThanTheRequestHead() {
    String id = "x".repeat(7_000);
    for (Response problem :
        List.of(
            browser.ask(a).get("/api/operations/" + id),
            browser.ask(a).get("/" + id),
            browser.ask(a).get("/api/operations?after=" + id),
            browser.ask(a).get("/api/stream?lastEventId=" + id),
            browser.ask(a).contentType("text/" + id).body("x").post("/api/acks"))) {
      assertThat(problem.statusCode()).isBetween(400, 499);
      assertThat(problem.asByteArray().length).isLessThan(3 * HEAD_BYTES);
    }
  }

  /** Bodies that wait for Redis are in memory, although they are complete. */
  @Test
  void bodiesThatAreNotAnsweredHaveALimitTogether() {
    Webhooks webhooks = new Webhooks(cluster.secret());
    String id = browser.create(a);
    String report =
        "{\"revision\":%d,\"status\":\"RUNNING\",\"result\":\"" + "x".repeat(60_000) + "\"}";
    List<Integer> statuses = new CopyOnWriteArrayList<>();
    redis.signal("STOP");
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 1; i <= 4; i++) {
        String body = report.formatted(i);
        threads.execute(() -> statuses.add(webhooks.send(a, id, body).statusCode()));
      }
      Awaitility.await("two rejected at once").until(() -> List.of(503, 503).equals(statuses));
      redis.signal("CONT");
    } finally {
      redis.signal("CONT");
    }
    assertThat(statuses.subList(2, 4)).containsOnly(200);
    assertThat(Metrics.of(a).sum("lastmile_http_requests_rejected_total", "body_memory"))
        .isEqualTo(2);
    assertThat(webhooks.send(a, id, report.formatted(5)).statusCode()).isEqualTo(200);
  }

  @Test
  void aTimelineHasTheLastVersionsOnly() {
    Webhooks webhooks = new Webhooks(cluster.secret());
    String id = browser.create(a);
    try (SseClient stream = browser.stream(a);
        SseClient other = browser.stream(a)) {
      stream.awaitReady();
      other.awaitReady();
      for (int revision = 1; revision <= 50; revision++) {
        webhooks.outcome(a, id, Webhooks.running(revision, revision));
        assertThat(browser.ack(a, id, revision + 1, "live").statusCode()).isEqualTo(204);
        assertThat(browser.ack(a, id, revision + 1, "live").statusCode()).isEqualTo(204);
      }
    }
    Response timeline = browser.ask(a).get("/api/operations/" + id + "/timeline");
    assertThat(new TreeSet<>(timeline.<List<Integer>>path("hops.version"))).hasSize(20);
    assertThat(timeline.asByteArray().length).isLessThan(20_000);
  }
}
