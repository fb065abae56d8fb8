package dev.lastmile.streams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.BrowserPace;
import dev.lastmile.testkit.browser.SimulatedBrowsers;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many good clients: whatever breaks under them, in the end each shows what is. */
class SimulatedBrowsersIT {
  private static final int CALLBACKS = 600;
  private static final Duration SOON = Duration.ofSeconds(15);

  @TempDir static Path folder;

  private static RedisProcess redis;
  private static Cluster cluster;
  private static Webhooks webhooks;

  @BeforeAll
  static void start() {
    redis = new RedisProcess(Ports.free(), folder, false);
    redis.start();
    cluster =
        Cluster.builder()
            .redis(redis.uri())
            .with("lastmile.stream.heartbeat", "1s")
            .with("lastmile.redis.timeout", "1s")
            .start();
    webhooks = new Webhooks(cluster.secret());
  }

  @AfterAll
  static void stop() {
    cluster.close();
    redis.close();
  }

  private static SimulatedBrowsers crowd(int browsers) {
    BrowserPace pace = BrowserPace.USUAL.withWatchdog(Duration.ZERO);
    SimulatedBrowsers crowd = SimulatedBrowsers.of(cluster, browsers, 4_711, pace);
    crowd.awaitConnected(Duration.ofSeconds(20));
    return crowd;
  }

  /** Sends a callback to one replica after the other until it is taken: sending again is safe. */
  private static void callBack(Random random, String operation, String body) {
    Awaitility.await("a replica to take the callback")
        .pollInterval(20, TimeUnit.MILLISECONDS)
        .until(() -> {
          LastmileProcess replica = cluster.replica(1 + random.nextInt(cluster.replicas().size()));
          try {
            return webhooks.quickly(replica, operation, body).statusCode() == 200;
          } catch (UncheckedIOException e) {
            return false;
          }
        });
  }

  @Test
  void aReplicaThatIsKilledAndComesBackLeavesNobodyWrong() throws Exception {
    try (SimulatedBrowsers crowd = crowd(30);
        ScheduledExecutorService external = Executors.newScheduledThreadPool(8)) {
      List<String> operations = new ArrayList<>();
      for (int i = 0; i < crowd.size(); i++) {
        operations.add(crowd.create(i));
      }
      Random random = new Random(4_711);
      List<Future<?>> callbacks = new ArrayList<>();
      for (int i = 0; i < CALLBACKS; i++) {
        String operation = operations.get(i % operations.size());
        int revision = 1 + i / operations.size();
        String body =
            revision < CALLBACKS / operations.size()
                ? Webhooks.running(revision, revision)
                : Webhooks.succeeded(revision);
        callbacks.add(
            external.schedule(
                () -> callBack(random, operation, body), 10L * i, TimeUnit.MILLISECONDS));
      }
      callbacks.get(CALLBACKS / 4).get(60, TimeUnit.SECONDS);
      cluster.replica(2).kill();
      callbacks.get(CALLBACKS / 2).get(60, TimeUnit.SECONDS);
      cluster.replica(2).start();
      for (Future<?> callback : callbacks) {
        callback.get(60, TimeUnit.SECONDS);
      }
      Duration took = crowd.awaitAllRight(SOON);
      cluster.replica(2).awaitReady();
      System.out.printf("REPORT rightAfter=%dms %s%n", took.toMillis(), crowd);

      assertThat(crowd.wentBack()).as("went back").isZero();
      assertThat(crowd.acksRefused()).as("acks refused").isZero();
      assertThat(crowd.complaints()).isEmpty();
      assertThat(crowd.reconnects()).as("the kill was felt").isPositive();
      assertThat(crowd.learnedLive()).as("push works").isGreaterThan(CALLBACKS / 2);
      assertThat(crowd.shows(0)).containsOnlyKeys(operations.getFirst());
    }
  }

  @Test
  void aBrowserThatDoesNotReadIsWrongUntilItWakes() {
    try (SimulatedBrowsers crowd = crowd(2)) {
      String asleep = crowd.create(0);
      String awake = crowd.create(1);
      crowd.awaitAllRight(SOON);
      crowd.stopReading(0);
      callBack(new Random(), asleep, Webhooks.running(1, 10));
      callBack(new Random(), awake, Webhooks.running(1, 10));
      Awaitility.await("the other one").until(() -> crowd.shows(1).get(awake) == 2);
      assertThat(crowd.wrong()).isEqualTo(1);
      assertThat(crowd.shows(0)).containsEntry(asleep, 1L);
      crowd.resumeReading(0);
      crowd.awaitAllRight(SOON);
      crowd.reconnect(0);
      Awaitility.await("it to come back").until(() -> crowd.reconnects() == 2);
      assertThat(crowd.wentBack()).isZero();
      assertThat(crowd.complaints()).isEmpty();
    }
  }

  @Test
  void aRedisThatForgotEverythingIsBelieved() {
    try (SimulatedBrowsers crowd = crowd(10)) {
      for (int i = 0; i < crowd.size(); i++) {
        callBack(new Random(), crowd.create(i), Webhooks.running(1, 10));
      }
      crowd.awaitAllRight(SOON);
      redis.kill();
      redis.start();
      String later = crowd.create(3);
      crowd.awaitAllRight(SOON);
      assertThat(crowd.shows(0)).isEmpty();
      assertThat(crowd.shows(3)).containsOnlyKeys(later);
      assertThat(crowd.wentBack()).isZero();
      assertThat(crowd.complaints()).isEmpty();
    }
  }
}
