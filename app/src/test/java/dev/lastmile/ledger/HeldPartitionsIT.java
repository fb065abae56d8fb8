package dev.lastmile.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lastmile.redis.Keys;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.updates.Partition;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every partition is swept at any time, by one replica, and the replicas share the partitions. */
class HeldPartitionsIT {
  @TempDir Path folder;

  private RedisCommands<String, String> commands;

  @Test
  void thePartitionsOfAReplicaThatWasKilledAreSweptByTheOthers_andSharedAgainLater() {
    try (RedisProcess redis = new RedisProcess(Ports.free(), folder, false)) {
      redis.start();
      RedisClient client = RedisClient.create(redis.uri().toString());
      commands = client.connect().sync();
      try (Cluster cluster = Cluster.builder().redis(redis.uri()).replicas(3).start()) {
        awaitShares(3);

        cluster.replica(1).kill();
        awaitSweeps("replica-2", "replica-3");
        awaitShares(2);

        cluster.replica(1).start().awaitReady();
        awaitShares(3);
        awaitSweeps("replica-1", "replica-2", "replica-3");
      } finally {
        client.shutdown();
      }
    }
  }

  /** Each partition has been swept since, and is held by one of these replicas. */
  private void awaitSweeps(String... replicas) {
    long since = now();
    await("sweeps of all partitions")
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() -> {
          for (Partition partition : Partition.ALL) {
            Map<String, String> meta = commands.hgetall(Keys.meta(partition));
            assertThat(Long.parseLong(meta.get("swept"))).as("" + partition).isGreaterThan(since);
            assertThat(meta.get("sweeper").split("~", 2)[0]).isIn(List.of(replicas));
          }
        });
  }

  private long now() {
    // The sweeps that were on their way have arrived one second later.
    return Long.parseLong(commands.time().get(0)) * 1_000 + 2_000;
  }

  private void awaitShares(int replicas) {
    int share = Math.ceilDiv(Partition.COUNT, replicas);
    await("every replica to hold its share")
        .atMost(Duration.ofSeconds(15))
        .untilAsserted(() -> {
          Map<String, Long> held =
              Partition.ALL.stream()
                  .map(partition -> commands.hget(Keys.meta(partition), "sweeper"))
                  .collect(Collectors.groupingBy(holder -> "" + holder, Collectors.counting()));
          assertThat(held).hasSize(replicas).doesNotContainKey("null");
          assertThat(held.values()).allMatch(count -> count <= share);
        });
  }
}
