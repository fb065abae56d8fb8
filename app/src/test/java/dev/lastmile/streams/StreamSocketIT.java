package dev.lastmile.streams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.RawHttp;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** A stream on the wire: its socket is HTTP's until the answer has begun, and then ours. */
class StreamSocketIT {
  private static final Cluster CLUSTER = Cluster.shared();
  private static final LastmileProcess REPLICA = CLUSTER.replica(1);

  private final Browser browser = Browser.at(REPLICA);

  private String request(String version) {
    return "GET /api/stream HTTP/"
        + version
        + "\r\nHost: x\r\nCookie: "
        + browser.cookie()
        + "\r\n\r\n";
  }

  private static double gone() {
    return Metrics.of(REPLICA).sum("lastmile_stream_closed_total", "reason=\"client_gone\"");
  }

  @Test
  void theAnswerIsInChunksAndEndsWithItsConnection() {
    try (SseClient stream = browser.stream(REPLICA)) {
      stream.awaitReady();
      assertThat(stream.head())
          .contains("Connection: close", "Transfer-Encoding: chunked", "X-Content-Type-Options")
          .doesNotContainIgnoringCase("content-length");
      for (int i = 0; i < 3; i++) {
        String id = browser.create(REPLICA);
        stream.await("what is written after HTTP has gone", event -> event.data().contains(id));
      }
      assertThat(stream.isEnded()).as("chunks that do not add up").isFalse();
    }
  }

  @Test
  void aClientThatWillCloseGetsChunksToo() {
    try (RawHttp http = RawHttp.connect(REPLICA)) {
      String asked = request("1.1").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
      assertThat(http.send(asked).readUntil("event: ready")).contains("Transfer-Encoding: chunked");
    }
  }

  @Test
  void aClientOfHttp10GetsAStreamToo() {
    String id = browser.create(REPLICA);
    try (RawHttp http = RawHttp.connect(REPLICA)) {
      String first = http.send(request("1.0")).readUntil("event: update");
      assertThat(first)
          .startsWith("HTTP/1.1 200")
          .contains("event: ready")
          .doesNotContain("chunked");
      assertThat(http.readUntil("\n\n")).contains(id);
      String live = browser.create(REPLICA);
      assertThat(http.readUntil("\n\n")).startsWith("id: ").contains(live);
    }
  }

  @Test
  void aRequestBehindItIsNotAnsweredAndEndsTheStream() {
    double before = gone();
    try (RawHttp http = RawHttp.connect(REPLICA)) {
      String all =
          http.send(request("1.1") + "GET /api/operations HTTP/1.1\r\nHost: x\r\n\r\n").rest();
      assertThat(Pattern.compile("HTTP/1.1 ").matcher(all).results()).hasSize(1);
    }
    Awaitility.await().until(() -> gone() == before + 1);
  }

  @Test
  void bytesThatComeLaterEndIt() {
    double before = gone();
    try (RawHttp http = RawHttp.connect(REPLICA)) {
      http.send(request("1.1")).readUntil("event: ready");
      http.send("GET /api/operations HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(http.rest()).doesNotContain("HTTP/1.1");
    }
    Awaitility.await().until(() -> gone() == before + 1);
  }
}
