package dev.lastmile.callbacks;

import static org.assertj.core.api.Assertions.assertThat;

import com.standardwebhooks.Webhook;
import com.standardwebhooks.exceptions.WebhookSigningException;
import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.RawHttp;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests the callback endpoint, a handler in front of the servlets that reads bodies and writes
 * responses itself.
 */
class CallbackIT {
  private static final int SLOW = 600;

  private final Cluster cluster = Cluster.shared();
  private final LastmileProcess a = cluster.replica(1);
  private final Browser browser = Browser.at(a);

  private String head(String id, String body, String length) {
    long now = Instant.now().getEpochSecond();
    try {
      String signature = new Webhook(cluster.secret()).sign("msg_1", now, body);
      return "POST /api/callbacks/%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s\r\nwebhook-id: msg_1\r\nwebhook-timestamp: %d\r\nwebhook-signature: %s\r\n\r\n"
          .formatted(id, length, now, signature);
    } catch (WebhookSigningException e) {
      throw new IllegalStateException(e);
    }
  }

  private String whole(String id, String body) {
    return head(id, body, "Content-Length: " + body.length()) + body;
  }

  private String create() {
    return browser.create(a, Map.of("durationMillis", 3_600_000));
  }

  private long version(String id) {
    return browser.get(a, id).jsonPath().getLong("version");
  }

  @Test
  void aBodyInPiecesIsReadWhole() {
    String id = create();
    String body = Webhooks.running(1, 10);
    try (RawHttp http = RawHttp.connect(a)) {
      http.send(head(id, body, "Transfer-Encoding: chunked"));
      for (String piece : body.split("(?<=,)")) {
        http.send("%x\r\n%s\r\n".formatted(piece.length(), piece));
      }
      http.send("0\r\n\r\n");
      assertThat(http.answer()).returns(200, RawHttp.Answer::status);
    }
    assertThat(version(id)).isEqualTo(2);
  }

  /** A connection handles one callback at a time, on whichever thread its response is written. */
  @Test
  void callbacksSentOneBehindTheOtherAreAnsweredInOrder() {
    String id = create();
    int count = 20;
    StringBuilder all = new StringBuilder();
    for (int i = 1; i <= count; i++) {
      all.append(whole(id, Webhooks.running(i, i)));
    }
    all.append(whole(id, Webhooks.running(1, 1)));
    try (RawHttp http = RawHttp.connect(a)) {
      http.send(all.toString());
      for (int i = 1; i <= count; i++) {
        assertThat(http.answer().body()).isEqualTo("{\"outcome\":\"stored\"}");
      }
      assertThat(http.answer().body()).isEqualTo("{\"outcome\":\"stale\"}");
    }
    assertThat(version(id)).isEqualTo(1 + count);
  }

  /** An incomplete body holds its connection and its received bytes, but no thread. */
  @Test
  void manyHalfBodiesKeepNobodyWaiting() {
    String id = create();
    List<RawHttp> slow = new ArrayList<>();
    try {
      for (int i = 0; i < SLOW; i++) {
        String body = Webhooks.running(1, 10);
        slow.add(RawHttp.connect(a).send(head(id, body, "Content-Length: " + body.length()) + "{"));
      }
      String body = Webhooks.running(2, 20);
      try (RawHttp http = RawHttp.connect(a)) {
        assertThat(http.send(whole(id, body)).answer().status()).isEqualTo(200);
      }
    } finally {
      slow.forEach(RawHttp::close);
    }
    assertThat(version(id)).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "PUT", "DELETE", "OPTIONS", "TRACE"})
  void anotherMethodIsRefused(String method) {
    try (RawHttp http = RawHttp.connect(a)) {
      http.send(method + " /api/callbacks/" + create() + " HTTP/1.1\r\nHost: x\r\n\r\n");
      RawHttp.Answer answer = http.answer();
      assertThat(answer.status()).isEqualTo(405);
      assertThat(answer.header("Allow")).isEqualTo("POST");
      assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/", "/op0/x", "/op0/"})
  void anotherPathIsNotThere(String path) {
    assertThat(browser.ask(a).post("/api/callbacks" + path).statusCode()).isEqualTo(404);
  }

  @Test
  void whatIsRefusedSaysFieldLimitAndPath() {
    String id = create();
    String large =
        "{\"revision\":1,\"status\":\"RUNNING\",\"message\":\"" + "x".repeat(70_000) + "\"}";
    try (RawHttp http = RawHttp.connect(a)) {
      RawHttp.Answer answer =
          http.send(head(id, large, "Content-Length: " + large.length())).answer();
      assertThat(answer.status()).isEqualTo(413);
      assertThat(answer.header("Connection")).isEqualTo("close");
      assertThat(answer.body())
          .contains("\"field\":\"body\"", "\"limit\":65536", "\"instance\":\"/api/callbacks/" + id);
    }
    try (RawHttp http = RawHttp.connect(a)) {
      RawHttp.Answer answer = http.send(whole(id, "{\"revision\":0}")).answer();
      assertThat(answer.status()).isEqualTo(400);
      assertThat(answer.body())
          .contains("\"field\":\"revision\"", "\"limit\":\"a whole number from 1 to ");
      // The connection stays open.
      assertThat(http.send(whole(id, Webhooks.running(1, 1))).answer().status()).isEqualTo(200);
    }
  }

  /** The limits hold for every spelling of the JSON media type. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/json ;a=b",
        "Application/JSON;a=b",
        " application/json",
        "application/json;",
        "application/x+json ;a=b"
      })
  void noTypeLeadsAroundTheLimits(String type) {
    String head =
        "POST %s HTTP/1.1\r\nHost: x\r\nCookie: %s\r\nContent-Type: %s\r\nContent-Length: %s\r\n\r\n";
    for (String path : List.of("/api/callbacks/" + create(), "/api/operations", "/api/acks")) {
      try (RawHttp http = RawHttp.connect(a)) {
        http.send(head.formatted(path, browser.cookie(), type, "70000") + "x".repeat(10_000));
        assertThat(http.answer().status()).as(path).isIn(413, 415);
      }
    }
  }

  @Test
  void isCountedAsSpringCountsAllOthers() {
    String id = create();
    String labels =
        "method=\"POST\",outcome=\"%s\",status=\"%d\",uri=\"/api/callbacks/{operationId}\"";
    String taken = labels.formatted("SUCCESS", 200);
    String refused = labels.formatted("CLIENT_ERROR", 401);
    double takenBefore = count(taken);
    double refusedBefore = count(refused);
    Webhooks webhooks = new Webhooks(cluster.secret());
    webhooks.send(a, id, Webhooks.running(1, 1)).then().statusCode(200);
    webhooks.send(a, id, Webhooks.running(2, 2), 0).then().statusCode(401);
    assertThat(count(taken)).isGreaterThanOrEqualTo(takenBefore + 1);
    assertThat(count(refused)).isGreaterThanOrEqualTo(refusedBefore + 1);
  }

  private double count(String labels) {
    return Metrics.of(a).sum("http_server_requests_seconds_count", labels.split(","));
  }
}
