package dev.lastmile.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a replica writes to its log, as a machine reads it. */
class LogIT {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  @TempDir private Path folder;

  private static List<JsonNode> lines(Path file) {
    try {
      List<JsonNode> lines = new ArrayList<>();
      for (String line : Files.readAllLines(file)) {
        lines.add(JSON.readTree(line));
      }
      return lines;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static long count(List<JsonNode> lines, String event) {
    return lines.stream().filter(line -> line.path("message").asString("").equals(event)).count();
  }

  @Test
  void everyLineIsJsonWithItsIds_alsoInAFile_andAnAbsentRedisIsNoStorm() throws Exception {
    try (RedisProcess redis = new RedisProcess(Ports.free(), folder.resolve("redis"), true)) {
      Files.createDirectories(folder.resolve("redis"));
      redis.start();
      Path file = folder.resolve("replica.json");
      try (Cluster cluster =
          Cluster.builder()
              .redis(redis.uri())
              .replicas(1)
              .environment("LASTMILE_LOG_FORMAT", "json")
              .with("lastmile.log.file", file)
              .with("logging.level.dev.lastmile.hops", "DEBUG")
              .start()) {
        LastmileProcess replica = cluster.replica(1);
        Browser browser = Browser.at(replica);
        Webhooks webhooks = new Webhooks(cluster.secret());
        String id;
        try (SseClient stream = browser.stream(replica)) {
          stream.awaitReady();
          id = browser.create(replica, Map.of("durationMillis", 3_600_000));
          webhooks.outcome(replica, id, Webhooks.succeeded(1));
          stream.await("the end", e -> e.data().contains("SUCCEEDED"));
          browser.ack(replica, id, 2, "live").then().statusCode(204);
          Awaitility.await("the last hop")
              .until(() ->
                  lines(replica.log()).stream()
                      .anyMatch(l -> l.path("hop").asString("").equals("client_acked")));

          int before = lines(replica.log()).size();
          redis.kill();
          for (int i = 0; i < 400; i++) {
            webhooks.send(replica, id, Webhooks.running(i + 2, 1));
          }
          redis.start();
          Awaitility.await("Redis to be reached again")
              .atMost(20, TimeUnit.SECONDS)
              .until(() -> count(lines(replica.log()), "redis_connected") == 2);
          List<JsonNode> all = lines(replica.log());
          assertThat(all.size() - before).as("lines while Redis was away").isLessThan(150);
          assertThat(Metrics.of(replica).sum("lastmile_log_events_suppressed_total"))
              .isGreaterThan(300);
        }

        List<JsonNode> all = lines(replica.log());
        assertThat(all)
            .allSatisfy(line -> {
              for (String field : List.of("@timestamp", "message", "level", "logger_name")) {
                assertThat(line.path(field).asString("")).as(line.toString()).isNotEmpty();
              }
              assertThat(line.path("replica").asString("")).isEqualTo("replica-1");
              for (String field : List.of("correlation_id", "trace_id", "operation_id")) {
                assertThat(line.has(field)).as(field + " in " + line).isTrue();
              }
            });
        List<JsonNode> hops =
            all.stream()
                .filter(line -> line.path("operation_id").asString("").equals(id))
                .filter(line -> line.path("message").asString("").equals("hop"))
                .toList();
        assertThat(hops)
            .extracting(line -> line.path("hop").asString(""))
            .contains("initiated", "callback", "published", "delivered", "client_acked");
        assertThat(hops)
            .extracting(line -> line.path("correlation_id").asString(""))
            .doesNotContain("");
        assertThat(hops).extracting(line -> line.path("trace_id").asString("")).doesNotContain("");
        assertThat(all.toString()).doesNotContain(cluster.secret());
        Awaitility.await("the file to have the same events")
            .untilAsserted(() ->
                assertThat(count(lines(file), "hop"))
                    .isEqualTo(count(lines(replica.log()), "hop")));
      }
    }
  }

  /** The literals that the code logs are the names that the document explains. */
  @Test
  void everyEventIsInTheDocument_andNoOther() throws IOException {
    Pattern logged = Pattern.compile("\\.log\\(\"([a-z_]+)\"\\)");
    TreeSet<String> inCode = new TreeSet<>();
    try (Stream<Path> sources = Files.walk(Path.of("src", "main", "java"))) {
      for (Path source : sources.filter(path -> path.toString().endsWith(".java")).toList()) {
        Matcher matcher = logged.matcher(Files.readString(source));
        while (matcher.find()) {
          inCode.add(matcher.group(1));
        }
      }
    }
    TreeSet<String> inDocument =
        Files.readAllLines(Path.of("..", "docs", "reference", "log-events.md")).stream()
            .filter(line -> line.startsWith("| `"))
            .map(line -> line.substring(3, line.indexOf('`', 3)))
            .filter(name -> !name.startsWith("lastmile."))
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(inDocument).isEqualTo(inCode);
  }
}
