package dev.lastmile.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import io.restassured.RestAssured;
import io.restassured.path.json.JsonPath;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The external system away, refusing, repeating and mixing up: an operation is never lost. */
class ExternalSystemIT {
  private static final Map<String, Object> QUICK =
      Map.of("steps", 2, "durationMillis", 100, "fail", false);

  private static Cluster cluster;
  private static Browser browser;

  @BeforeAll
  static void start() {
    cluster = patient().start();
    browser = Browser.at(cluster.replica(1));
  }

  private static Cluster.Builder patient() {
    return Cluster.builder()
        .replicas(2)
        .with("lastmile.jobs.retry", "500ms")
        .with("lastmile.operations.submit-lease", "500ms");
  }

  @AfterEach
  void startWhatWasKilled() {
    List<LastmileProcess> killed =
        Stream.concat(cluster.replicas().stream(), Stream.of(cluster.external()))
            .filter(process -> !process.isAlive())
            .toList();
    killed.forEach(LastmileProcess::start);
    killed.forEach(LastmileProcess::awaitReady);
    RestAssured.delete(cluster.external().uri() + "/faults/duplicate-callbacks");
    RestAssured.delete(cluster.external().uri() + "/faults/reorder-callbacks");
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  @Test
  void aJobThatCouldNotBeHandedOverIsHandedOverLater_alsoByAnotherReplica() {
    cluster.external().kill();
    String id = browser.create(cluster.replica(1), QUICK);
    browser.get(cluster.replica(2), id).then().body("status", equalTo("PENDING"));
    cluster.replica(1).kill();
    cluster.external().start().awaitReady();
    browser.awaitStatus(cluster.replica(2), id, "SUCCEEDED");
  }

  @Tag("long")
  @Test
  void aJobThatIsNeverAcceptedBecomesFailed() {
    try (Cluster impatient = patient().with("lastmile.jobs.give-up-after", "3s").start()) {
      Browser waiting = Browser.at(impatient.replica(1));
      impatient.external().kill();
      String id = waiting.create(impatient.replica(1), QUICK);
      try (SseClient stream = waiting.stream(impatient.replica(2))) {
        SseClient.Event end = stream.await("the end", e -> e.data().contains("FAILED"));
        assertThat(new JsonPath(end.data()).getString("message")).contains("could not be reached");
      }
      waiting.get(impatient.replica(2), id).then().body("status", equalTo("FAILED"));
    }
  }

  @Test
  void aJobThatIsRefusedBecomesFailedAtOnce() {
    double before = refused();
    String id = browser.create(cluster.replica(1), Map.of("steps", 1_000));
    browser.awaitStatus(cluster.replica(2), id, "FAILED");
    browser.get(cluster.replica(1), id).then().body("message", containsString("rejected"));
    assertThat(refused() - before).isEqualTo(1);
  }

  private static double refused() {
    return Metrics.of(cluster.replica(1))
        .sum("lastmile_hops_total", "hop=\"initiated\"", "outcome=\"external_failed\"");
  }

  @Test
  void repeatedAndMixedUpCallbacksAreHarmless() {
    double before = callbacks();
    for (String fault : List.of("duplicate-callbacks", "reorder-callbacks")) {
      RestAssured.put(cluster.external().uri() + "/faults/" + fault).then().statusCode(200);
    }
    try (SseClient stream = browser.stream(cluster.replica(2))) {
      stream.awaitReady();
      String id =
          browser.create(
              cluster.replica(1), Map.of("steps", 8, "durationMillis", 800, "fail", false));
      stream.await("the end", e -> e.data().contains("SUCCEEDED"));
      // The last of the callbacks that were held back have come when the hop counters rest.
      Awaitility.await().until(() -> callbacks() - before >= 16);
      browser
          .get(cluster.replica(1), id)
          .then()
          .body("status", equalTo("SUCCEEDED"))
          .body("progress", equalTo(100));
      List<Integer> progress =
          stream.updates().stream().map(e -> new JsonPath(e.data()).getInt("progress")).toList();
      assertThat(progress).isSorted().endsWith(100).doesNotHaveDuplicates();
      assertThat(stream.updates().getLast().data()).contains("SUCCEEDED");
    }
  }

  private static double callbacks() {
    return cluster.replicas().stream()
        .mapToDouble(r -> Metrics.of(r).sum("lastmile_hops_total", "hop=\"callback\""))
        .sum();
  }

  @Test
  void aCallbackThatFindsNobodyIsSentAgain() {
    String id = browser.create(cluster.replica(1), Map.of("steps", 2, "durationMillis", 400));
    cluster.replica(1).kill();
    Awaitility.await()
        .until(
            () -> browser.get(cluster.replica(2), id).path("status"),
            status -> status.equals("SUCCEEDED") || status.equals("FAILED"));
  }

  @Test
  void itsOwnStatusCanBeAsked() {
    String id = browser.create(cluster.replica(1), QUICK);
    browser.awaitStatus(cluster.replica(1), id, "SUCCEEDED");
    RestAssured.get(cluster.external().uri() + "/jobs/" + id)
        .then()
        .statusCode(200)
        .body("status", equalTo("SUCCEEDED"))
        .body("revision", equalTo(2));
    RestAssured.get(cluster.external().uri() + "/jobs/unknown").then().statusCode(404);
    RestAssured.put(cluster.external().uri() + "/faults/unknown").then().statusCode(404);
  }
}
