package dev.lastmile.jobs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

import com.sun.net.httpserver.HttpServer;
import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import io.restassured.RestAssured;
import io.restassured.http.ContentType;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Operations without an outcome end at their deadline, and a late outcome is not thrown away. */
class DeadlineIT {
  /** The kind with a short deadline. */
  private static final String SHORT = "import";

  private static final String LONG = "export";

  private static Cluster cluster;
  private static LastmileProcess a;
  private static LastmileProcess b;
  private static Browser browser;
  private static Webhooks webhooks;

  @BeforeAll
  static void start() {
    cluster = settings(Cluster.builder().replicas(2)).start();
    a = cluster.replica(1);
    b = cluster.replica(2);
    browser = Browser.at(a);
    webhooks = new Webhooks(cluster.secret());
  }

  private static Cluster.Builder settings(Cluster.Builder builder) {
    return builder
        .with("lastmile.operations.deadlines." + SHORT, "3s")
        .with("lastmile.jobs.poll-interval", "100ms")
        .with("lastmile.overdue.after", "1s")
        .with("lastmile.overdue.lease", "500ms");
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  private static String create(String kind, Map<String, ?> input) {
    return browser
        .ask(a)
        .contentType(ContentType.JSON)
        .body(Map.of("kind", kind, "input", input))
        .post("/api/operations")
        .then()
        .statusCode(201)
        .extract()
        .path("operationId");
  }

  /** An operation whose job takes an hour. */
  private static String createSilent(String kind) {
    return create(kind, Map.of("durationMillis", 3_600_000));
  }

  private static boolean isAccepted(String id) {
    return RestAssured.get(cluster.external().uri() + "/jobs/" + id).statusCode() == 200;
  }

  private static void awaitDeadline(String id) {
    browser.awaitStatus(b, id, "FAILED");
    browser.get(a, id).then().body("message", containsString("before the deadline"));
  }

  private static double total(String metric, String... labels) {
    return Metrics.of(a).sum(metric, labels) + Metrics.of(b).sum(metric, labels);
  }

  @Test
  void aJobThatTheExternalSystemHasLostFailsAtTheDeadline() {
    try (SseClient stream = browser.stream(b)) {
      stream.awaitReady();
      String id = createSilent(SHORT);
      String other = createSilent(LONG);
      Awaitility.await("accepted jobs").until(() -> isAccepted(id) && isAccepted(other));
      cluster.external().kill();
      cluster.external().start().awaitReady();
      stream.await("the end", e -> e.data().contains(id) && e.data().contains("FAILED"));
      awaitDeadline(id);
      assertThat(total("lastmile_jobs_polls_total", "outcome=\"unknown\"")).isPositive();
      assertThat(total("lastmile_hops_total", "hop=\"callback\"", "outcome=\"deadline\""))
          .isPositive();
      assertThat(browser.get(a, other).<String>path("status")).isEqualTo("PENDING");
    }
  }

  @Test
  void theFirstLateOutcomeReplacesTheDeadline_once() {
    String id = createSilent(SHORT);
    awaitDeadline(id);
    int version = browser.get(a, id).path("version");
    assertThat(webhooks.outcome(b, id, Webhooks.running(1, 50))).isEqualTo("final");
    assertThat(webhooks.outcome(b, id, Webhooks.succeeded(2))).isEqualTo("stored");
    browser
        .get(a, id)
        .then()
        .body("status", equalTo("SUCCEEDED"))
        .body("version", equalTo(version + 1))
        .body("result.rows", equalTo(1));
    assertThat(webhooks.outcome(a, id, Webhooks.succeeded(2))).isEqualTo("duplicate");
    String failed = "{\"revision\":3,\"status\":\"FAILED\"}";
    assertThat(webhooks.outcome(a, id, failed)).isEqualTo("final");
  }

  @Test
  void aLateOutcomeCountsWhateverItsRevisionIs() {
    String id = createSilent(SHORT);
    assertThat(webhooks.outcome(a, id, Webhooks.running(7, 50))).isEqualTo("stored");
    awaitDeadline(id);
    assertThat(webhooks.outcome(b, id, Webhooks.succeeded(2))).isEqualTo("stored");
    assertThat(browser.get(a, id).<String>path("status")).isEqualTo("SUCCEEDED");
  }

  @Test
  void reportsWithoutAnOutcomeDoNotPostponeTheDeadline() {
    String id = createSilent(SHORT);
    long[] revision = {0};
    Awaitility.await("the deadline")
        .until(() -> webhooks.outcome(a, id, Webhooks.running(++revision[0], 50)), "final"::equals);
    awaitDeadline(id);
    assertThat(revision[0]).isGreaterThan(10);
  }

  @Test
  void anOutcomeBeforeTheDeadlineStays() {
    String id = createSilent(SHORT);
    assertThat(webhooks.outcome(a, id, Webhooks.succeeded(1))).isEqualTo("stored");
    String later = createSilent(SHORT);
    awaitDeadline(later);
    browser.get(a, id).then().body("status", equalTo("SUCCEEDED")).body("version", equalTo(2));
  }

  @Test
  void aJobThatWasNotAcceptedMayHaveAnOutcomeAllTheSame() {
    String id = create(LONG, Map.of("steps", 1_000));
    browser.awaitStatus(b, id, "FAILED");
    browser.get(a, id).then().body("message", containsString("rejected"));
    assertThat(webhooks.outcome(b, id, Webhooks.succeeded(1))).isEqualTo("stored");
    assertThat(browser.get(a, id).<String>path("status")).isEqualTo("SUCCEEDED");
  }

  /** Whatever the external system answers, the deadline comes, and the poll counts as failed. */
  @ParameterizedTest
  @ValueSource(strings = {"json", "application/json", ""})
  void anAnswerThatCannotBeReadDoesNotPostponeTheDeadline(String contentType) throws IOException {
    HttpServer external = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    byte[] large =
        ("{\"revision\":1,\"status\":\"SUCCEEDED\",\"result\":\"" + "x".repeat(70_000))
            .getBytes(UTF_8);
    external.createContext(
        "/jobs",
        exchange -> {
          boolean poll = exchange.getRequestMethod().equals("GET");
          if (!contentType.isEmpty()) {
            exchange.getResponseHeaders().set("Content-Type", contentType);
          }
          exchange.sendResponseHeaders(poll ? 200 : 202, poll ? large.length : -1);
          try (OutputStream body = exchange.getResponseBody()) {
            if (poll) {
              body.write(large);
            }
          }
        });
    external.start();
    try (Cluster other =
        settings(Cluster.builder().replicas(1))
            .with("lastmile.jobs.url", "http://127.0.0.1:" + external.getAddress().getPort())
            .start()) {
      Browser waiting = Browser.at(other.replica(1));
      String id =
          waiting
              .ask(other.replica(1))
              .contentType(ContentType.JSON)
              .body(Map.of("kind", SHORT))
              .post("/api/operations")
              .path("operationId");
      waiting.awaitStatus(other.replica(1), id, "FAILED");
      assertThat(Metrics.of(other.replica(1)).sum("lastmile_jobs_polls_total", "failed"))
          .isPositive();
    } finally {
      external.stop(0);
    }
  }

  /** The answer to a poll is the present state of the job, so a restarted counter does no harm. */
  @Test
  void aPolledOutcomeCountsWhateverItsRevisionIs() {
    String id = create(LONG, Map.of("steps", 2, "durationMillis", 2_000, "fail", false));
    assertThat(webhooks.outcome(a, id, Webhooks.running(100, 50))).isEqualTo("stored");
    browser.awaitStatus(b, id, "SUCCEEDED");
    assertThat(webhooks.outcome(a, id, Webhooks.running(101, 50))).isEqualTo("final");
  }
}
