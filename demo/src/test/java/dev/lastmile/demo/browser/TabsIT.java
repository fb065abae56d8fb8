package dev.lastmile.demo.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Metrics;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The tabs of a browser share one stream: more than six could not have one each. */
@Tag("long")
class TabsIT extends BrowserTest {
  private double streams() {
    return stage.cluster.replicas().stream()
        .mapToDouble(replica -> Metrics.of(replica).sum("lastmile_stream_connections"))
        .sum();
  }

  private static long leaders(List<Page> tabs) {
    return tabs.stream()
        .filter(tab -> tab.evaluate("lastmile.connection.leader").equals(true))
        .count();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 8})
  void tabsShareOneStream_andAnotherTakesOverWhenItsTabIsClosed(int count) {
    List<Page> tabs = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      tabs.add(page());
    }
    await("one stream for all").until(() -> streams() == 1);
    assertThat(leaders(tabs)).isEqualTo(1);

    String id = create(tabs.getLast());
    stage.webhooks.outcome(stage.cluster.replica(1), id, Webhooks.running(1, 50));
    tabs.forEach(tab -> awaitVersion(tab, id, 2));

    Page leader =
        tabs.stream()
            .filter(tab -> tab.evaluate("lastmile.connection.leader").equals(true))
            .findAny()
            .orElseThrow();
    tabs.remove(leader);
    leader.close();
    stage.webhooks.outcome(stage.cluster.replica(2), id, Webhooks.succeeded(2));
    tabs.forEach(tab -> awaitVersion(tab, id, 3));
    await("another leader").until(() -> leaders(tabs) == 1 && streams() == 1);
    tabs.forEach(BrowserTest::assertNotReloaded);
  }
}
