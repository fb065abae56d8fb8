package dev.lastmile.demo.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.BrowserPace;
import dev.lastmile.testkit.browser.SimulatedBrowsers;
import dev.lastmile.testkit.browser.Traffic;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.process.Tool;
import dev.lastmile.testkit.redis.RedisProxy;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.testkit.redis.ServerKind;
import dev.lastmile.testkit.telemetry.Scrape;
import io.lettuce.core.KillArgs;
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
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInfo;

/**
 * A fault under traffic. The ledger balances at every audit, every expected delivery ends in one
 * outcome that fits the fault, and every browser is correct at the end. The figures are written to
 * target/scenarios.md.
 *
 * <p>All scenarios share one cluster of three replicas, each with its own proxy to Redis. A
 * scenario leaves the cluster as it was.
 */
abstract class Scenario {
  /** P2: the time after the end of a fault within which every browser is correct. */
  static final Duration BOUND = Duration.ofSeconds(15);

  static final int BROWSERS = 60;
  static final int PER_SECOND = 60;
  private static final String PASSWORD = "s#cr:t/@?%";
  private static final Path TABLE = Path.of("target", "scenarios.md");

  private static Path folder;
  private static List<RedisProxy> proxies;
  private static RuntimeException failure;

  static RedisProcess redis;
  static Cluster cluster;

  Traffic traffic;
  SimulatedBrowsers crowd;

  /** Seed of everything random in a scenario; {@code -Dlastmile.seed=N} plays a run again. */
  long seed;

  @BeforeEach
  void start(TestInfo test) throws IOException {
    start(Long.getLong("lastmile.seed", test.getDisplayName().hashCode() & 0xffff));
  }

  /** Starts the cluster, if it does not run yet. */
  void start(long seed) throws IOException {
    this.seed = seed;
    System.out.println(getClass().getSimpleName() + " seed=" + seed);
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
            // All browsers of a crowd have one address; real ones have many.
            .with("lastmile.http.max-answers-per-address", 33_554_432)
            .with("lastmile.drain.balancer", "1s")
            .with("lastmile.overdue.after", "5s")
            .with("lastmile.overdue.lease", "5s");
    for (int replica = 1; replica <= 3; replica++) {
      RedisProxy proxy = RedisProxy.to(redis.uri());
      proxies.add(proxy);
      builder.withReplica(replica, "spring.data.redis.url", proxy.uri());
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

  /** The proxy between a replica, counted from 1, and Redis. */
  static RedisProxy network(int replica) {
    return proxies.get(replica - 1);
  }

  /** Starts browsers that rarely poll. A browser that is soon correct is so by its stream. */
  void begin() {
    begin(BrowserPace.USUAL.withReconcile(Duration.ofSeconds(60)), BROWSERS);
  }

  void begin(BrowserPace pace, int browsers) {
    begin(pace, browsers, PER_SECOND);
  }

  void begin(BrowserPace pace, int browsers, int perSecond) {
    crowd = SimulatedBrowsers.of(cluster, browsers, seed, pace);
    crowd.awaitConnected(Duration.ofSeconds(30));
    traffic = new Traffic(cluster, crowd, perSecond, seed);
    during(Duration.ofSeconds(2));
  }

  static boolean isValkey() {
    return System.getProperty("lastmile.failover.servers", "redis").equals("valkey");
  }

  /** All faults of a kind; with {@code -Dlastmile.failover.fault=NAME} this one. */
  static <F extends Enum<F>> Stream<F> faults(Class<F> kind) {
    String one = System.getProperty("lastmile.failover.fault", "");
    return one.isEmpty() ? Stream.of(kind.getEnumConstants()) : Stream.of(Enum.valueOf(kind, one));
  }

  /**
   * Kills a primary whose replicas have not read its last updates. They go on then.
   *
   * @param replicas all replicas of it
   */
  static void killWhileBehind(RedisProcess primary, List<RedisProcess> replicas) {
    replicas.forEach(replica -> replica.signal("STOP"));
    // What the replicas have not read from their sockets by then is all that they get.
    primary.ask(commands -> commands.clientKill(KillArgs.Builder.typeSlave()));
    during(Duration.ofMillis(700));
    primary.kill();
    replicas.forEach(replica -> replica.signal("CONT"));
  }

  /**
   * Plays a fault with as many seeds as {@code -Dlastmile.proof.rounds} says, from {@code
   * -Dlastmile.seed} on.
   */
  static void forEachSeed(Enum<?> fault, LongConsumer play) {
    int rounds = Integer.getInteger("lastmile.proof.rounds", 1);
    long first = Long.getLong("lastmile.seed", fault.name().hashCode() & 0xffff);
    for (long seed = first; seed < first + rounds; seed++) {
      play.accept(seed);
    }
  }

  /** The errors of Redis with this cause, that the replicas have counted since they started. */
  static double redisErrors(Cluster cluster, String cause) {
    String label = "cause=\"" + cause + "\"";
    return cluster.replicas().stream()
        .mapToDouble(replica -> Metrics.of(replica).sum("lastmile_redis_errors_total", label))
        .sum();
  }

  /**
   * The servers of a set: Redis, with TLS and a user that has the least rights; with {@code
   * -Dlastmile.failover.servers=valkey} Valkey without both.
   */
  static ServerKind servers(Path folder) throws IOException {
    if (isValkey()) {
      return ServerKind.of(Tool.of("valkey-server"));
    }
    String acl = Files.readString(Path.of("..", "docs", "reference", "redis.acl"));
    return ServerKind.secured(
        Files.createDirectory(folder.resolve("tls")), acl.replace("CHANGE-ME", PASSWORD), PASSWORD);
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

  /** Lets the traffic continue for a while. */
  static void during(Duration time) {
    long until = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < until) {
      LockSupport.parkNanos(until - System.nanoTime());
    }
  }

  /**
   * Ends the scenario after the fault: waits until every browser is correct, and checks the
   * account.
   */
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
    assertThat(outcome.audits()).as("audits of the ledger").isGreaterThan(4);
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

  /** Fails if a delivery expired. Deliveries may end because of their client. */
  static void nothingExpired(Traffic.Outcome outcome) {
    assertThat(outcome.total("not_received")).as("not_received").isZero();
    assertThat(outcome.total("owner_gone")).as("owner_gone").isZero();
  }

  /** Fails unless deliveries expired, and all of them because their owner was gone. */
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

  /** Deletes the files of Redis whose path contains this name. */
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
