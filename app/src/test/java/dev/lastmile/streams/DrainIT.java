package dev.lastmile.streams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.PartitionTags;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.testkit.telemetry.LedgerAudit;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SIGTERM, step by step: what a balancer, a browser, the ledger and a scraper see of it. */
class DrainIT {
  @TempDir Path folder;

  @Test
  void aReplicaServesUntilTheBalancerKnows_endsItsStreams_settles_andIsScrapedOnceMore()
      throws IOException {
    try (RedisProcess redis = new RedisProcess(Ports.free(), folder, false)) {
      redis.start();
      try (Cluster cluster =
          Cluster.builder()
              .redis(redis.uri())
              .replicas(2)
              .withReplica(1, "lastmile.drain.balancer", "2s")
              .withReplica(1, "lastmile.drain.scrape", "20s")
              .start()) {
        LastmileProcess leaving = cluster.replica(1);
        LastmileProcess staying = cluster.replica(2);
        Browser browser = Browser.at(leaving);
        try (SseClient stream = browser.stream(leaving)) {
          stream.awaitReady();
          leaving.stop();

          Awaitility.await("readiness to be off").until(() -> !leaving.isReady());
          assertThat(stream.isEnded()).as("nobody has been sent away yet").isFalse();
          String id = browser.create(leaving);
          stream.await("what was created meanwhile", e -> e.data().contains(id));

          Awaitility.await("the stream to end").until(stream::isEnded);
          assertThat(Long.parseLong(stream.retry())).isBetween(2_000L, 4_000L);
          browser.ask(leaving).get("/api/stream").then().statusCode(503).header("Retry-After", "1");

          Awaitility.await("its goodbye").until(() -> leases(redis).size() == 1);
          assertThat(leaving.isAlive()).as("it waits to be scraped").isTrue();
          assertThat(Metrics.of(leaving).sum("lastmile_stream_draining")).isEqualTo(1);
          assertThat(leaving.awaitExit()).isEqualTo(143);
          assertThat(Files.readString(leaving.log()))
              .as("nothing waits for streams that have ended")
              .doesNotContain("Graceful shutdown aborted");
        }
        LedgerAudit books = LedgerAudit.read(redis.uri());
        books.assertBalanced();
        assertThat(books.of("replica-1", "delivered")).isEqualTo(1);
        assertThat(books.total("owner_gone") + books.total("not_received")).isZero();
        Awaitility.await()
            .during(Duration.ofSeconds(5))
            .atMost(Duration.ofSeconds(7))
            .until(() -> Metrics.of(staying).sum("lastmile_replicas_lost_total") == 0);
      }
    }
  }

  /** The incarnations that have a lease, or have not been collected. */
  private static List<String> leases(RedisProcess redis) {
    RedisClient client = RedisClient.create(redis.uri().toString());
    try (StatefulRedisConnection<String, String> connection = client.connect()) {
      return connection.sync().zrange(PartitionTags.FIRST + ":leases", 0, -1);
    } finally {
      client.shutdown();
    }
  }
}
