package dev.lastmile.demo.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.BrowserPace;
import dev.lastmile.testkit.browser.Traffic;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Replicas die, stand still, restart, do not broadcast, or have a wrong clock. */
class ReplicaFaultsIT extends Scenario {
  @Tag("long")
  @Test
  void withoutAFaultEverythingExpectedIsDelivered() {
    begin();
    during(Duration.ofSeconds(4));
    Traffic.Outcome outcome = settle("no fault");
    nothingExpired(outcome);
    assertThat(outcome.total("expected")).isEqualTo(outcome.taken() + BROWSERS);
    assertThat(outcome.total("client_gone") + outcome.total("slow_consumer")).isZero();
  }

  @Test
  void anOwnerIsKilled() {
    begin();
    double lostBefore = replicasLost();
    cluster.replica(2).kill();
    Awaitility.await("its lease to be collected")
        .atMost(10, TimeUnit.SECONDS)
        .until(() -> replicasLost() == lostBefore + 1);
    during(Duration.ofSeconds(2));
    cluster.replica(2).start().awaitReady();
    onlyOwnersGone(settle("kill -9 of an owner"));
  }

  private static double replicasLost() {
    double lost = 0;
    for (int replica : new int[] {1, 3}) {
      lost += Metrics.of(cluster.replica(replica)).sum("lastmile_replicas_lost_total");
    }
    return lost;
  }

  /** Stopped wherever it is in what it writes, and never woken. */
  @Tag("long")
  @Test
  void aPublisherIsKilledBetweenTwoWrites() {
    begin();
    for (int i = 0; i < 3; i++) {
      cluster.replica(1).signal("STOP");
      during(Duration.ofMillis(100 + 130 * i));
      cluster.replica(1).kill();
      cluster.replica(1).start().awaitReady();
      during(Duration.ofSeconds(1));
    }
    onlyOwnersGone(settle("publisher stopped, then kill -9, three times"));
  }

  @Tag("long")
  @Test
  void aReplicaStandsStillForTenSeconds() {
    begin();
    traffic.avoid(cluster.replica(2));
    cluster.replica(2).signal("STOP");
    during(Duration.ofSeconds(10));
    cluster.replica(2).signal("CONT");
    onlyOwnersGone(settle("SIGSTOP of a replica for 10 s"));
  }

  @Tag("long")
  @Test
  void allReplicasAreRestartedOneAfterTheOther() {
    begin();
    for (LastmileProcess replica : cluster.replicas()) {
      replica.stop();
      assertThat(replica.awaitExit()).as("143 = SIGTERM").isEqualTo(143);
      replica.start().awaitReady();
      during(Duration.ofSeconds(1));
    }
    nothingExpired(settle("rolling restart"));
  }

  /** Every callback is answered 200, every panel is green; only the account tells. */
  @Tag("long")
  @Test
  void localOnlyIsSwitchedOnUnderTraffic() {
    begin(BrowserPace.USUAL, BROWSERS);
    cluster.switchFanOut("local-only");
    during(Duration.ofSeconds(15));
    cluster.switchFanOut("directed");
    Traffic.Outcome outcome = settle("local-only switched on and off again under traffic");
    assertThat(outcome.total("not_received")).as("the silence is counted").isPositive();
    assertThat(crowd.learnedPoll() + crowd.learnedReplay()).isPositive();
  }

  @Tag("long")
  @Test
  void theClockOfOneReplicaIsAnHourOff() throws IOException {
    Optional<Path> library = fakeTime();
    Assumptions.assumeTrue(library.isPresent(), "needs Debian's libfaketime");
    LastmileProcess wrong = cluster.replica(2);
    wrong.environment("LD_PRELOAD", library.orElseThrow().toString());
    wrong.environment("FAKETIME", "+1h");
    wrong.environment("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    // Its remedy for an old C library lets every timed wait end at once: all threads would spin.
    wrong.environment("FAKETIME_FORCE_MONOTONIC_FIX", "0");
    try {
      restart(wrong);
      begin();
      assertThat(Metrics.of(wrong).sum("lastmile_redis_clock_skew_seconds"))
          .isBetween(3_590.0, 3_610.0);
      during(Duration.ofSeconds(6));
      Traffic.Outcome outcome = settle("clock of one replica an hour off");
      nothingExpired(outcome);
      assertThat(outcome.total("expected")).isEqualTo(outcome.taken() + BROWSERS);
    } finally {
      wrong.environment("LD_PRELOAD", "");
      wrong.kill();
      wrong.start().awaitReady();
    }
  }

  private static void restart(LastmileProcess replica) {
    replica.stop();
    replica.awaitExit();
    replica.start().awaitReady();
  }

  private static Optional<Path> fakeTime() throws IOException {
    if (!Files.isDirectory(Path.of("/usr/lib"))) {
      return Optional.empty();
    }
    try (Stream<Path> files =
        Files.find(
            Path.of("/usr/lib"), 3, (path, _) -> path.endsWith("faketime/libfaketimeMT.so.1"))) {
      return files.findFirst();
    }
  }
}
