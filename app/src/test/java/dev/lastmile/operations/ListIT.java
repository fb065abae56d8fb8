package dev.lastmile.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.matchesPattern;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.RawHttp;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import io.restassured.response.Response;
import io.restassured.specification.RequestSpecification;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Lists whose size the stored data decides: in pages, with bounded memory, whole or not at all. */
class ListIT {
  /** Results of this size fill the buffers of the kernel, so that a list waits for its reader. */
  private static final int RESULT = 60_000;

  private static final int OPERATIONS = 100;
  private static final int PAGE_BYTES = 65_536;
  private static final int ANSWER_BYTES = 2 * PAGE_BYTES;

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
            .with("lastmile.retention.page-bytes", PAGE_BYTES)
            .with("lastmile.http.max-answers-per-client", 2 * ANSWER_BYTES)
            .with("lastmile.http.max-answers", 4 * ANSWER_BYTES)
            .start();
    a = cluster.replica(1);
    webhooks = new Webhooks(cluster.secret());
  }

  @AfterAll
  static void stop() {
    cluster.close();
    redis.close();
  }

  private static void finish(String id, long revision) {
    finish(id, revision, "x");
  }

  private static void finish(String id, long revision, String character) {
    String result = "{\"text\":\"%s\"}".formatted(character.repeat(RESULT));
    String body = "{\"revision\":%d,\"status\":\"SUCCEEDED\",\"result\":%s}";
    assertThat(webhooks.outcome(a, id, body.formatted(revision, result))).isEqualTo("stored");
  }

  /** A browser with many operations, whose last one has not ended. */
  private static Browser browserWithResults(List<String> ids) {
    Browser browser = Browser.at(a);
    for (int i = 0; i < OPERATIONS; i++) {
      ids.add(browser.create(a));
    }
    ids.subList(0, OPERATIONS - 1).forEach(id -> finish(id, 1));
    return browser;
  }

  private static RawHttp slowList(Browser browser) {
    RawHttp http = RawHttp.connect(a.uri(), 4_096);
    http.send(
        "GET /api/operations HTTP/1.1\r\nHost: x\r\nCookie: " + browser.cookie() + "\r\n\r\n");
    http.readUntil("\"operations\":[");
    return http;
  }

  private static double held() {
    return Metrics.of(a).sum("lastmile_http_answers_bytes");
  }

  private static double rejected(String reason) {
    return Metrics.of(a).sum("lastmile_http_requests_rejected_total", "reason=\"" + reason + "\"");
  }

  private static Response page(Browser browser, int limit, String parameter, String value) {
    RequestSpecification request = browser.ask(a).queryParam("limit", limit);
    return request.queryParam(parameter, value).get("/api/operations");
  }

  @Test
  void aLongListIsOneDocument() {
    List<String> ids = new ArrayList<>();
    Browser browser = browserWithResults(ids);
    Response list = browser.list(a, "");
    assertThat(list.statusCode()).isEqualTo(200);
    assertThat(list.contentType()).isEqualTo("application/json");
    assertThat(list.header("Cache-Control")).isEqualTo("no-store");
    assertThat(list.<List<String>>path("operations.operationId"))
        .containsExactlyInAnyOrderElementsOf(ids);
    assertThat(list.<Boolean>path("reset")).isFalse();
    assertThat(list.<Object>path("next")).isNull();
    assertThat(browser.list(a, list.path("cursor")).<List<?>>path("operations")).isEmpty();
    assertThat(held()).isZero();
  }

  @Test
  void pagesHaveTheCursorOfTheFirst_andWhatChangesMeanwhileComesAfterIt() {
    List<String> ids = new ArrayList<>();
    Browser browser = browserWithResults(ids);
    String last = ids.getLast();
    Response page = page(browser, 7, "after", "");
    String cursor = page.path("cursor");
    List<String> listed = new ArrayList<>(page.path("operations.operationId"));
    finish(last, 1);
    while (page.path("next") != null) {
      page = page(browser, 7, "next", page.path("next"));
      assertThat(page.<String>path("cursor")).isEqualTo(cursor);
      assertThat(page.<Boolean>path("reset")).isFalse();
      List<String> operations = page.path("operations.operationId");
      assertThat(operations.size()).isBetween(1, 7);
      listed.addAll(operations);
    }
    // The one that changed was on an earlier page as well, with the version before.
    assertThat(listed).hasSize(ids.size() + 1).containsOnlyOnceElementsOf(ids.subList(0, 99));
    assertThat(listed.getLast()).isEqualTo(last);
    Response changed = browser.list(a, cursor);
    assertThat(changed.<List<String>>path("operations.operationId")).containsExactly(last);
  }

  private static double resets(String reason) {
    return Metrics.of(a).sum("lastmile_list_resets_total", "reason=\"" + reason + "\"");
  }

  @Test
  void aPageOfAnotherEpochBeginsAgain() {
    Browser browser = Browser.at(a);
    List<String> ids = List.of(browser.create(a), browser.create(a));
    double resets = resets("channel");
    Response page = page(browser, 1, "next", "0123456789abcdef-5-0.00000000_9");
    assertThat(page.<Boolean>path("reset")).isTrue();
    assertThat(resets("channel")).isEqualTo(resets + 1);
    assertThat(page.<List<String>>path("operations.operationId")).containsExactly(ids.getFirst());
    Response second = page(browser, 1, "next", page.path("next"));
    assertThat(second.<Boolean>path("reset")).isFalse();
    assertThat(second.<List<String>>path("operations.operationId")).containsExactly(ids.getLast());
    assertThat(second.<Object>path("next")).isNull();
  }

  @Test
  void slowReadersHoldBoundedMemory() {
    Browser first = browserWithResults(new ArrayList<>());
    Browser second = browserWithResults(new ArrayList<>());
    List<RawHttp> slow = new ArrayList<>();
    slow.add(slowList(first));
    slow.add(slowList(first));
    assertThat(held()).isEqualTo(2 * ANSWER_BYTES);
    Response third = first.list(a, "");
    third.then().statusCode(429).header("Retry-After", matchesPattern("[2-6]"));
    assertThat(third.<String>path("field")).isEqualTo("lastmile.http.max-answers-per-client");
    assertThat(third.<Integer>path("limit")).isEqualTo(2 * ANSWER_BYTES);
    assertThat(Browser.at(a).list(a, "").statusCode()).as("others are served").isEqualTo(200);
    slow.add(slowList(second));
    slow.add(slowList(second));
    Response other = Browser.at(a).list(a, "");
    other.then().statusCode(503).header("Retry-After", matchesPattern("[2-6]"));
    assertThat(other.<String>path("field")).isEqualTo("lastmile.http.max-answers");
    assertThat(rejected("client_answer_memory")).isPositive();
    assertThat(rejected("answer_memory")).isPositive();
    // Those that do not read have to make room.
    Awaitility.await("memory for others")
        .atMost(Duration.ofSeconds(15))
        .until(() -> Browser.at(a).list(a, "").statusCode() == 200);
    assertThat(rejected("answer_time")).isPositive();
    slow.forEach(RawHttp::close);
    Awaitility.await("closed connections release their memory").until(() -> held() == 0);
    assertThat(first.list(a, "").statusCode()).isEqualTo(200);
  }

  @Tag("long")
  @Test
  void anOperationThatIsLargerThanAPageIsCountedBeforeTheFirstByte() {
    List<String> ids = new ArrayList<>();
    Browser browser = browserWithResults(ids);
    String cursor = browser.list(a, "").path("cursor");
    // Each of these characters has six bytes when it is escaped.
    finish(ids.getLast(), 1, "\u0001");
    try (RawHttp slow = slowList(browser)) {
      assertThat(held()).isEqualTo(ANSWER_BYTES);
      Response list = browser.list(a, cursor);
      list.then().statusCode(429).header("Retry-After", matchesPattern("[2-6]"));
      assertThat(list.<String>path("field")).isEqualTo("lastmile.http.max-answers-per-client");
      browser
          .get(a, ids.getLast())
          .then()
          .statusCode(429)
          .body("field", equalTo("lastmile.http.max-answers-per-client"));
      assertThat(held()).isEqualTo(ANSWER_BYTES);
    }
    Awaitility.await().until(() -> held() == 0);
    Response list = browser.list(a, cursor);
    assertThat(list.statusCode()).isEqualTo(200);
    assertThat(list.asByteArray().length).isGreaterThan(6 * RESULT);
    assertThat(browser.get(a, ids.getLast()).statusCode()).isEqualTo(200);
    Awaitility.await("memory to be released after the answer").until(() -> held() == 0);
  }

  @Test
  void aFailureAfterTheFirstByteCutsTheConnection() {
    Browser browser = browserWithResults(new ArrayList<>());
    double before = rejected("answer_cut");
    try (RawHttp slow = slowList(browser)) {
      redis.stop();
      String rest = slow.rest();
      assertThat(rest).contains("operationId").doesNotContain("]}").doesNotEndWith("0\r\n\r\n");
      Awaitility.await().until(() -> rejected("answer_cut") > before);
    } finally {
      redis.start();
    }
    Awaitility.await().until(() -> Browser.at(a).list(a, "").statusCode() == 200);
    assertThat(held()).isZero();
  }
}
