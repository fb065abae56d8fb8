package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.redis.ClusterSet;
import dev.lastmile.testkit.redis.PartitionTags;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.testkit.redis.ServerKind;
import dev.lastmile.testkit.telemetry.LedgerAudit;
import io.lettuce.core.cluster.SlotHash;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real Redis Cluster whose slots move or are not served, and one with data of another layout. */
class RedisClusterIT {
  private static final String TAG = PartitionTags.ALL.get(1);
  private static final int SLOT = SlotHash.getSlot(TAG);

  @TempDir private static Path folder;

  private static ClusterSet set;

  @BeforeAll
  static void start() {
    set = ClusterSet.start(folder, 3, ServerKind.redis());
  }

  @AfterAll
  static void stop() {
    set.close();
  }

  private static TestConnection connect() {
    return new TestConnection(List.of("spring.data.redis.cluster.nodes=" + set.nodes()));
  }

  /** The serialized value of each key of the slot. */
  private static Map<String, String> stored(RedisProcess primary) {
    Map<String, String> stored = new TreeMap<>();
    for (String key : primary.ask(commands -> commands.clusterGetKeysInSlot(SLOT, 10_000))) {
      stored.put(key, HexFormat.of().formatHex(primary.ask(commands -> commands.dump(key))));
    }
    return stored;
  }

  private static Browser browserOfThePartition(LastmileProcess replica) {
    while (true) {
      Browser browser = Browser.at(replica);
      if (PartitionTags.ofOperation(browser.create(replica)).equals(TAG)) {
        return browser;
      }
    }
  }

  /**
   * No key has moved yet, so both servers could answer a script whose keys all exist. It is refused
   * all the same: another one that finds a key missing would be refused half-way otherwise.
   */
  @Test
  void aSlotThatMoves_changesNothingOfItsPartition() {
    RedisProcess from = set.primaryOf(TAG);
    RedisProcess to = set.primaryOf(PartitionTags.ALL.getLast());
    try (Cluster cluster = Cluster.builder().servers(set).replicas(1).start()) {
      LastmileProcess replica = cluster.replica(1);
      Browser browser = browserOfThePartition(replica);
      String id = browser.create(replica);
      Webhooks webhooks = new Webhooks(cluster.secret());
      try (SseClient stream = browser.stream(replica)) {
        stream.awaitReady();
        set.startMove(SLOT, from, to);
        await("the end of what had begun").until(() -> refusals(replica) > 0);
        Map<String, String> before = stored(from);

        browser.tryCreate(replica).then().statusCode(503).header("Retry-After", "1");
        webhooks.send(replica, id, Webhooks.running(1, 40)).then().statusCode(503);
        browser.ack(replica, id, 1, "live").then().statusCode(503);
        browser.list(replica, "").then().statusCode(503);
        double refused = refusals(replica);
        await("renewals, sweeps and claims").until(() -> refusals(replica) > refused + 20);

        assertThat(stored(from)).isEqualTo(before);
        assertThat(stored(to)).isEmpty();
        set.endMove(SLOT, from, to);
        await()
            .untilAsserted(
                () -> webhooks.send(replica, id, Webhooks.running(1, 40)).then().statusCode(200));
        stream.await("the update", event -> event.data().contains("\"version\":2"));
        await().untilAsserted(() -> LedgerAudit.read(cluster).assertBalanced());
        assertThat(LedgerAudit.read(cluster).total("not_received")).isZero();
      }
    }
  }

  private static double refusals(LastmileProcess replica) {
    return Metrics.of(replica).sum("lastmile_redis_errors_total", "cause=\"tryagain\"");
  }

  @Test
  void aPartitionWithoutAPrimary_isNamed() {
    RedisProcess owner = set.primaryOf(TAG);
    for (RedisProcess server : set.servers()) {
      server.ask(commands -> commands.clusterDelSlots(SLOT));
    }
    try (TestConnection test = connect()) {
      test.connection().start();
      await("the cause").until(() -> test.errors.state().equals("clusterdown"));
      assertThat(test.errorCount(RedisErrorCause.CLUSTERDOWN)).isPositive();
      owner.ask(commands -> commands.clusterAddSlots(SLOT));
      await("the connection")
          .atMost(Duration.ofSeconds(20))
          .until(() -> test.connection().isConnected());
    }
    set.awaitComplete();
  }

  @Test
  void dataOfAnotherLayoutIsRefused() {
    RedisProcess owner = set.primaryOf("lastmile:layout");
    owner.ask(commands -> commands.set("lastmile:layout", "3"));
    try (TestConnection test = connect()) {
      test.connection().start();
      await("the cause").until(() -> test.errors.state().equals("other_layout"));
      assertThat(test.connection().isConnected()).isFalse();
      owner.ask(commands -> commands.del("lastmile:layout"));
      await("the connection").until(() -> test.connection().isConnected());
      String layout = owner.ask(commands -> commands.get("lastmile:layout"));
      assertThat(layout).isEqualTo("2");
    }
  }
}
