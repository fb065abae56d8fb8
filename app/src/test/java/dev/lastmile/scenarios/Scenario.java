package dev.lastmile.scenarios;

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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInfo;

/**
 * A fault under traffic: the books balance at every look, everything expected ends in one outcome
 * that names the fault, and nobody is wrong in the end. The figures of each go into
 * target/scenarios.md.
 *
 * <p>All scenarios share one cluster of three, each replica with a network to Redis of its own, and
 * leave it as they found it.
 */
abstract class Scenario {
  /** P2: within which everybody is right after the fault's end. */
  static final Duration BOUND = Duration.ofSeconds(15);

  static final int BROWSERS = 60;
  private static final int PER_SECOND = 150;
  private static final Path TABLE = Path.of("target", "scenarios.md");

  private static Path folder;
  private static List<RedisProxy> proxies;
  private static RuntimeException failure;

  static RedisProcess redis;
  static Cluster cluster;

  Traffic traffic;
  Crowd crowd;
  private TestInfo info;

  @BeforeEach
  void start(TestInfo test) throws IOException {
    info = test;
    if (failure != null) {
      throw failure;
    }
    if (cluster == null) {
      try {
        startAll();
      } catch (RuntimeException e) {
        failure = e;
        throw e;
      }
    }
  }

  private static void startAll() throws IOException {
    Files.createDirectories(TABLE.getParent());
    Files.writeString(TABLE, Traffic.Outcome.head() + "\n");
    folder = Files.createTempDirectory("lastmile-scenarios");
    redis = new RedisProcess(Ports.free(), folder, true);
    Runtime.getRuntime().addShutdownHook(new Thread(Scenario::stopAll));
    redis.start();
    proxies = new ArrayList<>();
    Cluster.Builder builder =
        Cluster.builder()
            .redis(redis.uri())
            .demo()
            .with("lastmile.drain.balancer", "1s")
            .with("lastmile.overdue.after", "5s")
            .with("lastmile.overdue.lease", "5s");
    for (int replica = 1; replica <= 3; replica++) {
      RedisProxy proxy = RedisProxy.to(redis.uri());
      proxies.add(proxy);
      builder.withReplica(replica, "lastmile.redis.url", proxy.uri());
    }
    cluster = builder.start();
  }

  private static void stopAll() {
    if (cluster != null) {
      cluster.close();
    }
    proxies.forEach(RedisProxy::close);
    redis.close();
    deleteData("");
  }

  /** The network between a replica, counted from 1, and Redis. */
  static RedisProxy network(int replica) {
    return proxies.get(replica - 1);
  }

  /** Browsers that poll only when they have to: what is right soon is right by the stream. */
  void begin() {
    begin(CrowdPace.USUAL.withReconcile(Duration.ofSeconds(60)), BROWSERS);
  }

  void begin(CrowdPace pace, int browsers) {
    begin(pace, browsers, PER_SECOND, info.getDisplayName().hashCode());
  }

  void begin(CrowdPace pace, int browsers, int perSecond, long seed) {
    crowd = Crowd.of(cluster, browsers, seed, pace);
    crowd.awaitConnected(Duration.ofSeconds(30));
    traffic = new Traffic(cluster, crowd, perSecond, seed);
    during(Duration.ofSeconds(2));
  }

  @AfterEach
  void end() {
    if (traffic != null) {
      traffic.close();
    }
    if (proxies != null) {
      proxies.forEach(RedisProxy::pass);
    }
  }

  /** Lets the traffic go on for a while. */
  static void during(Duration time) {
    long until = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < until) {
      LockSupport.parkNanos(until - System.nanoTime());
    }
  }

  /** The fault is over. */
  Traffic.Outcome settle(String name) {
    return settle(name, BOUND);
  }

  Traffic.Outcome settle(String name, Duration bound) {
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

  /** Everything that was expected has arrived, or ended for a reason of the client's. */
  static void nothingExpired(Traffic.Outcome outcome) {
    assertThat(outcome.total("not_received")).as("not_received").isZero();
    assertThat(outcome.total("owner_gone")).as("owner_gone").isZero();
  }

  /** What expired did so because its owner was gone. */
  static void onlyOwnersGone(Traffic.Outcome outcome) {
    assertThat(outcome.total("not_received")).as("not_received").isZero();
    assertThat(outcome.total("owner_gone")).as("owner_gone").isPositive();
  }

  static void redis(Consumer<RedisCommands<String, String>> commands) {
    RedisClient client = RedisClient.create(redis.uri().toString());
    try (StatefulRedisConnection<String, String> connection = client.connect()) {
      commands.accept(connection.sync());
    } finally {
      client.shutdown();
    }
  }

  /** Deletes what Redis has written to the disk and what has this in its name. */
  static void deleteData(String name) {
    try (var files = Files.walk(folder)) {
      for (Path path : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        if (path.toString().contains(name)) {
          Files.deleteIfExists(path);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
