package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import io.restassured.response.Response;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Redis may evict any key, and another user of it fills its memory. Updates may be lost, but lists,
 * creations, callbacks, open streams and new streams go on. A stream whose announcement was evicted
 * goes on after the next presence check.
 */
@Tag("long")
class EvictionIT {
  private static final int BROWSERS = 8;
  private static final int ROUNDS = 3;
  private static final int KEYS_PER_ROUND = 10_000;
  private static final Duration PATIENCE = Duration.ofSeconds(15);
  private static final Pattern EVICTED = Pattern.compile("evicted_keys:(\\d+)");

  @TempDir Path folder;

  @Test
  void allGoesOn_whenKeysAreEvicted() throws IOException {
    try (RedisProcess redis =
        new RedisProcess(Ports.free(), folder, false)
            .with("--maxmemory", "8mb", "--maxmemory-policy", "allkeys-lru")) {
      redis.start();
      RedisClient client = RedisClient.create(redis.uri().toString());
      try (Cluster cluster =
          Cluster.builder()
              .redis(redis.uri())
              .replicas(2)
              .with("lastmile.stream.presence-check", "3s")
              .start()) {
        RedisCommands<String, String> commands = client.connect().sync();
        play(cluster, commands);
        long ours = commands.keys("{p*").size();
        System.out.println("EvictionIT: " + evicted(commands) + " evicted, " + ours + " are ours");
        assertThat(Files.readString(cluster.replica(1).log())).contains("redis_may_evict");
      } finally {
        client.shutdown();
      }
    }
  }

  private static void play(Cluster cluster, RedisCommands<String, String> commands) {
    LastmileProcess a = cluster.replica(1);
    LastmileProcess b = cluster.replica(2);
    Webhooks webhooks = new Webhooks(cluster.secret());
    List<Browser> browsers = new ArrayList<>();
    List<SseClient> streams = new ArrayList<>();
    try {
      for (int i = 0; i < BROWSERS; i++) {
        Browser browser = Browser.at(a);
        browsers.add(browser);
        SseClient stream = browser.stream(i % 2 == 0 ? a : b);
        stream.awaitReady();
        streams.add(stream);
      }
      int lost = 0;
      for (int round = 0; round < ROUNDS; round++) {
        int before = commands.keys("{p*").size();
        fill(commands, round);
        lost += Math.max(0, before - commands.keys("{p*").size());
        for (int i = 0; i < BROWSERS; i++) {
          use(browsers.get(i), streams.get(i), webhooks, a, b);
        }
      }
      assertThat(lost).as("evicted keys of the service").isGreaterThan(BROWSERS);
    } finally {
      streams.forEach(SseClient::close);
    }
  }

  private static void fill(RedisCommands<String, String> commands, int round) {
    Map<String, String> others = new HashMap<>();
    for (int i = 0; i < KEYS_PER_ROUND; i++) {
      others.put("other:" + round + ":" + i, "x".repeat(1_000));
      if (others.size() == 500) {
        commands.mset(others);
        others.clear();
      }
    }
  }

  private static void use(
      Browser browser, SseClient stream, Webhooks webhooks, LastmileProcess a, LastmileProcess b) {
    eventually("the list", () -> browser.list(b, ""), 200);
    Response created = eventually("a creation", () -> browser.tryCreate(a), 201);
    String operation = created.jsonPath().getString("operationId");
    stream.await("the open stream to go on", e -> e.data().contains(operation));
    eventually("a callback", () -> webhooks.send(b, operation, Webhooks.succeeded(1)), 200);
    stream.await(
        "the end", e -> e.data().contains(operation) && e.data().contains("\"version\":2"));
    try (SseClient other = browser.stream(b)) {
      other.await("a new stream", e -> e.data().contains(operation));
    }
  }

  private static Response eventually(String what, Callable<Response> request, int status) {
    return await(what).atMost(PATIENCE).until(request, response -> response.statusCode() == status);
  }

  private static long evicted(RedisCommands<String, String> commands) {
    Matcher evicted = EVICTED.matcher(commands.info("stats"));
    return evicted.find() ? Long.parseLong(evicted.group(1)) : 0;
  }
}
