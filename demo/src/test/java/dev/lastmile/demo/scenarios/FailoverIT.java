package dev.lastmile.demo.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.BrowserPace;
import dev.lastmile.testkit.browser.SimulatedBrowsers;
import dev.lastmile.testkit.browser.Traffic;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.process.Tool;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.testkit.redis.SentinelSet;
import io.lettuce.core.KillArgs;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Failovers of real Sentinels under traffic. Every browser is correct soon, the account balances,
 * and exactly the browsers are reset that had received a version that was lost. Lost versions are
 * found past the service: the timelines in Redis are compared with what the browsers received.
 *
 * <p>The servers are Redis, with TLS and a user that has the least rights; with {@code
 * -Dlastmile.failover.servers=valkey} they are Valkey without both. {@code -Dlastmile.seed=N} plays
 * a run again; {@code -Dlastmile.proof.rounds=20} repeats each fault with 20 seeds.
 */
@Tag("long")
class FailoverIT {
  private static final Pattern PUBLISHED = Pattern.compile("published\\t(\\d+)\\t");
  private static final int BROWSERS = 60;
  private static final int PER_SECOND = 150;
  private static final Set<Fault> LOSE =
      EnumSet.of(Fault.RESTARTED_WITH_A_FILE_CUT_SHORT, Fault.RESTARTED_WITHOUT_DATA);
  private static final int CUT_BYTES = 100_000;
  private static final String PASSWORD = "s#cr:t/@?%";

  @TempDir private static Path folder;

  private static SentinelSet sentinels;
  private static Cluster cluster;

  /** What happens to the servers. */
  enum Fault {
    FAILOVER_ON_REQUEST {
      @Override
      void play() {
        sentinels.failover();
      }
    },
    PRIMARY_KILLED {
      @Override
      void play() {
        RedisProcess first = sentinels.primary();
        first.kill();
        sentinels.awaitOtherThan(first);
        first.start();
      }
    },
    PRIMARY_KILLED_WHILE_REPLICAS_ARE_BEHIND {
      @Override
      void play() {
        RedisProcess first = sentinels.primary();
        List<RedisProcess> replicas = sentinels.replicas();
        replicas.forEach(replica -> replica.signal("STOP"));
        killReplication(first);
        Scenario.during(Duration.ofMillis(700));
        first.kill();
        replicas.forEach(replica -> replica.signal("CONT"));
        sentinels.awaitOtherThan(first);
        first.start();
      }
    },
    /** It takes updates again until a Sentinel tells it that it is a replica. */
    PRIMARY_STANDS_STILL_AND_COMES_BACK {
      @Override
      void play() {
        RedisProcess first = sentinels.primary();
        first.signal("STOP");
        try {
          sentinels.awaitOtherThan(first);
          Scenario.during(Duration.ofSeconds(1));
        } finally {
          first.signal("CONT");
        }
      }
    },
    TWO_FAILOVERS_IN_A_ROW {
      @Override
      void play() {
        sentinels.failover();
        sentinels.awaitReplicas();
        sentinels.failover();
      }
    },
    A_REPLICA_AND_THEN_THE_PRIMARY_KILLED {
      @Override
      void play() {
        RedisProcess replica = sentinels.replicas().getFirst();
        RedisProcess first = sentinels.primary();
        replica.kill();
        Scenario.during(Duration.ofSeconds(1));
        replica.start();
        first.kill();
        sentinels.awaitOtherThan(first);
        first.start();
      }
    },
    /** As after a crash of the machine; its replicas take over what it has read. */
    RESTARTED_WITH_A_FILE_CUT_SHORT {
      @Override
      void play() {
        restart(first -> first.cutAppendOnlyFile(CUT_BYTES));
      }
    },
    /** Its replicas lose their data, too. */
    RESTARTED_WITHOUT_DATA {
      @Override
      void play() {
        restart(RedisProcess::deleteData);
      }
    };

    abstract void play();

    /** The primary stops and starts, and the Sentinels take it for a short pause. */
    private static void restart(Consumer<RedisProcess> whileStopped) {
      RedisProcess first = sentinels.primary();
      sentinels.patience(Duration.ofMinutes(1));
      try {
        first.kill();
        whileStopped.accept(first);
        first.start("--replicaof", "no", "one");
      } finally {
        sentinels.patience(Duration.ofSeconds(1));
      }
    }

    /** What the replicas have not read from their sockets by then is all that they get. */
    private static void killReplication(RedisProcess primary) {
      RedisClient client = RedisClient.create(primary.uri().toString());
      try (StatefulRedisConnection<String, String> redis = client.connect()) {
        redis.sync().clientKill(KillArgs.Builder.typeSlave());
      } finally {
        client.shutdown();
      }
    }
  }

  @BeforeAll
  static void start() throws IOException {
    sentinels = SentinelSet.start(folder, 2, kind());
    cluster =
        Cluster.builder()
            .sentinels(sentinels)
            .with("lastmile.drain.balancer", "1s")
            .with("lastmile.retention.versions", 1_000)
            .start();
  }

  private static SentinelSet.Kind kind() throws IOException {
    if (System.getProperty("lastmile.failover.servers", "redis").equals("valkey")) {
      return SentinelSet.Kind.of(Tool.of("valkey-server"));
    }
    String acl = Files.readString(Path.of("..", "docs", "reference", "redis.acl"));
    return SentinelSet.Kind.secured(
        Files.createDirectory(folder.resolve("tls")), acl.replace("CHANGE-ME", PASSWORD), PASSWORD);
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

  @ParameterizedTest
  @EnumSource
  void onlyThoseAreResetWhoHadReceivedWhatWasLost(Fault fault) {
    int rounds = Integer.getInteger("lastmile.proof.rounds", 1);
    long first = Long.getLong("lastmile.seed", fault.name().hashCode() & 0xffff);
    for (long seed = first; seed < first + rounds; seed++) {
      play(fault, seed);
    }
  }

  private static void play(Fault fault, long seed) {
    System.out.println("FailoverIT " + fault + " seed=" + seed);
    sentinels.awaitReplicas();
    BrowserPace pace = BrowserPace.USUAL.withReconcile(Duration.ofSeconds(60));
    try (SimulatedBrowsers crowd = SimulatedBrowsers.of(cluster, BROWSERS, seed, pace)) {
      crowd.awaitConnected(Duration.ofSeconds(30));
      try (Traffic traffic = new Traffic(cluster, crowd, PER_SECOND, seed)) {
        Scenario.during(Duration.ofSeconds(3));
        fault.play();
        Scenario.during(Duration.ofSeconds(5));
        Traffic.Outcome outcome = traffic.settle(fault.name(), Duration.ofSeconds(15));
        System.out.println(outcome.row());
        assertThat(traffic.complaints()).isEmpty();
        assertThat(crowd.wentBack()).as("versions that went back").isZero();
        outcome.after().assertBalanced();
        assertThat(outcome.after().total("not_received")).as("not_received").isZero();
        compareResets(fault, crowd);
        assertCausesAreNamed(fault);
      }
    }
  }

  private static void compareResets(Fault fault, SimulatedBrowsers crowd) {
    Set<Integer> reset = new TreeSet<>();
    Map<Integer, Set<String>> lost = new HashMap<>();
    RedisClient client = RedisClient.create(cluster.redis().toString());
    try (StatefulRedisConnection<String, String> redis = client.connect()) {
      Map<String, Map<String, String>> timelines = new HashMap<>();
      for (int browser = 0; browser < BROWSERS; browser++) {
        if (crowd.resets(browser) > 0) {
          reset.add(browser);
        }
        Set<String> its =
            crowd.receivedAndLost(
                browser,
                (operation, version) ->
                    published(
                        timelines
                            .computeIfAbsent(operation, id -> redis.sync().hgetall(timelineKey(id)))
                            .get(Long.toString(version))));
        if (!its.isEmpty()) {
          lost.put(browser, its);
        }
      }
    } finally {
      client.shutdown();
    }
    System.out.printf(
        "%s: %d browsers had received %d lost versions, %d were reset%n",
        fault, lost.size(), lost.values().stream().mapToInt(Set::size).sum(), reset.size());
    if (LOSE.contains(fault)) {
      assertThat(lost).as("what the fault loses").isNotEmpty();
    }
    assertThat(reset).as("browsers that were reset, and why: %s", lost).isEqualTo(lost.keySet());
  }

  private static void assertCausesAreNamed(Fault fault) {
    Set<String> causes = new TreeSet<>();
    for (LastmileProcess replica : cluster.replicas()) {
      causes.addAll(Metrics.of(replica).labelsAboveZero("lastmile_redis_errors_total", "cause"));
    }
    System.out.println(fault + ": causes since the start: " + causes);
    assertThat(causes).doesNotContain("other", "error_reply", "noperm");
  }

  private static String timelineKey(String operation) {
    int partition = Character.digit(operation.charAt(2), 16);
    return "{p" + partition + "}:timeline:" + operation;
  }

  /** When a version was published, by the lines of its timeline; the epoch if there is none. */
  private static Instant published(String lines) {
    Matcher published = PUBLISHED.matcher(lines == null ? "" : lines);
    return published.find()
        ? Instant.EPOCH
            .plus(Long.parseLong(published.group(1)), ChronoUnit.MICROS)
            .truncatedTo(ChronoUnit.MILLIS)
        : Instant.EPOCH;
  }
}
