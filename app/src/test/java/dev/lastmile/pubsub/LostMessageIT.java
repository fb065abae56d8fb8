package dev.lastmile.pubsub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * A message is lost while all connections stay open: the second replica stores an update but does
 * not publish it, so the first one does not receive it.
 */
class LostMessageIT {
  /** The second replica owns the stream, and does not subscribe. */
  @Test
  void anOwnerWithoutASubscriptionIsSeenInTimelineAndMetric() {
    try (Cluster cluster =
        Cluster.builder().replicas(2).withReplica(2, "lastmile.fan-out", "local-only").start()) {
      LastmileProcess publishing = cluster.replica(1);
      Browser browser = Browser.at(publishing);
      try (SseClient stream = browser.stream(cluster.replica(2))) {
        stream.awaitReady();
        String id = browser.create(publishing);
        browser
            .ask(publishing)
            .get("/api/operations/" + id + "/timeline")
            .then()
            .body("hops.find { it.hop == 'published' }.outcome", equalTo("no_subscriber"));
        assertThat(Metrics.of(publishing).sum("lastmile_hops_total", "outcome=\"no_subscriber\""))
            .isEqualTo(1);
      }
    }
  }

  @Test
  void theNextUpdateOfTheChannelBringsWhatWasLost_beforeItself() {
    try (Cluster cluster =
        Cluster.builder().replicas(2).withReplica(2, "lastmile.fan-out", "local-only").start()) {
      LastmileProcess hearing = cluster.replica(1);
      LastmileProcess silent = cluster.replica(2);
      Browser browser = Browser.at(hearing);
      Webhooks webhooks = new Webhooks(cluster.secret());
      String first = browser.create(hearing);
      String second = browser.create(hearing);
      try (SseClient stream = browser.stream(hearing)) {
        stream.await("the replay", e -> e.data().contains(second));
        webhooks.outcome(silent, first, Webhooks.running(1, 10));
        webhooks.outcome(hearing, second, Webhooks.running(1, 20));
        stream.await("the received one", e -> e.data().contains("\"progress\":20"));
        List<String> ids = stream.updates().stream().map(e -> e.id().split("-", -1)[1]).toList();
        assertThat(ids).containsExactly("1", "2", "3", "4");
        assertThat(stream.updates().get(2).data()).contains(first, "\"progress\":10");
        assertThat(stream.events().stream().filter(e -> e.name().equals("ready"))).hasSize(1);
      }
    }
  }
}
