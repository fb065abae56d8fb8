package dev.lastmile.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.RawHttp;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import io.restassured.path.json.JsonPath;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Streams at their limits, and every way in which one can end. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class StreamIT {
  private static Cluster cluster;
  private static LastmileProcess a;

  @BeforeAll
  static void start() {
    cluster =
        Cluster.builder()
            .replicas(2)
            .with("lastmile.stream.max-connections", 12)
            .with("lastmile.stream.max-connections-per-identity", 4)
            .with("lastmile.stream.heartbeat", "1s")
            .with("lastmile.stream.write-timeout", "2s")
            .with("lastmile.stream.queue-bytes", 262_144)
            .start();
    a = cluster.replica(1);
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  private static double connections() {
    return Metrics.of(a).sum("lastmile_stream_connections");
  }

  private static double closed(String reason) {
    return Metrics.of(a).sum("lastmile_stream_closed_total", "reason=\"" + reason + "\"");
  }

  private static void awaitConnections(int count) {
    Awaitility.await(count + " connections").until(() -> connections() == count);
  }

  private static void awaitBooksBalance() {
    Awaitility.await("opened = closed + connections")
        .untilAsserted(() -> {
          Metrics metrics = Metrics.of(a);
          assertThat(metrics.sum("lastmile_stream_opened_total"))
              .isEqualTo(
                  metrics.sum("lastmile_stream_closed_total")
                      + metrics.sum("lastmile_stream_connections"));
        });
  }

  private static List<SseClient> open(Browser browser, int count) {
    List<SseClient> streams = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      SseClient stream = browser.stream(a);
      stream.awaitReady();
      streams.add(stream);
    }
    return streams;
  }

  @Test
  @Order(1)
  void anIdentityHasItsLimit() {
    Browser browser = Browser.at(a);
    List<SseClient> streams = open(browser, 4);
    browser
        .ask(a)
        .get("/api/stream")
        .then()
        .statusCode(503)
        .contentType("application/problem+json")
        .header("Retry-After", "1")
        .body("field", equalTo("lastmile.stream.max-connections-per-identity"))
        .body("limit", equalTo(4));
    assertThat(Metrics.of(a).sum("lastmile_stream_rejected_total", "identity_full")).isEqualTo(1);
    streams.removeFirst().close();
    awaitConnections(3);
    streams.addAll(open(browser, 1));
    streams.forEach(SseClient::close);
    awaitConnections(0);
    awaitBooksBalance();
  }

  @Test
  @Order(2)
  void aReplicaHasItsLimit() {
    List<SseClient> streams = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      streams.addAll(open(Browser.at(a), 4));
    }
    Browser.at(a)
        .ask(a)
        .get("/api/stream")
        .then()
        .statusCode(503)
        .header("Retry-After", "1")
        .body("field", equalTo("lastmile.stream.max-connections"));
    streams.forEach(SseClient::close);
    awaitConnections(0);
    awaitBooksBalance();
  }

  @Test
  @Order(3)
  void aClosedTabIsNoticedAtOnceAndNotByTheNextHeartbeats() {
    double before = closed("client_gone");
    SseClient stream = open(Browser.at(a), 1).getFirst();
    assertThat(connections()).isEqualTo(1);
    stream.close();
    Awaitility.await()
        .atMost(Duration.ofMillis(900))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> connections() == 0);
    assertThat(closed("client_gone")).isEqualTo(before + 1);
  }

  @Test
  @Order(4)
  void heartbeatsAreEventsWithTheCursorAndWithoutAnId() {
    Browser browser = Browser.at(a);
    try (SseClient stream = browser.stream(a)) {
      stream.awaitReady();
      browser.create(a);
      String id = stream.await("update", e -> e.name().equals("update")).id();
      SseClient.Event heartbeat =
          stream.await("heartbeat at " + id, e -> e.name().equals("heartbeat"));
      assertThat(heartbeat.id()).isEmpty();
      Awaitility.await()
          .until(
              () -> new JsonPath(stream.events().getLast().data()).getString("cursor"), id::equals);
    }
  }

  @Test
  @Order(5)
  void aReaderThatStopsIsClosedAndDelaysNobody() {
    double before = closed("slow_consumer");
    Browser browser = Browser.at(a);
    Webhooks webhooks = new Webhooks(cluster.secret());
    String id = browser.create(a);
    try (SseClient slow = browser.narrowStream(a.uri());
        SseClient quick = browser.stream(a)) {
      slow.awaitReady();
      quick.awaitReady();
      slow.pause();
      String large = "x".repeat(50_000);
      long slowest = 0;
      long revision = 0;
      while (closed("slow_consumer") == before && revision < 300) {
        revision++;
        long sent = System.nanoTime();
        webhooks.outcome(
            cluster.replica(2),
            id,
            "{\"revision\":%d,\"status\":\"RUNNING\",\"result\":{\"large\":\"%s\"}}"
                .formatted(revision, large));
        String version = "\"version\":" + (revision + 1);
        quick.await(version, e -> e.data().contains(version));
        slowest = Math.max(slowest, System.nanoTime() - sent);
      }
      assertThat(closed("slow_consumer")).isEqualTo(before + 1);
      assertThat(Duration.ofNanos(slowest)).isLessThan(Duration.ofSeconds(2));
      assertThat(quick.isEnded()).isFalse();
      System.out.printf(
          "REPORT slow reader closed after %d updates; slowest delivery beside it %d ms%n",
          revision, slowest / 1_000_000);
    }
    awaitConnections(0);
    awaitBooksBalance();
  }

  @Test
  @Order(6)
  void manyLargeOperationsAreReplayedInPagesAndDoNotOverflowTheQueue() {
    Browser browser = Browser.at(a);
    Webhooks webhooks = new Webhooks(cluster.secret());
    String large = "y".repeat(40_000);
    int count = 40;
    for (int i = 0; i < count; i++) {
      String id = browser.create(a);
      webhooks.outcome(
          a,
          id,
          "{\"revision\":1,\"status\":\"RUNNING\",\"result\":{\"large\":\"%s\"}}".formatted(large));
    }
    try (SseClient stream = browser.stream(cluster.replica(2))) {
      Awaitility.await().until(() -> stream.updates().size() == count);
      assertThat(
              stream.updates().stream().map(e -> new JsonPath(e.data()).getString("operationId")))
          .doesNotHaveDuplicates();
      String live = browser.create(a);
      stream.await("live after the replay", e -> e.data().contains(live));
    }
    assertThat(browser.list(a, "").<List<?>>path("operations")).hasSize(count + 1);
  }

  /** As a browser does whose identity was replaced while its stream was reconnecting. */
  @Test
  @Order(7)
  void aCursorOfAnotherIdentityOfThePartitionIsNotContinued() {
    Browser before = Browser.at(a);
    Browser now = Browser.at(a);
    char partition = before.create(a).charAt(2);
    while (now.create(a).charAt(2) != partition) {
      now = Browser.at(a);
    }
    String cursor = before.list(a, "").path("cursor");
    String missed = now.create(a);
    try (SseClient stream = now.stream(a, cursor)) {
      SseClient.Event reset = stream.await("reset", e -> e.name().equals("reset"));
      assertThat(new JsonPath(reset.data()).getString("reason")).isEqualTo("channel");
      stream.await("what it has missed", e -> e.data().contains(missed));
    }
    assertThat(now.list(a, cursor).<Boolean>path("reset")).isTrue();
    String named = now.list(a, "").path("cursor");
    String unnamed = named.replaceFirst("-[^-]*$", "");
    try (SseClient stream = now.stream(a, unnamed)) {
      stream.await("reset", e -> e.name().equals("reset"));
    }
  }

  @Test
  @Order(8)
  void aReplicaThatStopsTellsItsStreamsWhenToComeBackAndEndsInOrder() {
    LastmileProcess b = cluster.replica(2);
    Browser browser = Browser.at(a);
    SseClient stream = browser.stream(b);
    stream.awaitReady();
    assertThat(stream.retry()).isEqualTo("2000");
    RawHttp raw = RawHttp.connect(b);
    raw.send("GET /api/stream HTTP/1.1\r\nHost: x\r\nCookie: " + browser.cookie() + "\r\n\r\n")
        .readUntil("event: ready");
    long stopped = System.nanoTime();
    b.stop();
    assertThat(raw.rest()).endsWith("\r\n0\r\n\r\n");
    raw.close();
    Awaitility.await().until(stream::isEnded);
    assertThat(Integer.parseInt(stream.retry())).isBetween(2_000, 4_000).isNotEqualTo(2_000);
    assertThat(b.awaitExit()).isEqualTo(143);
    assertThat(Duration.ofNanos(System.nanoTime() - stopped))
        .as("nothing waits for a stream that has ended")
        .isLessThan(Duration.ofSeconds(8));
    stream.close();
  }
}
