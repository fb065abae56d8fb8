package dev.lastmile.demo.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.BrowserPace;
import dev.lastmile.testkit.browser.SlowStream;
import dev.lastmile.testkit.browser.Traffic;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import io.restassured.RestAssured;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Faults at the edges: browsers read slowly, stop reading or reconnect all at once; callbacks are
 * duplicated, late or lost.
 */
@Tag("long")
class ClientFaultsIT extends Scenario {
  private static final String LARGE = "x".repeat(50_000);

  private static String large(int revision) {
    return "{\"revision\":%d,\"status\":\"RUNNING\",\"result\":\"%s\"}".formatted(revision, LARGE);
  }

  @Test
  void oneReaderStopsAndOneReadsSlowly() {
    begin();
    Webhooks webhooks = new Webhooks(cluster.secret());
    LastmileProcess replica = cluster.replica(2);
    Browser sleeping = Browser.at(replica);
    Browser slow = Browser.at(replica);
    try (SlowStream stopped = SlowStream.connect(replica.uri(), sleeping.cookie(), 0);
        SlowStream trickling = SlowStream.connect(replica.uri(), slow.cookie(), 40_000)) {
      List<String> operations = new ArrayList<>();
      for (Browser browser : List.of(sleeping, slow)) {
        operations.add(browser.create(cluster.replica(1)));
      }
      for (int revision = 1; revision <= 250; revision++) {
        for (String operation : operations) {
          webhooks.outcome(cluster.replica(1), operation, large(revision));
        }
      }
      during(Duration.ofSeconds(3));
      assertThat(stopped.bytes()).isLessThan(100_000);
      assertThat(trickling.bytes()).isPositive();
    }
    Traffic.Outcome outcome = settle("a reader that stops, a reader that trickles");
    nothingExpired(outcome);
    assertThat(outcome.total("slow_consumer")).isPositive();
    assertThat(crowd.reconnects()).as("others are not disturbed").isZero();
    assertThat(outcome.total("late")).as("others are not delayed").isLessThan(50);
  }

  @Test
  void aThousandClientsComeBackAtOnce() {
    begin(
        BrowserPace.USUAL
            .withReconcile(Duration.ofSeconds(60))
            .withPause(Duration.ofMillis(1), Duration.ofMillis(50)),
        1_000);
    for (int i = 0; i < crowd.size(); i++) {
      crowd.reconnect(i);
    }
    crowd.awaitConnected(Duration.ofSeconds(20));
    nothingExpired(settle("1000 clients reconnect at once"));
  }

  /** Overdue operations are polled: all of them end, although half of the callbacks are lost. */
  @Test
  void callbacksAreDuplicatedReorderedLateAndLost() {
    List<String> faults =
        List.of("duplicate-callbacks", "reorder-callbacks", "lose-callbacks", "slow-external");
    begin();
    double polledBefore = polled();
    faults.forEach(fault -> external("PUT", fault));
    try {
      Map<String, Object> wishes = Map.of("steps", 4, "durationMillis", 2_000, "fail", false);
      List<String> jobs = new ArrayList<>();
      for (int browser = 0; browser < BROWSERS; browser++) {
        jobs.add(crowd.create(browser, wishes));
      }
      Awaitility.await("every job to have ended on every page")
          .atMost(Duration.ofSeconds(60))
          .until(() ->
              IntStream.range(0, BROWSERS)
                  .allMatch(browser -> crowd.showsEnd(browser, jobs.get(browser))));
    } finally {
      faults.forEach(fault -> external("DELETE", fault));
    }
    Traffic.Outcome outcome = settle("callbacks duplicated, reordered, late and lost");
    nothingExpired(outcome);
    assertThat(polled()).as("reports that were polled").isGreaterThan(polledBefore);
  }

  private static void external(String method, String fault) {
    RestAssured.given()
        .baseUri(cluster.external().uri().toString())
        .request(method, "/faults/" + fault)
        .then()
        .statusCode(200);
  }

  private static double polled() {
    return cluster.replicas().stream()
        .mapToDouble(
            replica -> Metrics.of(replica).sum("lastmile_jobs_polls_total", "outcome=\"stored\""))
        .sum();
  }
}
