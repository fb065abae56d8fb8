package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.process.Tool;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.testkit.redis.SentinelSet;
import dev.lastmile.testkit.redis.ServerKind;
import io.restassured.response.Response;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The service follows the primary of Sentinel, and streams that are open go on. The servers are
 * Valkey where there is one; {@code FailoverIT} has Redis.
 */
@Tag("long")
class SentinelIT {
  @TempDir private static Path folder;

  private static SentinelSet sentinels;
  private static Cluster cluster;
  private static LastmileProcess a;
  private static LastmileProcess b;
  private static Webhooks webhooks;

  @BeforeAll
  static void start() {
    ServerKind kind =
        Tool.ifPresent("valkey-server").map(ServerKind::of).orElseGet(ServerKind::redis);
    sentinels = SentinelSet.start(folder, 2, kind);
    cluster = Cluster.builder().sentinels(sentinels).replicas(2).start();
    a = cluster.replica(1);
    b = cluster.replica(2);
    webhooks = new Webhooks(cluster.secret());
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

  /** All Sentinels report the failover, one after the other; the first report is followed. */
  @Test
  void aFailoverOnRequestIsFollowed_byOneNewConnection() {
    List<Long> connected = count("redis_connected");
    List<Long> left = count("the Sentinels name another primary");
    play(sentinels::failover);
    assertThat(Metrics.of(a).sum("lastmile_redis_sentinels", "state=\"subscribed\"")).isEqualTo(3);
    assertThat(count("redis_connected")).isEqualTo(oneMore(connected));
    assertThat(count("the Sentinels name another primary")).isEqualTo(oneMore(left));
  }

  @Test
  void aSentinelThatStandsStillDoesNotHinder() {
    sentinels.signalSentinel(2, "STOP");
    try {
      play(sentinels::failover);
    } finally {
      sentinels.signalSentinel(2, "CONT");
    }
  }

  private static List<Long> oneMore(List<Long> before) {
    return before.stream().map(count -> count + 1).toList();
  }

  /** For each replica, how many lines of its log have this text. */
  private static List<Long> count(String text) {
    return cluster.replicas().stream().map(replica -> count(replica, text)).toList();
  }

  private static long count(LastmileProcess replica, String text) {
    try (Stream<String> lines = Files.lines(replica.log())) {
      return lines.filter(line -> line.contains(text)).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aPrimaryThatIsKilledIsReplaced_andComesBackAsAReplica() {
    RedisProcess first = sentinels.primary();
    play(() -> {
      first.kill();
      sentinels.awaitOtherThan(first);
    });
    first.start();
    sentinels.awaitReplicas();
    assertThat(sentinels.primary()).isNotEqualTo(first);
    play(sentinels::failover);
  }

  /**
   * A stream that is open throughout gets what is stored before and after the fault. In between, an
   * old primary takes updates that are lost, until it is a replica.
   */
  private void play(Runnable fault) {
    sentinels.awaitReplicas();
    Browser browser = Browser.at(a);
    try (SseClient stream = browser.stream(b)) {
      stream.awaitReady();
      String id = browser.create(a);
      webhooks.outcome(b, id, Webhooks.running(1, 10));
      stream.await("version 2", e -> e.data().contains(id) && e.data().contains("\"version\":2"));

      sentinels.awaitReplicated();
      fault.run();
      sentinels.awaitReplicas();

      await("a callback to be stored again")
          .atMost(Duration.ofSeconds(30))
          .until(
              () -> webhooks.send(a, id, Webhooks.running(2, 20)),
              (Response response) -> response.statusCode() == 200);
      stream.await("version 3", e -> e.data().contains(id) && e.data().contains("\"version\":3"));
      assertThat(stream.isEnded()).isFalse();
      assertThat(stream.events()).as("nothing was lost").noneMatch(e -> e.name().equals("reset"));
      assertThat(browser.get(b, id).statusCode()).isEqualTo(200);
    }
    for (LastmileProcess replica : cluster.replicas()) {
      await("Redis to work for " + replica.name())
          .atMost(Duration.ofSeconds(15))
          .until(() -> Metrics.of(replica).sum("lastmile_redis_up") == 1);
      assertThat(replica.isReady()).isTrue();
    }
  }
}
