package dev.lastmile.identity;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the public port does not show, what no output may hold, and what every answer has to say.
 */
class SecretsIT {
  private static final String PASSWORD = "redis-password-0123456789";
  private static final String KEY = "identity-key-0123456789-0123456789-0123456789";

  @Test
  void secretsAreInNoLogMetricAnswerOrEndpoint(@TempDir Path folder) throws Exception {
    try (RedisProcess redis = new RedisProcess(Ports.free(), folder, false)) {
      redis.start();
      // The default user takes any password, and the client sends it.
      URI address = URI.create(redis.uri().toString().replace("//", "//default:" + PASSWORD + "@"));
      try (Cluster cluster =
          Cluster.builder()
              .replicas(1)
              .redis(address)
              .environment("LASTMILE_IDENTITY_KEY", KEY)
              .environment("LASTMILE_LOG_FORMAT", "json")
              // Redis is gone in the end, so a drain has nothing to wait for.
              .with("lastmile.drain.settle", "0s")
              .with("logging.level.dev.lastmile", "DEBUG")
              .with("logging.level.org.springframework.web", "DEBUG")
              .start()) {
        LastmileProcess a = cluster.replica(1);
        Browser browser = Browser.at(a);
        Webhooks webhooks = new Webhooks(cluster.secret());
        String id = browser.create(a);
        StringBuilder output = new StringBuilder();
        try (SseClient stream = browser.stream(a)) {
          stream.awaitReady();
          webhooks.outcome(a, id, Webhooks.succeeded(1));
          stream.await("the end", e -> e.data().contains("SUCCEEDED"));
          stream.events().forEach(event -> output.append(event.data()));
        }
        webhooks.send(a, id, "{");
        new Webhooks("whsec_" + "B".repeat(32)).send(a, id, Webhooks.running(2, 1));
        browser.ask(a).get("/api/operations/x");
        redis.kill();
        Awaitility.await().until(() -> browser.list(a, "").statusCode() == 503);
        output.append(browser.list(a, "").asString());
        for (String path :
            List.of(
                "/actuator",
                "/actuator/health",
                "/actuator/health/readiness",
                "/actuator/prometheus",
                "/actuator/deliveries")) {
          output.append(given().baseUri(a.management().toString()).get(path).asString());
        }
        output.append(Files.readString(a.log())).append(Files.readString(cluster.external().log()));
        assertThat(output.length()).isGreaterThan(20_000);
        for (String secret :
            List.of(
                PASSWORD,
                KEY,
                cluster.secret(),
                cluster.secret().substring(6),
                browser.cookie(),
                browser.cookie().substring(browser.cookie().lastIndexOf('.') + 1))) {
          assertThat(output.indexOf(secret)).as("a secret of %d", secret.length()).isNegative();
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/actuator",
        "/actuator/health",
        "/actuator/prometheus",
        "/actuator/deliveries",
        "/actuator/env",
        "/actuator/heapdump",
        "//actuator/health",
        "/%61ctuator/health",
        "/x/..;/actuator/health",
        "/api/demo/faults",
        "/api/demo/account",
        "/jobs",
        "/faults",
        "/swagger-ui.html",
        "/h2-console"
      })
  void thePublicPortHasNoneOfTheOthersSurfaces(String path) {
    LastmileProcess a = Cluster.shared().replica(1);
    for (String method : List.of("GET", "POST", "PUT", "DELETE")) {
      assertThat(
              given()
                  .baseUri(a.uri().toString())
                  .urlEncodingEnabled(false)
                  .request(method, path)
                  .statusCode())
          .as(method + " " + path)
          .isIn(400, 404);
    }
  }

  @Test
  void everyAnswerHasTheHeadersOfItsKind() {
    LastmileProcess a = Cluster.shared().replica(1);
    Browser browser = Browser.at(a);
    String id = browser.create(a);
    for (String path :
        List.of(
            "/",
            "/api/operations",
            "/api/operations/" + id,
            "/api/operations/" + id + "/timeline",
            "/api/operations/x",
            "/api/stream?lastEventId=x",
            "/api/..%2fx",
            "/nope",
            "/v3/api-docs",
            "/asyncapi.yaml")) {
      var answer =
          browser
              .ask(a)
              .urlEncodingEnabled(false)
              .header("X-Forwarded-Proto", "https")
              .get(path)
              .then()
              .header("X-Content-Type-Options", "nosniff")
              .header("Referrer-Policy", "no-referrer")
              .header("Cross-Origin-Resource-Policy", "same-origin")
              .extract();
      assertThat(answer.header("Content-Security-Policy"))
          .as(path)
          .startsWith("default-src 'none'");
      assertThat(answer.headers().getValues("Cache-Control"))
          .as(path)
          .hasSize(1)
          .allMatch(value -> value.contains("no-store") || value.contains("private"));
      if (!path.contains("..")) {
        assertThat(answer.header("Strict-Transport-Security")).as(path).contains("max-age=");
      }
    }
    assertThat(browser.ask(a).get("/api/operations").header("Strict-Transport-Security"))
        .as("not over plain HTTP")
        .isNull();
    try (SseClient stream = browser.stream(a)) {
      stream.awaitReady();
      assertThat(stream.head())
          .contains(
              "Cache-Control: no-store", "X-Content-Type-Options: nosniff", "default-src 'none'");
    }
  }
}
