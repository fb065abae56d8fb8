package dev.lastmile.demo.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.BrowserPace;
import dev.lastmile.testkit.browser.SimulatedBrowsers;
import dev.lastmile.testkit.browser.Traffic;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.redis.ClusterSet;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Faults of a real Redis Cluster of three primaries and three replicas, under traffic. Every
 * browser is correct soon, the account balances, and exactly the browsers are reset that had
 * received a version that was lost.
 *
 * <p>The servers are those of {@link Scenario#servers}. {@code -Dlastmile.seed=N} plays a run
 * again; {@code -Dlastmile.proof.rounds=20} repeats each fault with 20 seeds, and {@code
 * -Dlastmile.failover.fault=NAME} plays one fault only.
 */
@Tag("long")
class ClusterFaultsIT {
  private static final int PRIMARIES = 3;

  /** Less than a command waits for a primary that does not reply. */
  private static final Duration UNDISTURBED = Duration.ofMillis(1_500);

  @TempDir private static Path folder;

  private static ClusterSet set;
  private static Cluster cluster;

  @BeforeAll
  static void start() throws IOException {
    set = ClusterSet.start(folder, PRIMARIES, Scenario.servers(folder));
    cluster =
        Cluster.builder()
            .servers(set)
            .with("lastmile.drain.balancer", "1s")
            .with("lastmile.retention.versions", 1_000)
            .start();
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
    if (set != null) {
      set.close();
    }
  }

  static Stream<ClusterFault> faults() {
    return Scenario.faults(ClusterFault.class)
        .filter(each -> each.isForRedis() || Scenario.isValkey());
  }

  @ParameterizedTest
  @MethodSource("faults")
  void nobodyIsWrongAndOnlyThoseAreResetWhoHadReceivedWhatWasLost(ClusterFault fault) {
    Scenario.forEachSeed(fault, seed -> play(fault, seed));
  }

  private static void play(ClusterFault fault, long seed) {
    System.out.println("ClusterFaultsIT " + fault + " seed=" + seed);
    set.awaitComplete();
    List<Double> resets = ResetWitness.counted(cluster);
    BrowserPace pace = BrowserPace.USUAL.withReconcile(Duration.ofSeconds(60));
    try (SimulatedBrowsers crowd = SimulatedBrowsers.of(cluster, Scenario.BROWSERS, seed, pace)) {
      crowd.awaitConnected(Duration.ofSeconds(30));
      try (Traffic traffic = new Traffic(cluster, crowd, Scenario.PER_SECOND, seed)) {
        Scenario.during(Duration.ofSeconds(1));
        double moves = Scenario.redisErrors(cluster, "tryagain");
        if (fault.sparesOthers()) {
          playBesideAnother(fault);
        } else {
          fault.play(set, cluster);
        }
        if (fault == ClusterFault.SLOT_MOVED_BOTH_WAYS) {
          assertThat(Scenario.redisErrors(cluster, "tryagain"))
              .as("refusals of the moving slot")
              .isGreaterThan(moves);
        }
        Scenario.during(Duration.ofSeconds(2));
        Traffic.Outcome outcome = traffic.settle(fault.name(), Duration.ofSeconds(10));
        System.out.println(outcome.row());
        assertThat(traffic.complaints()).isEmpty();
        assertThat(crowd.wentBack()).as("versions that went back").isZero();
        outcome.after().assertBalanced();
        assertThat(outcome.after().total("not_received")).as("not_received").isZero();
        assertThat(Scenario.redisErrors(cluster, "noperm")).as("commands without a right").isZero();
        ResetWitness witness = ResetWitness.of(cluster, crowd);
        witness.assertCounted(fault, resets, ResetWitness.counted(cluster));
        if (fault.loses()) {
          assertThat(witness.lost()).as("browsers that had received a lost version").isNotEmpty();
        }
      }
    }
  }

  private static void playBesideAnother(ClusterFault fault) {
    try (Bystander bystander = new Bystander(cluster, ClusterFault.OTHER_TAG)) {
      fault.play(set, cluster);
      bystander.end();
      bystander.assertUndisturbed(UNDISTURBED);
    }
  }
}
