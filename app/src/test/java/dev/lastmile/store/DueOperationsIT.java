package dev.lastmile.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.redis.Keys;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.TestConnection;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Partition;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is due is claimed once per lease, and no partition waits for the others. */
class DueOperationsIT {
  private static final int PER_PARTITION = 3;
  private static final Duration SECONDS = Duration.ofSeconds(2);

  @Test
  void everyPartitionGetsItsTurn_andNothingIsClaimedTwiceWithinTheLease(@TempDir Path folder) {
    try (RedisProcess redis = new RedisProcess(Ports.free(), folder, false)) {
      redis.start();
      try (TestConnection test = new TestConnection(redis.uri())) {
        RedisConnection connection = test.connection();
        connection.start();
        Awaitility.await().until(connection::isConnected);
        addOverdue(connection);
        claim(new DueOperations(connection, new OverdueProperties(SECONDS, Duration.ofHours(1))));
      }
    }
  }

  private static void addOverdue(RedisConnection connection) {
    for (Partition partition : Partition.ALL) {
      for (int i = 0; i < PER_PARTITION; i++) {
        byte[] id = "op%x-%032x".formatted(partition.index(), i).getBytes(UTF_8);
        connection.call(partition, commands -> commands.zadd(Keys.overdue(partition), 0, id));
      }
    }
  }

  private static void claim(DueOperations due) {
    List<OperationId> claimed = new ArrayList<>();
    for (int i = 0; i < Partition.COUNT; i++) {
      claimed.addAll(due.claimOverdue(1));
    }
    assertThat(claimed.stream().map(OperationId::partition))
        .as("one of each partition")
        .containsExactlyInAnyOrderElementsOf(Partition.ALL);
    claimed.addAll(due.claimOverdue(1_000));
    assertThat(claimed).doesNotHaveDuplicates().hasSize(PER_PARTITION * Partition.COUNT);
    assertThat(due.claimOverdue(1_000)).isEmpty();
  }
}
