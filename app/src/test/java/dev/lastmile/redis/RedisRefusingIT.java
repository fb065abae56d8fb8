package dev.lastmile.redis;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import io.lettuce.core.RedisClient;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A Redis that answers and refuses is named in a metric and in the log, and the replica works again
 * by itself when Redis does.
 */
class RedisRefusingIT {
  @TempDir private static Path folder;

  private static RedisProcess redis;
  private static Cluster cluster;
  private static LastmileProcess replica;
  private static RedisClient client;
  private static RedisCommands<String, String> commands;
  private static RedisAsyncCommands<String, String> others;

  private final Browser browser = Browser.at(replica);
  private SseClient stream;

  @BeforeAll
  static void start() {
    redis = new RedisProcess(Ports.free(), folder, false).with("--enable-protected-configs", "yes");
    redis.start();
    client = RedisClient.create(redis.uri().toString());
    StatefulRedisConnection<String, String> connection = client.connect();
    commands = connection.sync();
    others = client.connect().async();
    cluster = Cluster.builder().redis(redis.uri()).replicas(1).start();
    replica = cluster.replica(1);
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
    client.shutdown();
    redis.close();
  }

  @BeforeEach
  void open() {
    stream = browser.stream(replica);
    stream.awaitReady();
  }

  /** The replica works again, and the stream that was open all the time receives. */
  @AfterEach
  void worksAgain() {
    await("Redis to work")
        .atMost(Duration.ofSeconds(15))
        .until(() -> state("working") == 1 && up() == 1);
    String id = browser.create(replica);
    stream.await("the operation", event -> event.data().contains(id));
    stream.close();
  }

  private static double state(String state) {
    return Metrics.of(replica).sum("lastmile_redis_state", "state=\"" + state + "\"");
  }

  private static double up() {
    return Metrics.of(replica).sum("lastmile_redis_up");
  }

  private static double errors(String cause) {
    return Metrics.of(replica).sum("lastmile_redis_errors_total", "cause=\"" + cause + "\"");
  }

  private void assertNamed(String cause) throws IOException {
    await(cause)
        .untilAsserted(() -> {
          assertThat(state(cause)).isEqualTo(1);
          assertThat(up()).isZero();
          given()
              .baseUri(replica.management().toString())
              .get("/actuator/health")
              .then()
              .statusCode(200)
              .body("components.redis.details.state", equalTo(cause));
        });
    assertThat(errors(cause)).isPositive();
    assertThat(Files.readString(replica.log())).contains("redis_error cause=\"" + cause + "\"");
    assertCreationIsRefused();
    assertThat(replica.isReady()).as("no other replica could do better").isTrue();
    assertThat(stream.isEnded()).isFalse();
  }

  private void assertCreationIsRefused() {
    browser
        .ask(replica)
        .contentType("application/json")
        .body("{\"kind\":\"export\"}")
        .post("/api/operations")
        .then()
        .statusCode(503)
        .header("Retry-After", "1");
  }

  private void assertNamedWhile(String setting, String value, String usual, String cause)
      throws IOException {
    commands.configSet(setting, value);
    try {
      assertNamed(cause);
    } finally {
      commands.configSet(setting, usual);
    }
  }

  @Test
  void noMemory() throws IOException {
    assertNamedWhile("maxmemory", "1", "0", "oom");
  }

  @Test
  void aSnapshotThatCannotBeWritten() throws IOException {
    Path gone = Files.createTempDirectory("lastmile-gone");
    commands.configSet("dir", gone.toString());
    Files.delete(gone);
    commands.configSet("save", "3600 1");
    try {
      commands.bgsave();
      await().until(() -> commands.info("persistence").contains("rdb_last_bgsave_status:err"));
      assertNamed("misconf");
    } finally {
      commands.configSet("save", "");
      commands.configSet("dir", folder.toString());
    }
  }

  @Test
  void tooFewReplicas() throws IOException {
    assertNamedWhile("min-replicas-to-write", "1", "0", "noreplicas");
  }

  @Test
  void aPrimaryThatBecameAReplica() throws IOException {
    commands.replicaof("127.0.0.1", 1);
    try {
      assertNamed("readonly");
    } finally {
      commands.replicaofNoOne();
    }
  }

  @Test
  void aReplicaWithoutItsPrimary() throws IOException {
    double before = errors("masterdown");
    commands.configSet("replica-serve-stale-data", "no");
    commands.replicaof("127.0.0.1", 1);
    try {
      await().until(() -> errors("masterdown") > before);
      // The next connection finds out before any command is refused.
      assertNamed("readonly");
    } finally {
      commands.replicaofNoOne();
      commands.configSet("replica-serve-stale-data", "yes");
    }
  }

  @Test
  void aScriptThatDoesNotEnd() throws IOException {
    commands.configSet("busy-reply-threshold", "100");
    others.eval("while true do end", ScriptOutputType.INTEGER);
    try {
      assertNamed("busy");
    } finally {
      commands.scriptKill();
      // The script ends a moment after the answer.
      await().ignoreExceptions().until(() -> commands.ping().equals("PONG"));
      commands.configSet("busy-reply-threshold", "5000");
    }
  }

  @Test
  void aPasswordFromNowOn() throws IOException {
    commands.configSet("requirepass", "secret");
    try {
      killClients();
      assertNamed("noauth");
    } finally {
      commands.configSet("requirepass", "");
    }
  }

  private static void killClients() {
    commands.dispatch(
        CommandType.CLIENT,
        new IntegerOutput<>(StringCodec.UTF8),
        new CommandArgs<>(StringCodec.UTF8).add("KILL").add("TYPE").add("normal"));
  }

  @Test
  void aUserThatMayNotPublish_isCountedWhileTheLeaseIsStored() {
    double before = errors("noperm");
    acl("-spublish");
    try {
      assertCreationIsRefused();
      await().until(() -> errors("noperm") > before);
      assertThat(state("working")).isEqualTo(1);
    } finally {
      acl("+spublish");
    }
  }

  private static void acl(String rule) {
    commands.dispatch(
        CommandType.ACL,
        new StatusOutput<>(StringCodec.UTF8),
        new CommandArgs<>(StringCodec.UTF8).add("SETUSER").add("default").add(rule));
  }
}
