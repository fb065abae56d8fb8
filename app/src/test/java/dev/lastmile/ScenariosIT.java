package dev.lastmile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testing.Cluster;
import dev.lastmile.testing.Crowd;
import dev.lastmile.testing.CrowdPace;
import dev.lastmile.testing.LastmileProcess;
import dev.lastmile.testing.Ports;
import dev.lastmile.testing.RedisProxy;
import dev.lastmile.testing.RedisServer.RedisProcess;
import dev.lastmile.testing.Scrape;
import dev.lastmile.testing.Traffic;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

/**
 * Faults under traffic: the books balance at every look, everything expected ends in one outcome
 * that names the fault, and nobody is wrong in the end. The figures of each go into
 * target/scenarios.md.
 */
class ScenariosIT {
  private static final Path TABLE = Path.of("target", "scenarios.md");
  private static final Duration BOUND = Duration.ofSeconds(15);
  private static final int BROWSERS = 60;
  private static final int PER_SECOND = 150;

  @TempDir static Path folder;

  private static RedisProcess redis;
  private static RedisProxy proxy;
  private static Cluster cluster;

  private Traffic traffic;
  private Crowd crowd;

  @BeforeAll
  static void start() throws IOException {
    Files.createDirectories(TABLE.getParent());
    Files.writeString(TABLE, Traffic.Outcome.head() + "\n");
    redis = new RedisProcess(Ports.free(), folder, true);
    redis.start();
    proxy = RedisProxy.to(redis.uri());
    cluster =
        Cluster.builder()
            .redis(redis.uri())
            .withReplica(3, "lastmile.redis.url", proxy.uri())
            .with("lastmile.drain.balancer", "1s")
            .start();
  }

  @AfterAll
  static void stop() {
    cluster.close();
    proxy.close();
    redis.close();
  }

  /** Browsers that poll only when they have to: what is right soon is right by the stream. */
  private void begin(TestInfo info) {
    begin(CrowdPace.USUAL.withReconcile(Duration.ofSeconds(60)), BROWSERS, info);
  }

  private void begin(CrowdPace pace, int browsers, TestInfo info) {
    long seed = info.getDisplayName().hashCode();
    crowd = Crowd.of(cluster, browsers, seed, pace);
    crowd.awaitConnected(Duration.ofSeconds(30));
    traffic = new Traffic(cluster, crowd, PER_SECOND, seed);
    during(Duration.ofSeconds(2));
  }

  @AfterEach
  void end() {
    if (traffic != null) {
      traffic.close();
    }
  }

  /** Lets the traffic go on for a while. */
  private static void during(Duration time) {
    long until = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < until) {
      LockSupport.parkNanos(until - System.nanoTime());
    }
  }

  private Traffic.Outcome settle(String name) {
    return settle(name, BOUND);
  }

  private Traffic.Outcome settle(String name, Duration bound) {
    Traffic.Outcome outcome = traffic.settle(name, bound);
    try {
      Files.writeString(TABLE, outcome.row() + "\n", StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    System.out.println(outcome.row());
    assertThat(traffic.complaints()).isEmpty();
    assertThat(crowd.wentBack()).as("versions that went back").isZero();
    assertThat(outcome.audits()).as("looks into the books").isGreaterThan(10);
    outcome.after().assertBalanced();
    for (LastmileProcess replica : cluster.replicas()) {
      Awaitility.await("the process counters of " + replica.name())
          .atMost(5, TimeUnit.SECONDS)
          .untilAsserted(() -> {
            Scrape.of(replica).assertReceivedBalances();
            Scrape.of(replica).assertStreamsBalance();
          });
    }
    return outcome;
  }

  private static void expired(Traffic.Outcome outcome, long notReceived, boolean ownerGone) {
    assertThat(outcome.total("not_received")).as("not_received").isEqualTo(notReceived);
    if (!ownerGone) {
      assertThat(outcome.total("owner_gone")).as("owner_gone").isZero();
    }
  }

  @Test
  void nothingBreaks(TestInfo info) {
    begin(info);
    during(Duration.ofSeconds(4));
    Traffic.Outcome outcome = settle("nothing breaks");
    expired(outcome, 0, false);
    assertThat(outcome.total("expected")).isEqualTo(outcome.taken() + BROWSERS);
    assertThat(outcome.total("client_gone") + outcome.total("slow_consumer")).isZero();
  }

  @Test
  void anOwnerIsKilled(TestInfo info) {
    begin(info);
    cluster.replica(2).kill();
    during(Duration.ofSeconds(7));
    cluster.replica(2).start().awaitReady();
    during(Duration.ofSeconds(1));
    expired(settle("kill -9 of an owner"), 0, true);
  }

  @Test
  void aPublisherIsKilledBetweenTwoWrites(TestInfo info) {
    begin(info);
    for (int i = 0; i < 3; i++) {
      // Stopped wherever it is, and never woken.
      cluster.replica(1).signal("STOP");
      during(Duration.ofMillis(100 + 130 * i));
      cluster.replica(1).kill();
      cluster.replica(1).start().awaitReady();
      during(Duration.ofSeconds(1));
    }
    expired(settle("publisher stopped, then kill -9, three times"), 0, true);
  }

  @Test
  void aReplicaStandsStillForTenSeconds(TestInfo info) {
    begin(info);
    cluster.replica(2).signal("STOP");
    during(Duration.ofSeconds(10));
    cluster.replica(2).signal("CONT");
    during(Duration.ofSeconds(1));
    expired(settle("SIGSTOP of a replica for 10 s"), 0, true);
  }

  @Test
  void subscriptionsAreKilled(TestInfo info) {
    begin(info);
    for (int i = 0; i < 5; i++) {
      redis(commands -> commands.clientKill(io.lettuce.core.KillArgs.Builder.typePubsub()));
      during(Duration.ofSeconds(1));
    }
    Traffic.Outcome outcome = settle("CLIENT KILL TYPE pubsub, five times");
    expired(outcome, 0, false);
  }

  private static void redis(Consumer<RedisCommands<String, String>> commands) {
    RedisClient client = RedisClient.create(redis.uri().toString());
    try (StatefulRedisConnection<String, String> connection = client.connect()) {
      commands.accept(connection.sync());
    } finally {
      client.shutdown();
    }
  }

  @Test
  void redisIsRestartedWithItsData(TestInfo info) {
    begin(info);
    redis.stop();
    during(Duration.ofSeconds(2));
    redis.start();
    during(Duration.ofSeconds(3));
    expired(settle("Redis restarted with its data"), 0, false);
  }

  @Test
  void redisIsRestartedWithoutItsData(TestInfo info) {
    begin(info);
    redis.kill();
    deleteData();
    redis.start();
    during(Duration.ofSeconds(3));
    expired(settle("Redis restarted without its data"), 0, false);
  }

  private static void deleteData() {
    try (var files = Files.walk(folder)) {
      for (Path path : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        if (path.toString().contains("appendonly")) {
          Files.delete(path);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void redisIsKilledAndComesBackFromItsAppendOnlyFile(TestInfo info) {
    begin(info);
    redis.kill();
    during(Duration.ofSeconds(1));
    redis.start();
    during(Duration.ofSeconds(3));
    expired(settle("kill -9 of Redis, back from its append-only file"), 0, false);
  }

  @Test
  void redisStandsStillForTenSeconds(TestInfo info) {
    begin(info);
    redis.signal("STOP");
    during(Duration.ofSeconds(10));
    redis.signal("CONT");
    during(Duration.ofSeconds(3));
    expired(settle("Redis paused for 10 s"), 0, false);
  }

  @Test
  void theNetworkBetweenAReplicaAndRedisIsCut(TestInfo info) {
    begin(info);
    proxy.cut();
    during(Duration.ofSeconds(8));
    proxy.pass();
    during(Duration.ofSeconds(2));
    expired(settle("network cut between a replica and Redis for 8 s"), 0, true);
  }

  @Test
  void theNetworkBetweenAReplicaAndRedisSwallowsEverything(TestInfo info) {
    begin(info);
    proxy.blackhole();
    during(Duration.ofSeconds(8));
    proxy.pass();
    during(Duration.ofSeconds(2));
    expired(settle("network to Redis swallows everything for 8 s"), 0, true);
  }

  @Test
  void readersStop(TestInfo info) {
    begin(info);
    for (int i = 0; i < 3; i++) {
      crowd.stopReading(i);
    }
    during(Duration.ofSeconds(5));
    for (int i = 0; i < 3; i++) {
      crowd.resumeReading(i);
    }
    expired(settle("readers that stop"), 0, false);
  }

  @Test
  void aThousandClientsComeBackAtOnce(TestInfo info) {
    CrowdPace pace =
        CrowdPace.USUAL
            .withReconcile(Duration.ofSeconds(60))
            .withPause(Duration.ofMillis(1), Duration.ofMillis(50));
    begin(pace, 1_000, info);
    for (int i = 0; i < crowd.size(); i++) {
      crowd.reconnect(i);
    }
    crowd.awaitConnected(Duration.ofSeconds(20));
    during(Duration.ofSeconds(2));
    expired(settle("1000 clients reconnect at once"), 0, false);
  }

  @Test
  void allReplicasAreRestartedOneAfterTheOther(TestInfo info) {
    begin(info);
    for (LastmileProcess replica : List.copyOf(cluster.replicas())) {
      replica.stop();
      assertThat(replica.awaitExit()).as("143 = SIGTERM").isEqualTo(143);
      replica.start().awaitReady();
      during(Duration.ofSeconds(1));
    }
    expired(settle("rolling restart"), 0, false);
  }
}
