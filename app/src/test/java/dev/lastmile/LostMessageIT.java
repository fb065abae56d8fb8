package dev.lastmile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testing.Browser;
import dev.lastmile.testing.Cluster;
import dev.lastmile.testing.LastmileProcess;
import dev.lastmile.testing.SseClient;
import dev.lastmile.testing.Webhooks;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * A message that is lost though every connection holds: the second replica stores, but does not
 * publish, so the first one never hears of it.
 */
class LostMessageIT {
  @Test
  void theNextUpdateOfTheChannelBringsWhatWasLost_beforeItself() {
    try (Cluster cluster =
        Cluster.builder()
            .replicas(2)
            .withReplica(2, "lastmile.coordination", "local-only")
            .start()) {
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
        stream.await("the heard one", e -> e.data().contains("\"progress\":20"));
        List<String> ids =
            stream.updates().stream().map(e -> e.id().replaceFirst(".*-", "")).toList();
        assertThat(ids).containsExactly("1", "2", "3", "4");
        assertThat(stream.updates().get(2).data()).contains(first, "\"progress\":10");
        assertThat(stream.events().stream().filter(e -> e.name().equals("ready"))).hasSize(1);
      }
    }
  }
}
