package dev.lastmile.pubsub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.redis.RedisServer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Compares the modes: one replica delivers; several replicas without fan-out lose updates and
 * report no error; several replicas with fan-out deliver, also while each has another mode.
 */
@Tag("long")
class ThreeModesIT {
  @Test
  void singleWorks_scaledOutLocalOnlyFailsInSilence_broadcastAndDirectedWork() {
    try (RedisServer redis = RedisServer.start()) {
      single(redis);
      localOnly(redis);
      fannedOut(redis);
    }
  }

  private static Cluster start(RedisServer redis, int replicas, String mode) {
    return Cluster.builder()
        .redis(redis.uri())
        .replicas(replicas)
        .fanOut(mode)
        .with("lastmile.stream.heartbeat", "500ms")
        .start();
  }

  private static void single(RedisServer redis) {
    try (Cluster cluster = start(redis, 1, "local-only")) {
      LastmileProcess only = cluster.replica(1);
      assertSeen(cluster, only, only, only);
      System.out.println("single, local-only: 200 to the callback, seen by the browser");
    }
  }

  private static void localOnly(RedisServer redis) {
    try (Cluster cluster = start(redis, 3, "local-only")) {
      Browser browser = Browser.at(cluster.replica(1));
      try (SseClient stream = browser.stream(cluster.replica(3))) {
        stream.awaitReady();
        String id = browser.create(cluster.replica(1));
        // The callback is accepted.
        String outcome =
            new Webhooks(cluster.secret()).outcome(cluster.replica(2), id, Webhooks.succeeded(1));
        assertThat(outcome).isEqualTo("stored");
        // The stream stays open and delivers heartbeats that were sent after the callback.
        long before = heartbeats(stream);
        Awaitility.await().until(() -> heartbeats(stream) >= before + 4);
        // All replicas are ready, and the callback counts as stored.
        assertThat(cluster.replicas()).allMatch(replica -> replica.isReady());
        assertThat(Metrics.of(cluster.replica(2)).sum("lastmile_hops_total", "outcome=\"stored\""))
            .isEqualTo(1);
        // The browser receives no update,
        assertThat(stream.updates()).isEmpty();
        // although a read returns the new state.
        browser.awaitStatus(cluster.replica(3), id, "SUCCEEDED");
        System.out.println(
            "3 replicas, local-only: 200 to the callback, all ready, NOTHING seen by the browser,"
                + " state right when polled");
        // An update that the stream's own replica accepts does arrive, but without an id. The
        // cursor stays before the missing update,
        String own = browser.create(cluster.replica(3));
        assertThat(stream.await("its own", e -> e.data().contains(own)).id()).isEmpty();
        // so a reconnect delivers that.
        try (SseClient again = browser.stream(cluster.replica(3), lastId(stream))) {
          again.await("the end", e -> e.data().contains("SUCCEEDED"));
        }
      }
    }
  }

  /** The first replica broadcasts; the others publish to the owner. */
  private static void fannedOut(RedisServer redis) {
    try (Cluster cluster =
        Cluster.builder()
            .redis(redis.uri())
            .withReplica(1, "lastmile.fan-out", "broadcast")
            .start()) {
      LastmileProcess broadcasting = cluster.replica(1);
      LastmileProcess directed = cluster.replica(2);
      LastmileProcess streaming = cluster.replica(3);
      double unconcerned = received(directed);
      assertSeen(cluster, directed, directed, streaming);
      assertThat(received(directed)).as("received without a stream").isEqualTo(unconcerned);
      System.out.println("3 replicas, directed: 200 to the callback, seen by the browser");
      assertSeen(cluster, broadcasting, broadcasting, streaming);
      assertThat(received(directed)).isEqualTo(unconcerned + 2);
      System.out.println("3 replicas, broadcast: 200 to the callback, seen by the browser");
      assertSeen(cluster, directed, broadcasting, streaming);
    }
  }

  private static double received(LastmileProcess replica) {
    return Metrics.of(replica).sum("lastmile_pubsub_received_total");
  }

  private static void assertSeen(
      Cluster cluster, LastmileProcess clicked, LastmileProcess called, LastmileProcess streaming) {
    Browser browser = Browser.at(clicked);
    try (SseClient stream = browser.stream(streaming)) {
      stream.awaitReady();
      String id = browser.create(clicked);
      new Webhooks(cluster.secret()).outcome(called, id, Webhooks.succeeded(1));
      stream.await("the end", e -> e.data().contains("SUCCEEDED"));
    }
  }

  private static long heartbeats(SseClient stream) {
    return stream.events().stream().filter(e -> e.name().equals("heartbeat")).count();
  }

  private static String lastId(SseClient stream) {
    return stream.updates().isEmpty() ? "" : stream.updates().getLast().id();
  }
}
