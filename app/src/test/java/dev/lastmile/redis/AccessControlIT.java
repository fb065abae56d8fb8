package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.Certificates;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.StringCodec;
import io.restassured.RestAssured;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The user of {@code docs/reference/redis.acl} has exactly the rights that the service needs, and
 * TLS with a private authority works with it.
 */
@Tag("long")
class AccessControlIT {
  private static final Path FILE = Path.of("..", "docs", "reference", "redis.acl");
  private static final String PASSWORD = "s#cr:t/@?%";

  /** Commands that Java sends; the others are in the scripts. */
  private static final Set<String> WITHOUT_SCRIPT =
      Set.of(
          "eval",
          "evalsha",
          "script|load",
          "select",
          "info",
          "time",
          "spublish",
          "ssubscribe",
          "hdel",
          "hgetall",
          "hstrlen",
          "lrange",
          "srandmember",
          "zrangebyscore",
          "zrem");

  /** Commands that only a Redis Cluster gets; {@code ClusterFaultsIT} uses the same user there. */
  private static final Set<String> IN_A_CLUSTER =
      Set.of("cluster|info", "cluster|nodes", "cluster|slots", "sunsubscribe");

  @TempDir Path folder;

  @Test
  void theUserHasExactlyTheRightsThatAreUsed() throws IOException {
    Path acl = folder.resolve("users.acl");
    String file = Files.readString(FILE).replace("CHANGE-ME", PASSWORD);
    Files.writeString(acl, file + "user default on >admin ~* &* +@all\n");
    Certificates certificates =
        Certificates.in(Files.createDirectory(folder.resolve("tls")), "ip:127.0.0.1");
    int port = Ports.free();
    try (RedisProcess redis =
        new RedisProcess(port, folder, false)
            .with(certificates.redisOptions(port))
            .with("--aclfile", acl.toString())) {
      redis.start();
      try (Cluster cluster = cluster(certificates, port)) {
        use(cluster);
        Metrics metrics = Metrics.of(cluster.replica(1));
        assertThat(metrics.sum("lastmile_redis_errors_total", "cause=\"noperm\"")).isZero();
        assertThat(Files.readString(cluster.replica(1).log())).doesNotContain(PASSWORD);
      }
      assertRights(admin(port), certificates, file);
    }
  }

  private static Cluster cluster(Certificates certificates, int port) {
    return Cluster.builder()
        .redis(URI.create("rediss://127.0.0.1:" + port))
        .replicas(2)
        .environment("REDIS_URL", "")
        .with("spring.data.redis.host", "127.0.0.1")
        .with("spring.data.redis.port", port)
        .with("spring.data.redis.database", "1")
        .with("spring.data.redis.username", "lastmile")
        .with("spring.data.redis.password", PASSWORD)
        .with("spring.data.redis.ssl.bundle", "redis")
        .with(
            "spring.ssl.bundle.pem.redis.truststore.certificate",
            "file:" + certificates.authority())
        .with("lastmile.retention.after-final", "1s")
        .with("lastmile.retention.sweep-interval", "1s")
        .with("lastmile.overdue.after", "2s")
        .start();
  }

  /** Every kind of work, until each has been done. */
  private static void use(Cluster cluster) {
    LastmileProcess a = cluster.replica(1);
    LastmileProcess b = cluster.replica(2);
    Browser browser = Browser.at(a);
    Webhooks webhooks = new Webhooks(cluster.secret());
    try (SseClient stream = browser.stream(b)) {
      stream.awaitReady();
      String id = browser.create(a);
      stream.await("the operation", event -> event.data().contains(id));
      webhooks.outcome(a, id, Webhooks.running(1, 10));
      stream.await("version 2", event -> event.data().contains("\"version\":2"));
      browser.ack(a, id, 2, "live");
      browser.ask(a).get("/api/operations/" + id + "/timeline").then().statusCode(200);
      browser.get(a, id).then().statusCode(200);
      browser.list(a, "").then().statusCode(200);
      // Its streams end without being withdrawn: the other replica expires the delivery and reaps.
      b.kill();
      browser.create(a);
    }
    await("the delivery to expire")
        .atMost(Duration.ofSeconds(30))
        .until(() -> expired(a).contains("owner_gone"));
    await("the replica to be lost")
        .atMost(Duration.ofSeconds(30))
        .until(() -> Metrics.of(a).sum("lastmile_replicas_lost_total") == 1);
    browser
        .ask(a)
        .contentType("application/json")
        .header("Idempotency-Key", "once")
        .body("{\"kind\":\"export\",\"input\":{}}")
        .post("/api/operations")
        .then()
        .statusCode(201);
    Browser other = Browser.at(a);
    String ended = other.create(a);
    webhooks.outcome(a, ended, Webhooks.succeeded(1));
    await("the operation to be deleted")
        .atMost(Duration.ofSeconds(30))
        .until(() -> other.get(a, ended).statusCode() == 404);
  }

  private static String expired(LastmileProcess replica) {
    return RestAssured.get(replica.management().resolve("/actuator/deliveries")).asString();
  }

  /** No right is missing, and none is left over. */
  private static void assertRights(RedisURI admin, Certificates certificates, String file) {
    Set<String> granted = new TreeSet<>();
    Matcher rule = Pattern.compile(" \\+([a-z|]+)").matcher(file);
    while (rule.find()) {
      granted.add(rule.group(1));
    }
    Set<String> needed = new TreeSet<>(WITHOUT_SCRIPT);
    needed.addAll(IN_A_CLUSTER);
    Pattern call = Pattern.compile("redis\\.call\\('([A-Z]+)'");
    for (Script script : Script.values()) {
      Matcher called = call.matcher(script.source());
      while (called.find()) {
        needed.add(called.group(1).toLowerCase(Locale.ROOT));
      }
    }
    assertThat(granted).isEqualTo(needed);
    RedisClient client = RedisClient.create();
    client.setOptions(
        ClientOptions.builder()
            .sslOptions(
                SslOptions.builder().trustManager(certificates.authority().toFile()).build())
            .build());
    try (StatefulRedisConnection<String, String> connection =
        client.connect(StringCodec.UTF8, admin)) {
      String used = connection.sync().info("commandstats");
      assertThat(WITHOUT_SCRIPT).allMatch(command -> used.contains("cmdstat_" + command + ":"));
      assertThat(connection.sync().aclLog())
          .as("refused commands, without the optional CLIENT SETINFO of Lettuce")
          .allMatch(entry -> entry.get("object").toString().startsWith("client"));
    } finally {
      client.shutdown();
    }
  }

  private static RedisURI admin(int port) {
    return RedisURI.builder()
        .withHost("127.0.0.1")
        .withPort(port)
        .withSsl(true)
        .withPassword("admin".toCharArray())
        .build();
  }
}
