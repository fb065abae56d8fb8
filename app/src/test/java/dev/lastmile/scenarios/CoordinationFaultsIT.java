package dev.lastmile.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testing.Books;
import dev.lastmile.testing.Browser;
import dev.lastmile.testing.LastmileProcess;
import dev.lastmile.testing.Metrics;
import dev.lastmile.testing.SseClient;
import dev.lastmile.testing.Traffic;
import dev.lastmile.testing.Webhooks;
import io.lettuce.core.KillArgs;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Redis dies, comes back, stands still, is cut off, or is not heard. */
class CoordinationFaultsIT extends Scenario {
  @Test
  void subscriptionsAreKilled() {
    begin();
    for (int i = 0; i < 5; i++) {
      redis(commands -> commands.clientKill(KillArgs.Builder.typePubsub()));
      during(Duration.ofSeconds(1));
    }
    nothingExpired(settle("CLIENT KILL TYPE pubsub, five times"));
  }

  @Test
  void redisIsRestartedWithItsData() {
    begin();
    redis.stop();
    during(Duration.ofSeconds(2));
    redis.start();
    nothingExpired(settle("Redis restarted with its data"));
  }

  @Test
  void redisIsRestartedWithoutItsData() {
    begin();
    redis.kill();
    deleteData("appendonly");
    redis.start();
    nothingExpired(settle("Redis restarted without its data"));
  }

  @Test
  void redisIsKilledAndComesBackFromItsAppendOnlyFile() {
    begin();
    redis.kill();
    during(Duration.ofSeconds(1));
    redis.start();
    nothingExpired(settle("kill -9 of Redis, back from its append-only file"));
  }

  @Test
  void redisStandsStillForTenSeconds() {
    begin();
    redis.signal("STOP");
    during(Duration.ofSeconds(10));
    redis.signal("CONT");
    nothingExpired(settle("Redis paused for 10 s"));
  }

  @Test
  void theNetworkBetweenAReplicaAndRedisIsCut() {
    begin();
    network(3).cut();
    during(Duration.ofSeconds(8));
    network(3).pass();
    onlyOwnersGone(settle("network cut between a replica and Redis for 8 s"));
  }

  @Test
  void theNetworkBetweenAReplicaAndRedisSwallowsEverything() {
    begin();
    traffic.avoid(cluster.replica(3));
    network(3).blackhole();
    during(Duration.ofSeconds(8));
    network(3).pass();
    onlyOwnersGone(settle("network to Redis swallows everything for 8 s"));
  }

  /** No later update shows that it is missing; only the ledger knows. */
  @Test
  void theLastUpdateThatAnOwnerDidNotHearIsAskedForAgain() {
    LastmileProcess owner = cluster.replica(3);
    Browser browser = Browser.at(owner);
    Webhooks webhooks = new Webhooks(cluster.secret());
    try (SseClient stream = browser.stream(owner)) {
      stream.awaitReady();
      String id = browser.create(cluster.replica(1));
      stream.await("version 1", e -> e.data().contains(id));
      Awaitility.await().until(() -> Books.read(redis.uri()).outstanding() == 0);
      Books before = Books.read(redis.uri());
      network(3).deafen();
      webhooks.outcome(cluster.replica(1), id, Webhooks.running(1, 10));
      network(3).pass();
      stream.await("version 2", e -> e.data().contains("\"version\":2"));
      Awaitility.await().until(() -> Books.read(redis.uri()).outstanding() == 0);
      Books after = Books.read(redis.uri());
      after.assertBalanced();
      assertThat(after.total("redelivered")).isEqualTo(before.total("redelivered") + 1);
      assertThat(after.total("late")).isEqualTo(before.total("late") + 1);
      assertThat(after.total("not_received")).isEqualTo(before.total("not_received"));
      assertThat(browser.hops(owner, id, 2)).containsExactly("callback", "published", "delivered");
    }
  }

  /**
   * Its subscription looks alive and hears nothing: within ten seconds it sends its streams away.
   */
  @Test
  void oneReplicaIsDeaf() {
    begin();
    LastmileProcess deaf = cluster.replica(3);
    network(3).deafen();
    Awaitility.await("the deaf replica to leave readiness")
        .atMost(15, TimeUnit.SECONDS)
        .until(() -> !deaf.isReady());
    Awaitility.await("its streams to have gone elsewhere")
        .atMost(5, TimeUnit.SECONDS)
        .until(() -> Metrics.of(deaf).sum("stream_connections") == 0);
    assertThat(Metrics.of(deaf).sum("coordination_canary_age_seconds")).isGreaterThan(9);
    assertThat(Metrics.of(deaf).sum("stream_closed_total", "reason=\"deaf\"")).isPositive();
    Browser.at(deaf).ask(deaf).get("/api/stream").then().statusCode(503).header("Retry-After", "1");
    for (int hearing = 1; hearing <= 2; hearing++) {
      assertThat(cluster.replica(hearing).isReady()).isTrue();
    }
    network(3).pass();
    Awaitility.await("it to be ready again").atMost(15, TimeUnit.SECONDS).until(deaf::isReady);
    Traffic.Outcome outcome = settle("one replica deaf");
    assertThat(outcome.total("owner_gone")).isZero();
    assertThat(outcome.total("not_received") + outcome.total("late"))
        .as("the silence is counted")
        .isPositive();
    for (String hearing : List.of("replica-1", "replica-2")) {
      assertThat(outcome.rise(hearing, "not_received")).as("and named").isZero();
    }
    assertThat(outcome.rise("replica-3", "redelivered")).isPositive();
  }

  /** Closing doors would help nobody: the streams stay, and are right when Redis is heard again. */
  @Test
  void allReplicasAreDeaf() {
    begin();
    for (int replica = 1; replica <= 3; replica++) {
      network(replica).deafen();
    }
    during(Duration.ofSeconds(13));
    for (LastmileProcess replica : cluster.replicas()) {
      assertThat(replica.isReady()).isTrue();
      assertThat(Metrics.of(replica).sum("coordination_canary_age_seconds")).isGreaterThan(10);
    }
    assertThat(crowd.connected()).isEqualTo(BROWSERS);
    assertThat(crowd.reconnects()).isZero();
    for (int replica = 1; replica <= 3; replica++) {
      network(replica).pass();
    }
    Traffic.Outcome outcome = settle("all replicas deaf");
    assertThat(outcome.total("not_received") + outcome.total("late")).isPositive();
    assertThat(outcome.total("owner_gone")).isZero();
  }
}
