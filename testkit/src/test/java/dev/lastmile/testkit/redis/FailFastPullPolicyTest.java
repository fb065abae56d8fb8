package dev.lastmile.testkit.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.testcontainers.containers.ContainerFetchException;
import org.testcontainers.dockerclient.DockerClientProviderStrategy;
import org.testcontainers.dockerclient.TransportConfig;
import org.testcontainers.images.PullPolicy;
import org.testcontainers.utility.DockerImageName;

/** Against an HTTP server that answers as a Docker engine does. */
class FailFastPullPolicyTest {
  // With a registry: without one, Testcontainers asks a real engine for its default.
  private static final DockerImageName IMAGE = DockerImageName.parse("registry.invalid/redis:8.4");
  private static final String PULLING = "{\"status\":\"Pulling from library/redis\"}\n";

  private final AtomicInteger pulls = new AtomicInteger();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private HttpServer engine;
  private volatile boolean present;
  private volatile Answer answer = exchange -> send(exchange, 200, PULLING);

  private interface Answer {
    void to(HttpExchange exchange) throws IOException;
  }

  @BeforeEach
  void start() throws IOException {
    engine = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    engine.setExecutor(threads);
    engine.createContext("/", this::handle);
    engine.start();
  }

  @AfterEach
  void stop() {
    ended.countDown();
    engine.stop(0);
    threads.close();
  }

  private void handle(HttpExchange exchange) throws IOException {
    if (exchange.getRequestURI().getPath().endsWith("/images/create")) {
      exchange.getRequestBody().readAllBytes();
      pulls.incrementAndGet();
      answer.to(exchange);
    } else if (present) {
      send(exchange, 200, "{\"Id\":\"sha256:1\"}");
    } else {
      send(exchange, 404, "{\"message\":\"No such image\"}");
    }
  }

  private static void send(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().add("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private void sendAndStall(HttpExchange exchange, String body) throws IOException {
    exchange.sendResponseHeaders(200, 0);
    exchange.getResponseBody().write(body.getBytes(StandardCharsets.UTF_8));
    exchange.getResponseBody().flush();
    try {
      ended.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private FailFastPullPolicy policy(Duration firstAnswer, Duration progress) {
    var transport =
        TransportConfig.builder()
            .dockerHost(URI.create("tcp://127.0.0.1:" + engine.getAddress().getPort()))
            .build();
    var client = DockerClientProviderStrategy.getClientForConfig(transport);
    return new FailFastPullPolicy(() -> client, firstAnswer, progress);
  }

  private FailFastPullPolicy policy() {
    return policy(Duration.ofSeconds(5), Duration.ofSeconds(5));
  }

  @Test
  void testcontainers_usesIt() {
    assertThat(PullPolicy.defaultPolicy()).isInstanceOf(FailFastPullPolicy.class);
  }

  @Test
  void presentImage_isNotPulled() {
    present = true;
    assertThat(policy().shouldPull(IMAGE)).isFalse();
    assertThat(pulls).hasValue(0);
  }

  @Test
  void missingImage_isPulledOnce() {
    assertThat(policy().shouldPull(IMAGE)).isFalse();
    assertThat(pulls).hasValue(1);
  }

  @Test
  void errorOfEngine_failsAtOnce() {
    answer = exchange -> send(exchange, 500, "{\"message\":\"lookup: no such host\"}");
    assertThatThrownBy(() -> policy().shouldPull(IMAGE))
        .isInstanceOf(ContainerFetchException.class)
        .hasMessageContaining("no such host");
    assertThat(pulls).hasValue(1);
  }

  @Test
  void errorDuringPull_fails() {
    answer =
        exchange ->
            send(
                exchange,
                200,
                PULLING
                    + "{\"errorDetail\":{\"message\":\"disk full\"},\"error\":\"disk full\"}\n");
    assertThatThrownBy(() -> policy().shouldPull(IMAGE)).hasMessageContaining("disk full");
  }

  @Test
  void noFirstAnswer_fails() {
    answer = exchange -> sendAndStall(exchange, "");
    assertThatThrownBy(
            () -> policy(Duration.ofMillis(100), Duration.ofMinutes(1)).shouldPull(IMAGE))
        .hasMessageContaining("no progress");
  }

  @Test
  void pullThatStalls_fails() {
    answer = exchange -> sendAndStall(exchange, PULLING);
    assertThatThrownBy(
            () -> policy(Duration.ofMinutes(1), Duration.ofMillis(100)).shouldPull(IMAGE))
        .hasMessageContaining("no progress");
  }
}
