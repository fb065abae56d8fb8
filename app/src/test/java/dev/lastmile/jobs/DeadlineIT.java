package dev.lastmile.jobs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

import com.sun.net.httpserver.HttpExchange;
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
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

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
  @Test
  void anAnswerThatCannotBeReadDoesNotPostponeTheDeadline() throws IOException {
    try (UnreadableExternalSystem external = new UnreadableExternalSystem();
        Cluster other =
            settings(Cluster.builder().replicas(1))
                .with("lastmile.jobs.url", external.uri())
                .start()) {
      LastmileProcess replica = other.replica(1);
      Browser waiting = Browser.at(replica);
      List<String> ids =
          UnreadableExternalSystem.CONTENT_TYPES.stream()
              .map(_ ->
                  waiting
                      .ask(replica)
                      .contentType(ContentType.JSON)
                      .body(Map.of("kind", SHORT))
                      .post("/api/operations")
                      .<String>path("operationId"))
              .toList();
      ids.forEach(id -> waiting.awaitStatus(replica, id, "FAILED"));
      Metrics metrics = Metrics.of(replica);
      assertThat(metrics.sum("lastmile_jobs_polls_total", "outcome=\"failed\""))
          .as("the last polls at least")
          .isGreaterThanOrEqualTo(ids.size());
      assertThat(external.typesSent).containsAll(UnreadableExternalSystem.CONTENT_TYPES);
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

  /**
   * Accepts every job. Its answers to polls are too large and no JSON, and each job has one of the
   * content types.
   */
  private static final class UnreadableExternalSystem implements AutoCloseable {
    static final List<String> CONTENT_TYPES = List.of("json", "application/json", "");

    private static final byte[] ANSWER =
        ("{\"revision\":1,\"status\":\"SUCCEEDED\",\"result\":\"" + "x".repeat(70_000))
            .getBytes(UTF_8);

    final Set<String> typesSent = ConcurrentHashMap.newKeySet();
    private final Map<String, String> types = new ConcurrentHashMap<>();
    private final HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);

    UnreadableExternalSystem() throws IOException {
      server.createContext("/jobs", this::handle);
      server.start();
    }

    String uri() {
      return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private void handle(HttpExchange exchange) throws IOException {
      try (exchange) {
        if (!exchange.getRequestMethod().equals("GET")) {
          exchange.sendResponseHeaders(202, -1);
          return;
        }
        String path = exchange.getRequestURI().getPath();
        String type =
            types.computeIfAbsent(
                path, _ -> CONTENT_TYPES.get(types.size() % CONTENT_TYPES.size()));
        if (!type.isEmpty()) {
          exchange.getResponseHeaders().set("Content-Type", type);
        }
        typesSent.add(type);
        exchange.sendResponseHeaders(200, ANSWER.length);
        exchange.getResponseBody().write(ANSWER);
      }
    }

    @Override
    public void close() {
      server.stop(0);
    }
  }
}
