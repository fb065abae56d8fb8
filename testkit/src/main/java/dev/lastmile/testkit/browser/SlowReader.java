package dev.lastmile.testkit.browser;

import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import tools.jackson.databind.json.JsonMapper;

/**
 * A client with an identity of its own that opens a stream with a small receive buffer, creates
 * operations, and reads none of their updates. One thread.
 */
public final class SlowReader implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final CountDownLatch closed = new CountDownLatch(1);
  private final HttpClient http;
  private final BrowserRequests requests;
  private final URI replica;
  private final Map<String, String> headers;
  private SlowStream stream;

  private SlowReader(URI service, URI replica, Map<String, String> headers, Duration timeout) {
    this.replica = replica;
    this.headers = headers;
    BrowserPace pace = BrowserPace.USUAL.withRequestTimeout(timeout);
    http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(timeout)
            .build();
    requests =
        new BrowserRequests(
            "slow reader",
            List.of(new Target("service", service)),
            http,
            pace,
            new Random(),
            closed,
            new ConcurrentLinkedQueue<>());
    try {
      requests.identify(timeout);
      stream = SlowStream.connect(replica, requests.cookie(), 0, headers);
    } catch (RuntimeException e) {
      http.shutdownNow();
      throw e;
    }
  }

  /**
   * Opens the stream and waits for its first bytes.
   *
   * @param service for all requests but the stream
   * @param replica for the stream: a load balancer would buffer for it
   * @param headers further headers of the stream's request
   * @throws RuntimeException if that fails
   */
  public static SlowReader open(
      URI service, URI replica, Map<String, String> headers, Duration timeout) {
    return new SlowReader(service, replica, headers, timeout);
  }

  /**
   * Opens another stream for the same identity.
   *
   * @throws RuntimeException if that fails
   */
  public void reopen() {
    stream.close();
    stream = SlowStream.connect(replica, requests.cookie(), 0, headers);
  }

  /**
   * Creates an operation, whose updates the stream gets.
   *
   * @throws RuntimeException if that fails
   */
  public void create(String kind, Map<String, ?> input) {
    requests.create(JSON.writeValueAsString(Map.of("kind", kind, "input", input)));
  }

  @Override
  public void close() {
    closed.countDown();
    http.shutdownNow();
    stream.close();
  }
}
