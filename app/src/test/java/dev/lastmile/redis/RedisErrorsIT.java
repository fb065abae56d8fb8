package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.Certificates;
import dev.lastmile.testkit.redis.RedisProxy;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.testkit.redis.SentinelSet;
import dev.lastmile.updates.Partition;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * Why a replica does not reach a real Redis is named from the first attempt on, without secrets.
 */
class RedisErrorsIT {
  private static final String SECRET = "s#cr:t/@?";

  @TempDir Path folder;

  private final int port = Ports.free();
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final List<AutoCloseable> opened = new ArrayList<>();
  private TestConnection test;

  @AfterEach
  void stop() throws Exception {
    logger().detachAppender(log);
    for (AutoCloseable each : opened.reversed()) {
      each.close();
    }
  }

  private static Logger logger() {
    return (Logger) LoggerFactory.getLogger(RedisErrors.class);
  }

  private RedisProcess redis(String... options) {
    RedisProcess redis = new RedisProcess(port, folder, false).with(options);
    redis.start();
    opened.add(redis);
    return redis;
  }

  private void connect(String... settings) {
    List<String> all = new ArrayList<>(List.of(settings));
    if (all.stream().noneMatch(setting -> setting.startsWith("spring.data.redis.host"))) {
      all.add("spring.data.redis.host=127.0.0.1");
    }
    all.add("spring.data.redis.port=" + port);
    test = new TestConnection(all);
    startConnecting();
  }

  private void startConnecting() {
    opened.add(test);
    // After Spring Boot has set up the logs.
    log.start();
    logger().addAppender(log);
    test.connection().start();
  }

  private void assertNamed(RedisErrorCause cause) {
    await("the first log event").until(() -> !log.list.isEmpty());
    ILoggingEvent first = log.list.getFirst();
    assertThat(first.getLevel()).isEqualTo(Level.WARN);
    assertThat(first.getMessage()).isEqualTo("redis_error");
    assertThat(first.getKeyValuePairs().toString())
        .contains("cause=\"" + cause.wireName() + "\"")
        .doesNotContain(SECRET);
    // The state changes after the log event is written.
    await("the state").until(() -> test.errors.state().equals(cause.wireName()));
    assertThat(test.errors.isWorking()).isFalse();
    assertThat(test.connection().isConnected()).isFalse();
  }

  @Test
  void noPassword() {
    redis("--requirepass", SECRET);
    connect();
    assertNamed(RedisErrorCause.NOAUTH);
  }

  @Test
  void aWrongPassword() {
    redis("--requirepass", "another");
    connect("spring.data.redis.password=" + SECRET);
    assertNamed(RedisErrorCause.WRONGPASS);
  }

  @Test
  void anUnknownHost() {
    connect("spring.data.redis.host=redis.invalid");
    assertNamed(RedisErrorCause.UNKNOWN_HOST);
  }

  @Test
  void nothingListens() {
    connect();
    assertNamed(RedisErrorCause.REFUSED);
  }

  @Test
  void tlsToAPortWithoutIt() {
    redis();
    connect("spring.data.redis.ssl.enabled=true", "lastmile.redis.handshake-timeout=500ms");
    assertNamed(RedisErrorCause.TLS);
  }

  @Test
  void anUnknownAuthority() throws Exception {
    redis(Certificates.in(certificates(), "ip:127.0.0.1").redisOptions(port));
    connect("spring.data.redis.ssl.enabled=true");
    assertNamed(RedisErrorCause.TLS);
  }

  @Test
  void aCertificateForAnotherHost() throws Exception {
    Certificates certificates = Certificates.in(certificates(), "dns:another.example");
    redis(certificates.redisOptions(port));
    connect(trusting(certificates));
    assertNamed(RedisErrorCause.TLS);
  }

  @Test
  void noTlsToAPortWithIt() throws Exception {
    redis(Certificates.in(certificates(), "ip:127.0.0.1").redisOptions(port));
    connect();
    assertNamed(RedisErrorCause.DISCONNECTED);
  }

  @Test
  void aPrivateAuthorityThatIsTrusted() throws Exception {
    Certificates certificates = Certificates.in(certificates(), "ip:127.0.0.1");
    redis(certificates.redisOptions(port));
    connect(trusting(certificates));
    await().until(test.connection()::isConnected);
    assertThat(log.list).isEmpty();
  }

  @Test
  void tooManyClients() {
    redis("--maxclients", "1");
    RedisClient client = RedisClient.create("redis://127.0.0.1:" + port);
    opened.add(client::shutdown);
    try (StatefulRedisConnection<String, String> taken = client.connect()) {
      assertThat(taken.isOpen()).isTrue();
      connect();
      assertNamed(RedisErrorCause.MAXCLIENTS);
    }
  }

  @Test
  void aUserWithoutCommands() {
    redis("--user", "app", "on", ">" + SECRET, "~*", "&*", "+info");
    connect("spring.data.redis.username=app", "spring.data.redis.password=" + SECRET);
    assertNamed(RedisErrorCause.NOPERM);
  }

  @Test
  void aReplica() {
    redis("--replicaof", "127.0.0.1", "1");
    connect();
    assertNamed(RedisErrorCause.READONLY);
  }

  @Test
  void aServerThatStillReadsItsData() {
    RedisProcess redis = redis();
    RedisClient client = RedisClient.create("redis://127.0.0.1:" + port);
    opened.add(client::shutdown);
    try (StatefulRedisConnection<String, String> filling = client.connect()) {
      for (int i = 0; i < 2_000; i++) {
        filling.sync().set("k" + i, "v".repeat(2_000));
      }
      filling.sync().configSet("rdbcompression", "no");
      filling.sync().save();
    }
    redis.stop();
    // Each key takes 10 ms, and commands are answered between them: a key is longer than 1 KB.
    redis.with("--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024");
    redis.start();
    connect();
    assertNamed(RedisErrorCause.LOADING);
  }

  @Test
  void aNameThatNoSentinelKnows() {
    SentinelSet sentinels = SentinelSet.start(folder, 1);
    opened.add(sentinels);
    test =
        new TestConnection(
            List.of(
                "spring.data.redis.sentinel.master=another",
                "spring.data.redis.sentinel.nodes=" + sentinels.nodes()));
    startConnecting();
    assertNamed(RedisErrorCause.NO_PRIMARY);
  }

  /** One of the Sentinels is down, which says less than the answers of the others. */
  @Test
  void sentinelsThatWantAPassword() {
    SentinelSet sentinels = SentinelSet.start(folder, 1);
    opened.add(sentinels);
    sentinels.requirePassword("another");
    test =
        new TestConnection(
            List.of(
                "spring.data.redis.sentinel.master=" + SentinelSet.PRIMARY,
                "spring.data.redis.sentinel.nodes=127.0.0.1:1," + sentinels.nodes()));
    startConnecting();
    assertNamed(RedisErrorCause.NOAUTH);
    assertThat(log.list.getFirst().getKeyValuePairs().toString()).contains("step=\"sentinel\"");
    assertThat(test.connection().sentinels(false)).isEqualTo(4);
  }

  @Test
  void eachCauseOfASentinelIsLoggedOnce() {
    test =
        new TestConnection(
            List.of(
                "spring.data.redis.sentinel.master=" + SentinelSet.PRIMARY,
                "spring.data.redis.sentinel.nodes=127.0.0.1:" + port));
    ListAppender<ILoggingEvent> said = new ListAppender<>();
    said.start();
    Logger monitor = (Logger) LoggerFactory.getLogger(SentinelMonitor.class);
    monitor.addAppender(said);
    opened.add(() -> monitor.detachAppender(said));
    startConnecting();
    await("the first cause").until(() -> !said.list.isEmpty());
    redis("--requirepass", SECRET);
    await("the second cause").until(() -> said.list.size() == 2);
    await("more attempts").until(() -> test.errorCount(RedisErrorCause.NOAUTH) > 10);
    assertThat(said.list)
        .extracting(event -> event.getKeyValuePairs().get(1).toString())
        .containsExactly("cause=\"refused\"", "cause=\"noauth\"");
  }

  @Test
  void noAnswer() {
    RedisProcess redis = redis();
    redis.signal("STOP");
    connect("lastmile.redis.handshake-timeout=300ms");
    assertNamed(RedisErrorCause.TIMEOUT);
  }

  @Test
  void aLongWayIsNoFault() {
    RedisProcess redis = redis();
    RedisProxy proxy = RedisProxy.to(redis.uri());
    opened.add(proxy);
    proxy.delay(Duration.ofMillis(300));
    test = new TestConnection(proxy.uri());
    startConnecting();
    await().atMost(Duration.ofSeconds(30)).until(test.connection()::isConnected);
    assertThat(log.list).isEmpty();
  }

  @Test
  void thePrimaryBecomesAReplica_andTheConnectionIsGivenUpUntilThereIsAPrimary() {
    RedisProcess redis = redis();
    connect();
    await().until(test.connection()::isConnected);
    RedisClient client = RedisClient.create(redis.uri().toString());
    opened.add(client::shutdown);
    try (StatefulRedisConnection<String, String> other = client.connect()) {
      other.sync().replicaof("127.0.0.1", 1);
      assertThat(
              test.connection()
                  .startCall(Partition.ALL.getFirst(), c -> c.set("key", new byte[] {1})))
          .failsWithin(Duration.ofSeconds(5));
      await().until(() -> test.errors.state().equals(RedisErrorCause.READONLY.wireName()));
      assertThat(test.connection().isConnected()).isFalse();
      other.sync().replicaofNoOne();
      await().until(test.connection()::isConnected);
    }
  }

  @Test
  void theSameErrorIsLoggedOnceInTenSeconds_andCounted() {
    connect();
    assertNamed(RedisErrorCause.REFUSED);
    await().until(() -> test.errorCount(RedisErrorCause.REFUSED) > 10);
    assertThat(log.list).hasSize(1);
  }

  private Path certificates() throws Exception {
    return Files.createDirectory(folder.resolve("certificates"));
  }

  private static String[] trusting(Certificates certificates) {
    return new String[] {
      "spring.data.redis.ssl.bundle=redis",
      "spring.ssl.bundle.pem.redis.truststore.certificate=file:" + certificates.authority()
    };
  }
}
