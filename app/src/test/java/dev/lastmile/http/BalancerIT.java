package dev.lastmile.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.RawHttp;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.HaProxy;
import dev.lastmile.testkit.cluster.LastmileProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The platform's load balancer, with the configuration that {@code compose.yaml} gives it. */
class BalancerIT {
  private static final int PER_ADDRESS = 30;
  private static final int IDENTITIES = 25;

  private static Cluster cluster;
  private static HaProxy balancer;
  private static Browser browser;

  @BeforeAll
  static void start() {
    cluster =
        Cluster.builder()
            .replicas(2)
            .environment("LASTMILE_DRAIN_BALANCER", "2s")
            .with("lastmile.rate.window", "1h")
            .with("lastmile.rate.identities-per-address", IDENTITIES)
            .with("lastmile.rate.reads", 100_000)
            .start();
    balancer = HaProxy.start(cluster.replicas(), PER_ADDRESS);
    browser = Browser.at(cluster.replica(1));
  }

  @AfterAll
  static void stop() {
    if (balancer != null) {
      balancer.close();
    }
    cluster.close();
  }

  private static HttpResponse<String> ask(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    try (HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
      return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
  }

  @Test
  void anUpdateLeavesAtOnceForAStreamThatItCarries() throws Exception {
    try (SseClient stream = SseClient.connect(balancer.uri(), browser.cookie(), "")) {
      stream.awaitReady();
      String work = "{\"kind\":\"export\",\"input\":{\"durationMillis\":300,\"fail\":false}}";
      HttpResponse<String> created =
          ask(
              HttpRequest.newBuilder(balancer.uri().resolve("/api/operations"))
                  .header("Cookie", browser.cookie())
                  .header("Content-Type", "application/json")
                  .POST(HttpRequest.BodyPublishers.ofString(work)));
      assertThat(created.statusCode()).isEqualTo(201);
      stream.await("its result", event -> event.data().contains("SUCCEEDED"));
    }
  }

  /** Otherwise a client could pass every limit per address, and be told that it came over TLS. */
  @Test
  void whatAClientSaysOfItsWayIsNotBelieved() throws Exception {
    Map<Integer, Integer> statuses = new TreeMap<>();
    for (int i = 0; i < 3 * IDENTITIES; i++) {
      String address = "198.51.100." + i;
      HttpResponse<String> answer =
          ask(
              HttpRequest.newBuilder(balancer.uri().resolve("/api/identity"))
                  .header("X-Forwarded-For", address)
                  .header("Forwarded", "for=" + address + ";proto=https")
                  .header("X-Forwarded-Proto", "https")
                  .header("X-Proxied-Https", "on")
                  .header("Proxy-Ssl-Id", "0")
                  .POST(HttpRequest.BodyPublishers.noBody()));
      statuses.merge(answer.statusCode(), 1, Integer::sum);
      assertThat(answer.headers().firstValue("Strict-Transport-Security")).isEmpty();
      assertThat(String.join("; ", answer.headers().allValues("Set-Cookie")))
          .doesNotContain("Secure");
    }
    // Two replicas, each with an allowance.
    assertThat(statuses).containsOnlyKeys(204, 429);
    assertThat(statuses.get(204)).isBetween(IDENTITIES, 2 * IDENTITIES);
  }

  @Test
  void anAddressGetsItsShareOfConnectionsAndNoMore() {
    double before = balancer.denied();
    List<RawHttp> connections = new ArrayList<>();
    try {
      for (int i = 0; i < 2 * PER_ADDRESS; i++) {
        try {
          connections.add(RawHttp.connect(balancer.uri(), 0));
        } catch (UncheckedIOException e) {
          // Reset at once.
        }
      }
      // Streams of other tests may be among them.
      Awaitility.await().until(() -> balancer.denied() - before >= PER_ADDRESS - 5);
    } finally {
      connections.forEach(RawHttp::close);
    }
    Awaitility.await("room for others")
        .ignoreExceptions()
        .until(() -> ask(HttpRequest.newBuilder(balancer.uri())).statusCode() == 200);
  }

  @Test
  void whatItAnswersItselfIsAProblem() {
    try (RawHttp http = RawHttp.connect(balancer.uri(), 0)) {
      http.send(
          "POST /api/operations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
              + "Content-Length: 2000000\r\n\r\n{");
      assertProblem(http.answer(), 413);
    }
    try (HaProxy alone = HaProxy.start(List.of(), PER_ADDRESS);
        RawHttp http = RawHttp.connect(alone.uri(), 0)) {
      RawHttp.Answer answer = http.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").answer();
      assertProblem(answer, 503);
      assertThat(answer.header("Retry-After")).isEqualTo("1");
    }
  }

  private static void assertProblem(RawHttp.Answer answer, int status) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
    assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
    assertThat(answer.header("Cache-Control")).isEqualTo("no-store");
    assertThat(answer.body()).contains("\"status\":" + status);
  }

  @Test
  void aReplicaThatDrainsIsLeftWithoutAFailedRequest() throws Exception {
    LastmileProcess leaving = cluster.replica(2);
    URI list = balancer.uri().resolve("/api/operations");
    Map<Integer, Integer> statuses = new TreeMap<>();
    CountDownLatch gone = new CountDownLatch(1);
    Thread asking =
        Thread.ofVirtual()
            .start(() -> {
              while (gone.getCount() > 0) {
                int status;
                try {
                  status =
                      ask(HttpRequest.newBuilder(list)
                              .timeout(Duration.ofSeconds(10))
                              .header("Cookie", browser.cookie()))
                          .statusCode();
                } catch (IOException | InterruptedException e) {
                  status = -1;
                }
                statuses.merge(status, 1, Integer::sum);
              }
            });
    leaving.stop();
    assertThat(leaving.awaitExit()).as("143 = SIGTERM").isEqualTo(143);
    gone.countDown();
    asking.join();
    leaving.start().awaitReady();
    assertThat(statuses).containsOnlyKeys(200);
    Awaitility.await("both again").until(() -> balancer.ready() == 2);
  }
}
