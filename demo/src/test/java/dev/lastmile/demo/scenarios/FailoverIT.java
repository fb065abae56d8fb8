package dev.lastmile.demo.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.BrowserPace;
import dev.lastmile.testkit.browser.SimulatedBrowsers;
import dev.lastmile.testkit.browser.Traffic;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.redis.SentinelSet;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Failovers of real Sentinels, restarts and refusals under traffic. Every browser is correct 10 s
 * after the fault, the account balances, each cause is named, and exactly the browsers are reset
 * that had received a version that was lost; the service counts these resets. Lost versions are
 * found past the service: the timelines in Redis are compared with what the browsers received.
 *
 * <p>The servers are Redis, with TLS and a user that has the least rights; with {@code
 * -Dlastmile.failover.servers=valkey} they are Valkey without both. {@code -Dlastmile.seed=N} plays
 * a run again; {@code -Dlastmile.proof.rounds=20} repeats each fault with 20 seeds, and {@code
 * -Dlastmile.failover.fault=NAME} plays one fault only.
 */
@Tag("long")
class FailoverIT {
  @TempDir private static Path folder;

  private static SentinelSet sentinels;
  private static Cluster cluster;

  @BeforeAll
  static void start() throws IOException {
    sentinels = SentinelSet.start(folder, 2, Scenario.servers(folder));
    cluster =
        Cluster.builder()
            .sentinels(sentinels)
            .with("lastmile.drain.balancer", "1s")
            .with("lastmile.retention.versions", 1_000)
            .start();
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
    if (sentinels != null) {
      sentinels.close();
    }
  }

  static Stream<RedisFault> faults() {
    return Scenario.faults(RedisFault.class);
  }

  @ParameterizedTest
  @MethodSource("faults")
  void onlyThoseAreResetWhoHadReceivedWhatWasLost(RedisFault fault) {
    Scenario.forEachSeed(fault, seed -> play(fault, seed));
  }

  private static void play(RedisFault fault, long seed) {
    System.out.println("FailoverIT " + fault + " seed=" + seed);
    sentinels.awaitReplicas();
    List<Double> resets = ResetWitness.counted(cluster);
    double refused = errors(fault);
    BrowserPace pace = BrowserPace.USUAL.withReconcile(Duration.ofSeconds(60));
    try (SimulatedBrowsers crowd = SimulatedBrowsers.of(cluster, Scenario.BROWSERS, seed, pace)) {
      crowd.awaitConnected(Duration.ofSeconds(30));
      try (Traffic traffic = new Traffic(cluster, crowd, Scenario.PER_SECOND, seed)) {
        Scenario.during(Duration.ofSeconds(1));
        fault.play(sentinels);
        Scenario.during(Duration.ofSeconds(2));
        Traffic.Outcome outcome = traffic.settle(fault.name(), Duration.ofSeconds(8));
        System.out.println(outcome.row());
        assertThat(traffic.complaints()).isEmpty();
        assertThat(crowd.wentBack()).as("versions that went back").isZero();
        assertThat(outcome.audits()).as("audits of the ledger").isPositive();
        outcome.after().assertBalanced();
        assertThat(outcome.after().total("not_received")).as("not_received").isZero();
        ResetWitness witness = ResetWitness.of(cluster, crowd);
        witness.assertCounted(fault, resets, ResetWitness.counted(cluster));
        if (fault.loses()) {
          assertThat(witness.lost()).as("what the fault loses").isNotEmpty();
        }
        assertCausesAreNamed();
        if (fault.refuses()) {
          assertThat(errors(fault)).as("errors of this cause").isGreaterThan(refused);
        }
      }
    }
  }

  /** Errors of the cause that has the name of the fault. */
  private static double errors(RedisFault fault) {
    return Scenario.redisErrors(cluster, fault.name().toLowerCase(Locale.ROOT));
  }

  private static void assertCausesAreNamed() {
    Set<String> causes = new TreeSet<>();
    for (LastmileProcess replica : cluster.replicas()) {
      causes.addAll(Metrics.of(replica).labelsAboveZero("lastmile_redis_errors_total", "cause"));
    }
    System.out.println("causes since the start: " + causes);
    assertThat(causes).doesNotContain("other", "error_reply");
  }
}
