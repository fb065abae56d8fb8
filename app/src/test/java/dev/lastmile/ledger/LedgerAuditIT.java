package dev.lastmile.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.PartitionTags;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.testkit.telemetry.LedgerAudit;
import dev.lastmile.testkit.telemetry.Scrape;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests the audit with ledgers that are written by hand. Other tests rely on it to find every
 * imbalance.
 */
class LedgerAuditIT {
  private static final String P3 = PartitionTags.ALL.get(3);
  private static final String P15 = PartitionTags.ALL.get(15);

  private static final String SCRAPE =
      """
      # HELP lastmile_deliveries_expected_total Deliveries that were expected of an owner
      # TYPE lastmile_deliveries_expected_total counter
      lastmile_deliveries_expected_total{owner="a",replica="a"} 1.0E1
      lastmile_deliveries_expected_total{owner="b",replica="a"} 4.0
      lastmile_deliveries_settled_total{outcome="delivered",owner="a",replica="a"} 7.0 # {trace_id="1"} 1.0 2.0
      lastmile_deliveries_settled_total{outcome="late",owner="a",replica="a"} 1.0
      lastmile_deliveries_settled_total{outcome="client_gone",owner="b",replica="a"} 1.0
      lastmile_deliveries_settled_total{outcome="slow_consumer",owner="b",replica="a"} 0.0
      lastmile_deliveries_expired_total{owner="b",reason="not_received",replica="a"} 1.0
      lastmile_deliveries_expired_total{owner="b",reason="owner_gone",replica="a"} 1.0
      lastmile_deliveries_redelivered_total{owner="b",replica="a"} 2.0
      lastmile_deliveries_outstanding{replica="a"} 3.0
      lastmile_deliveries_oldest_outstanding_seconds{replica="a"} 0.5
      lastmile_pubsub_received_total{replica="a"} 12.0
      lastmile_pubsub_messages_total{replica="a",result="dispatched"} 8.0
      lastmile_pubsub_messages_total{replica="a",result="no_audience"} 4.0
      lastmile_pubsub_messages_total{replica="a",result="dropped"} 0.0
      lastmile_stream_opened_total{replica="a"} 5.0
      lastmile_stream_closed_total{reason="gone",replica="a"} 2.0
      lastmile_stream_closed_total{reason="slow_consumer",replica="a"} 1.0
      lastmile_stream_connections{replica="a"} 2.0
      """;

  @TempDir static Path folder;

  private static RedisProcess redis;
  private static RedisClient client;
  private static StatefulRedisConnection<String, String> connection;

  private final RedisCommands<String, String> keys = connection.sync();

  @BeforeAll
  static void start() {
    redis = new RedisProcess(Ports.free(), folder, false);
    redis.start();
    client = RedisClient.create(redis.uri().toString());
    connection = client.connect();
  }

  @AfterAll
  static void stop() {
    client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    redis.close();
  }

  @BeforeEach
  void balanced() {
    keys.flushall();
    keys.hset(
        P3 + ":account",
        Map.of("epoch", "00000000000000aa", "term", "3f9a2c4b5d6e", "generation", "1700000000"));
    keys.hset(
        P3 + ":account",
        Map.of("a expected", "5", "a delivered", "3", "b expected", "2", "b owner_gone", "1"));
    outstanding("ledger", "op3-1:2:a~f00.1");
    outstanding("ledger", "op3-2:1:a~f00.2");
    outstanding("redelivered", "op3-3:7:b~f01.1");
    keys.hset(
        P15 + ":account",
        Map.of(
            "a expected",
            "4",
            "a late",
            "1",
            "a client_gone",
            "1",
            "a slow_consumer",
            "1",
            "a not_received",
            "1",
            "a redelivered",
            "1"));
  }

  private void outstanding(String set, String entry) {
    keys.zadd(P3 + ":" + set, 1_000, entry);
    keys.hset(P3 + ":entries", entry, "whatever");
  }

  private static LedgerAudit read() {
    return LedgerAudit.read(redis.uri());
  }

  @Test
  void balancedBooksAreReadOverAllPartitions() {
    LedgerAudit books = read();
    books.assertBalanced();
    assertThat(books)
        .hasToString(
            "expected=11 delivered=3 late=1 client_gone=1 slow_consumer=1 not_received=1"
                + " owner_gone=1 outstanding=3 redelivered=1");
    assertThat(books.owners()).containsExactly("a", "b");
    assertThat(books.of("a", "expected")).isEqualTo(9);
    assertThat(books.outstanding("a")).isEqualTo(2);
    assertThat(books.outstanding("b")).isEqualTo(1);
    assertThat(books.accounts()).hasSize(16).contains("00000000000000aa 3f9a2c4b5d6e 1700000000");
    keys.flushall();
    read().assertBalanced();
  }

  private void unbalanced(Consumer<RedisCommands<String, String>> fault, String told) {
    balanced();
    fault.accept(keys);
    assertThatThrownBy(() -> read().assertBalanced())
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining(P3 + ": " + told);
  }

  @Test
  void eachFaultIsTold() {
    unbalanced(
        redis -> redis.hincrby(P3 + ":account", "a expected", 1),
        "expected - settled - expired = 4, outstanding = 3");
    unbalanced(
        redis -> redis.hset(P3 + ":account", Map.of("a delivered", "2", "b owner_gone", "2")),
        "of a: by counters 3 are open, outstanding 2");
    unbalanced(
        redis -> redis.hset(P3 + ":account", Map.of("a late", "-1", "a client_gone", "1")),
        "late of a is -1");
    unbalanced(
        redis -> redis.zadd(P3 + ":redelivered", 1, "op3-1:2:a~f00.1"),
        "an entry is in the ledger and redelivered");
    unbalanced(
        redis -> redis.hdel(P3 + ":entries", "op3-1:2:a~f00.1"),
        "ledger=2 + redelivered=1, but entries=2");
    unbalanced(redis -> redis.hset(P3 + ":account", "a lost", "1"), "lost of a is no counter");
    unbalanced(redis -> redis.hset(P3 + ":account", "delivered", "1"), "expected - settled");
  }

  @Test
  void aPartitionDoesNotMakeUpForAnother() {
    keys.hincrby(P3 + ":account", "a delivered", 1);
    keys.hincrby(P15 + ":account", "a expected", 1);
    assertThatThrownBy(() -> read().assertBalanced()).hasMessageContaining(P15 + ": ");
  }

  private static LedgerAudit scraped(String text) {
    return LedgerAudit.of(Scrape.of(text), "a");
  }

  @Test
  void aScrapeTellsTheSame() {
    LedgerAudit books = scraped(SCRAPE);
    books.assertBalanced();
    assertThat(books)
        .hasToString(
            "expected=14 delivered=7 late=1 client_gone=1 slow_consumer=0 not_received=1"
                + " owner_gone=1 outstanding=3 redelivered=2");
    assertThat(books.outstanding("a")).isEqualTo(2);
    assertThatThrownBy(() -> scraped(SCRAPE.replace("} 3.0", "} 2.0")).assertBalanced())
        .hasMessageContaining("outstanding = 2");
    assertThatThrownBy(() -> scraped(SCRAPE.replace("} 1.0E1", "} 7.0")).assertBalanced())
        .as("more settled than expected")
        .hasMessageContaining("of a: by counters -1 are open");
    assertThatThrownBy(() -> scraped("").assertBalanced())
        .as("an empty scrape is not balanced")
        .hasMessageContaining("lastmile_deliveries_outstanding");
  }

  @Test
  void theEquationsOfAProcessAreChecked() {
    Scrape scrape = Scrape.of(SCRAPE);
    assertThatCode(scrape::assertReceivedBalances).doesNotThrowAnyException();
    assertThatCode(scrape::assertStreamsBalance).doesNotThrowAnyException();
    Scrape other = Scrape.of(SCRAPE.replace("} 8.0", "} 9.0").replace("} 5.0", "} 6.0"));
    assertThatThrownBy(other::assertReceivedBalances).hasMessageContaining("= 13");
    assertThatThrownBy(other::assertStreamsBalance).hasMessageContaining("= 6");
    assertThatThrownBy(() -> Scrape.of("").assertStreamsBalance())
        .hasMessageContaining("no lastmile_stream_opened_total");
  }
}
