package dev.lastmile.demo.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Traffic;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.telemetry.LedgerAudit;
import io.lettuce.core.KillArgs;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Faults of Redis and its network: it is restarted, killed or paused, is cut off, or delivers no
 * messages.
 */
@Tag("long")
class PubsubFaultsIT extends Scenario {
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

  /**
   * The last update before a pause is lost. No later update reveals the gap, so only the ledger
   * redelivers it.
   */
  @Test
  void theLastUpdateThatAnOwnerDidNotHearIsAskedForAgain() {
    LastmileProcess owner = cluster.replica(3);
    Browser browser = Browser.at(owner);
    Webhooks webhooks = new Webhooks(cluster.secret());
    try (SseClient stream = browser.stream(owner)) {
      stream.awaitReady();
      String id = browser.create(cluster.replica(1));
      stream.await("version 1", e -> e.data().contains(id));
      Awaitility.await().until(() -> LedgerAudit.read(redis.uri()).outstanding() == 0);
      LedgerAudit before = LedgerAudit.read(redis.uri());
      long swallowed = network(3).swallowed();
      network(3).discard();
      webhooks.outcome(cluster.replica(1), id, Webhooks.running(1, 10));
      Awaitility.await().until(() -> network(3).swallowed() > swallowed);
      network(3).pass();
      stream.await("version 2", e -> e.data().contains("\"version\":2"));
      Awaitility.await().until(() -> LedgerAudit.read(redis.uri()).outstanding() == 0);
      LedgerAudit after = LedgerAudit.read(redis.uri());
      after.assertBalanced();
      assertThat(after.total("redelivered")).isEqualTo(before.total("redelivered") + 1);
      assertThat(after.total("late")).isEqualTo(before.total("late") + 1);
      assertThat(after.total("not_received")).isEqualTo(before.total("not_received"));
      assertThat(browser.hops(owner, id, 2)).containsExactly("callback", "published", "delivered");
    }
  }

  /**
   * The subscription of one replica stays open but receives nothing. Within ten seconds the replica
   * closes its streams.
   */
  @Test
  void oneReplicaIsDeaf() {
    begin();
    LastmileProcess deaf = cluster.replica(3);
    network(3).discard();
    Awaitility.await("the stalled replica to be unready")
        .atMost(15, TimeUnit.SECONDS)
        .until(() -> !deaf.isReady());
    Awaitility.await("its streams to be closed")
        .atMost(5, TimeUnit.SECONDS)
        .until(() -> Metrics.of(deaf).sum("lastmile_stream_connections") == 0);
    assertThat(Metrics.of(deaf).sum("lastmile_pubsub_canary_age_seconds")).isGreaterThan(9);
    assertThat(Metrics.of(deaf).sum("lastmile_stream_closed_total", "reason=\"stalled\""))
        .isPositive();
    Browser.at(deaf).ask(deaf).get("/api/stream").then().statusCode(503).header("Retry-After", "1");
    for (int hearing = 1; hearing <= 2; hearing++) {
      assertThat(cluster.replica(hearing).isReady()).isTrue();
    }
    network(3).pass();
    Awaitility.await("it to be ready again").atMost(15, TimeUnit.SECONDS).until(deaf::isReady);
    Traffic.Outcome outcome = settle("one replica deaf");
    assertThat(outcome.total("owner_gone")).isZero();
    assertThat(outcome.total("not_received") + outcome.total("late"))
        .as("undelivered updates are counted")
        .isPositive();
    for (String hearing : List.of("replica-1", "replica-2")) {
      assertThat(outcome.rise(hearing, "not_received")).as("none of " + hearing).isZero();
    }
    assertThat(outcome.rise("replica-3", "redelivered")).isPositive();
  }

  /**
   * No replica receives messages. Closing streams would not help, so they stay open, and they are
   * correct when messages arrive again.
   */
  @Test
  void allReplicasAreDeaf() {
    begin();
    for (int replica = 1; replica <= 3; replica++) {
      network(replica).discard();
    }
    during(Duration.ofSeconds(13));
    for (LastmileProcess replica : cluster.replicas()) {
      assertThat(replica.isReady()).isTrue();
      assertThat(Metrics.of(replica).sum("lastmile_pubsub_canary_age_seconds")).isGreaterThan(10);
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
