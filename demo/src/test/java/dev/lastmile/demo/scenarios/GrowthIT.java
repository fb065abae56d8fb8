package dev.lastmile.demo.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.BrowserPace;
import dev.lastmile.testkit.browser.SimulatedBrowsers;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.testkit.telemetry.LedgerAudit;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Traffic leaves nothing behind: after very many updates Redis holds as many keys, and as much
 * memory, as before. {@code -Dlastmile.growth.updates=1000000} makes it a day's worth.
 */
@Tag("long")
class GrowthIT {
  private static final long UPDATES = Long.getLong("lastmile.growth.updates", 10_000);
  private static final int BROWSERS = 50;
  private static final int SENDERS = 16;
  private static final int REVISIONS = 25;

  @TempDir static Path folder;

  /** What Redis holds. */
  private record Size(long keys, long bytes) {}

  @Test
  void afterManyUpdatesRedisIsAsItWas() throws Exception {
    try (RedisProcess redis = new RedisProcess(Ports.free(), folder, false)) {
      redis.start();
      try (Cluster cluster =
              Cluster.builder()
                  .redis(redis.uri())
                  .replicas(2)
                  .with("lastmile.retention.after-final", "2s")
                  .with("lastmile.retention.idempotency-keys", "2s")
                  .with("lastmile.retention.sweep-interval", "500ms")
                  .start();
          SimulatedBrowsers crowd =
              SimulatedBrowsers.of(
                  cluster, BROWSERS, 1, BrowserPace.USUAL.withReconcile(Duration.ofSeconds(60)))) {
        crowd.awaitConnected(Duration.ofSeconds(20));
        // Every channel has been there once; what remains of that is the measure.
        traffic(cluster, crowd, 2_000);
        Size before = rest(redis, 0);
        long begun = System.nanoTime();
        traffic(cluster, crowd, UPDATES);
        double seconds = (System.nanoTime() - begun) / 1e9;
        Size after = rest(redis, before.keys());
        LedgerAudit books = LedgerAudit.read(redis.uri());
        System.out.printf(
            "growth: updates=%d in %.0f s, before=%s, after=%s, books: %s%n",
            UPDATES, seconds, before, after, books);
        books.assertBalanced();
        assertThat(books.total("expected")).isGreaterThanOrEqualTo(UPDATES);
        assertThat(books.total("not_received") + books.total("owner_gone")).isZero();
        assertThat(after.keys()).isEqualTo(before.keys());
        assertThat(after.bytes()).isLessThan(before.bytes() + 1_000_000);
      }
    }
  }

  /** Operations with many revisions and an end, one after the other, on every browser's channel. */
  private static void traffic(Cluster cluster, SimulatedBrowsers crowd, long updates)
      throws Exception {
    Webhooks webhooks = new Webhooks(cluster.secret());
    AtomicLong left = new AtomicLong(updates);
    try (ExecutorService senders = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < SENDERS; i++) {
        int sender = i;
        var _ =
            senders.submit(() -> {
              for (int n = sender; left.get() > 0; n += SENDERS) {
                LastmileProcess replica = cluster.replica(1 + n % 2);
                String operation = crowd.create(n % BROWSERS);
                for (int revision = 1; revision < REVISIONS; revision++) {
                  webhooks.outcome(replica, operation, Webhooks.running(revision, revision));
                }
                webhooks.outcome(replica, operation, Webhooks.succeeded(REVISIONS));
                left.addAndGet(-REVISIONS - 1);
              }
            });
      }
    }
  }

  /** Waits until retention has done its work, and nothing is outstanding. */
  private static Size rest(RedisProcess redis, long keys) {
    RedisClient client = RedisClient.create(redis.uri().toString());
    try (StatefulRedisConnection<String, String> connection = client.connect()) {
      RedisCommands<String, String> commands = connection.sync();
      Awaitility.await("Redis to be at rest")
          .atMost(60, TimeUnit.SECONDS)
          .pollInterval(250, TimeUnit.MILLISECONDS)
          .until(() ->
              LedgerAudit.read(redis.uri()).outstanding() == 0
                  && commands.keys("*:operations:*").isEmpty()
                  && commands.keys("*:timeline:*").isEmpty()
                  && commands.keys("*:idempotency:*").isEmpty()
                  && commands.keys("*:pointer:*").isEmpty()
                  && (keys == 0 || count(commands) == keys));
      String used =
          commands
              .info("memory")
              .lines()
              .filter(l -> l.startsWith("used_memory:"))
              .findFirst()
              .orElseThrow();
      return new Size(count(commands), Long.parseLong(used.substring(12).strip()));
    } finally {
      client.shutdown();
    }
  }

  /**
   * Without those whose time is over and that Redis has not got round to deleting, and without
   * presence, of which there is one more when a browser comes back at another replica.
   */
  private static long count(RedisCommands<String, String> commands) {
    return commands.keys("*").stream()
        .filter(key -> !key.contains(":presence:") && !key.contains(":channels:"))
        .count();
  }
}
