package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.testkit.redis.SentinelSet;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three real Sentinels are asked for the primary. */
@Tag("long")
class PrimaryLookupIT {
  private static final Duration LONG = Duration.ofMinutes(5);

  @TempDir private static Path folder;

  private static SentinelSet sentinels;
  private static RedisClient client;

  @BeforeAll
  static void start() {
    sentinels = SentinelSet.start(folder, 1);
    client = RedisClient.create();
  }

  @AfterAll
  static void stop() {
    client.shutdown();
    sentinels.close();
  }

  private static PrimaryLookup lookup(String name) {
    List<RedisURI> uris =
        Arrays.stream(sentinels.nodes().split(",", -1))
            .map(node -> RedisURI.create("redis://" + node))
            .toList();
    return new PrimaryLookup(client, name, uris);
  }

  private static int find() {
    return lookup(SentinelSet.PRIMARY).find(LONG).getPort();
  }

  /** The limit, and the timeout of a connection, are longer than the test may take. */
  @Test
  @Timeout(20)
  void aSentinelThatStandsStillIsNotWaitedFor() {
    sentinels.signalSentinel(2, "STOP");
    try {
      assertThat(find()).isEqualTo(sentinels.primary().uri().getPort());
    } finally {
      sentinels.signalSentinel(2, "CONT");
    }
  }

  @Test
  void aSentinelThatNamesTheOldPrimaryIsOutvotedByANewerConfiguration() {
    RedisProcess old = sentinels.primary();
    sentinels.failover();
    sentinels.awaitReplicas();
    int primary = sentinels.primary().uri().getPort();
    assertThat(primary).isNotEqualTo(old.uri().getPort());

    for (int i = 0; i < 20; i++) {
      // The other Sentinels correct it within two seconds.
      sentinels.mislead(2, old);
      assertThat(find()).isEqualTo(primary);
    }
  }

  @Test
  void theCauseIsThatNoSentinelKnowsThePrimary_alsoIfOneStandsStill() {
    sentinels.signalSentinel(0, "STOP");
    try {
      assertThatThrownBy(() -> lookup("another").find(Duration.ofSeconds(2)))
          .extracting(RedisErrorCause::of)
          .isEqualTo(RedisErrorCause.NO_PRIMARY);
    } finally {
      sentinels.signalSentinel(0, "CONT");
    }
  }

  @Test
  void theCauseIsATimeout_whenNoSentinelAnswers() {
    for (int i = 0; i < 3; i++) {
      sentinels.signalSentinel(i, "STOP");
    }
    try {
      assertThatThrownBy(() -> lookup(SentinelSet.PRIMARY).find(Duration.ofSeconds(1)))
          .extracting(RedisErrorCause::of)
          .isEqualTo(RedisErrorCause.TIMEOUT);
    } finally {
      for (int i = 0; i < 3; i++) {
        sentinels.signalSentinel(i, "CONT");
      }
    }
  }
}
