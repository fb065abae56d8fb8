package dev.lastmile.streams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SlowStream;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Streams that do not read, and large updates: the memory of all streams together has a limit. */
class StreamMemoryIT {
  private static final int MAX_QUEUED = 1_048_576;
  private static final int IDENTITIES = 4;
  private static final int STREAMS = 6;

  private static double queued(LastmileProcess replica) {
    return Metrics.of(replica).sum("lastmile_stream_queue_bytes");
  }

  private static double slowConsumers(LastmileProcess replica) {
    return Metrics.of(replica).sum("lastmile_stream_closed_total", "reason=\"slow_consumer\"");
  }

  @Test
  void allStreamsTogetherHoldBoundedMemory_andThoseThatReadGoOn() {
    try (Cluster cluster =
        Cluster.builder()
            .replicas(1)
            .with("lastmile.stream.max-queued", MAX_QUEUED)
            .with("lastmile.stream.write-timeout", "1m")
            .start()) {
      LastmileProcess a = cluster.replica(1);
      Webhooks webhooks = new Webhooks(cluster.secret());
      Browser reader = Browser.at(a);
      String small = reader.create(a);
      List<SlowStream> slow = new ArrayList<>();
      List<String> large = new ArrayList<>();
      for (int i = 0; i < IDENTITIES; i++) {
        Browser browser = Browser.at(a);
        large.add(browser.create(a));
        for (int j = 0; j < STREAMS; j++) {
          slow.add(SlowStream.connect(a.uri(), browser.cookie(), 0));
        }
      }
      String text = "x".repeat(60_000);
      String update = "{\"revision\":%d,\"status\":\"RUNNING\",\"result\":{\"text\":\"%s\"}}";
      double most = 0;
      try (SseClient stream = reader.stream(a)) {
        stream.awaitReady();
        for (int revision = 1; slowConsumers(a) == 0; revision++) {
          assertThat(revision).as("updates until the memory is full").isLessThan(400);
          for (String id : large) {
            webhooks.outcome(a, id, update.formatted(revision, text));
          }
          webhooks.outcome(a, small, Webhooks.running(revision, 50));
          String version = "\"version\":" + (revision + 1) + ",";
          stream.await("the reader's update", e -> e.data().contains(version));
          most = Math.max(most, queued(a));
        }
        assertThat(most).isBetween(0.3 * MAX_QUEUED, 2.0 * MAX_QUEUED);
        Awaitility.await("memory of closed streams to be released")
            .until(() -> queued(a) < MAX_QUEUED);
        assertThat(stream.isEnded()).isFalse();
      }
      slow.forEach(SlowStream::close);
    }
  }
}
