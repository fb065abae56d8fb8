package dev.lastmile.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lastmile.testkit.redis.RedisProxy;
import dev.lastmile.testkit.redis.RedisServer;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.protocol.ProtocolVersion;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each way in which the proxy breaks the network, seen by a client and by Redis. */
class RedisProxyIT {
  private static RedisServer redis;

  private final String topic = "proxy:" + UUID.randomUUID();
  private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
  private RedisProxy proxy;
  private RedisClient through;
  private RedisClient around;
  private StatefulRedisConnection<String, String> direct;

  @BeforeAll
  static void startRedis() {
    redis = RedisServer.start();
  }

  @AfterAll
  static void stopRedis() {
    redis.close();
  }

  @BeforeEach
  void open() {
    proxy = RedisProxy.to(redis.uri());
    through = client(proxy.uri().toString(), ProtocolVersion.RESP3);
    around = client(redis.uri().toString(), ProtocolVersion.RESP3);
    direct = around.connect();
  }

  @AfterEach
  void close() {
    through.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    around.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    proxy.close();
  }

  private static RedisClient client(String uri, ProtocolVersion protocol) {
    RedisURI address = RedisURI.create(uri);
    address.setTimeout(Duration.ofSeconds(1));
    RedisClient client = RedisClient.create(address);
    client.setOptions(
        ClientOptions.builder().autoReconnect(false).protocolVersion(protocol).build());
    return client;
  }

  private StatefulRedisPubSubConnection<String, String> subscribe(RedisClient client) {
    StatefulRedisPubSubConnection<String, String> connection = client.connectPubSub();
    connection.addListener(
        new RedisPubSubAdapter<>() {
          @Override
          public void message(String channel, String message) {
            heard.add(message);
          }
        });
    connection.sync().subscribe(topic);
    return connection;
  }

  private String next() throws InterruptedException {
    return heard.poll(5, TimeUnit.SECONDS);
  }

  private long subscribers() {
    return direct.sync().pubsubNumsub(topic).get(topic);
  }

  @Test
  void passForwardsCommandsAndMessagesOfAnySize() throws Exception {
    String big = "big ".repeat(100_000);
    StatefulRedisConnection<String, String> connection = through.connect();
    connection.sync().hset(topic, Map.of("a", big, "b", "\r\n>3\r\n$7\r\nmessage\r\n"));
    assertThat(connection.sync().hgetall(topic))
        .isEqualTo(direct.sync().hgetall(topic))
        .containsEntry("a", big);
    assertThat(connection.sync().get(topic + ":none")).isNull();
    direct.sync().del(topic);
    subscribe(through);
    direct.sync().publish(topic, "one");
    direct.sync().publish(topic, big);
    assertThat(next()).isEqualTo("one");
    assertThat(next()).isEqualTo(big);
    assertThat(proxy.swallowed()).isZero();
  }

  @Test
  void cutClosesConnectionsAndEachNewOneUntilPass() {
    StatefulRedisConnection<String, String> connection = through.connect();
    subscribe(through);
    proxy.cut();
    Awaitility.await("the end").until(() -> !connection.isOpen());
    Awaitility.await("Redis to see it").until(() -> subscribers() == 0);
    assertThatThrownBy(() -> through.connect()).hasMessageContaining("Unable to connect");
    proxy.pass();
    assertThat(through.connect().sync().ping()).isEqualTo("PONG");
  }

  @Test
  void blackholeKeepsConnectionsAndSwallowsAll_passClosesThem() throws Exception {
    StatefulRedisConnection<String, String> connection = through.connect();
    StatefulRedisPubSubConnection<String, String> subscription = subscribe(through);
    proxy.blackhole();
    assertThatThrownBy(() -> connection.async().set(topic, "x").get(300, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);
    assertThat(direct.sync().publish(topic, "unheard")).as("Redis believes it").isEqualTo(1);
    try (Socket fresh = new Socket("127.0.0.1", proxy.uri().getPort())) {
      fresh.setSoTimeout(300);
      fresh.getOutputStream().write("PING\r\n".getBytes(US_ASCII));
      assertThatThrownBy(() -> fresh.getInputStream().read())
          .as("accepted, unanswered")
          .isInstanceOf(SocketTimeoutException.class);
      assertThat(connection.isOpen()).isTrue();
      assertThat(subscription.isOpen()).isTrue();

      proxy.pass();
      fresh.setSoTimeout(5_000);
      assertThatThrownBy(() -> fresh.getInputStream().read()).isInstanceOf(IOException.class);
    }
    Awaitility.await("the end").until(() -> !connection.isOpen() && !subscription.isOpen());
    Awaitility.await("Redis to see it").until(() -> subscribers() == 0);
    assertThat(direct.sync().get(topic)).as("what was written is lost").isNull();
    subscribe(through);
    direct.sync().publish(topic, "heard");
    assertThat(next()).isEqualTo("heard");
  }

  @Test
  void theEndOfAConnectionDoesNotGetThroughABlackHole() {
    StatefulRedisPubSubConnection<String, String> subscription = subscribe(through);
    proxy.blackhole();
    subscription.close();
    Awaitility.await()
        .during(Duration.ofMillis(300))
        .atMost(Duration.ofSeconds(2))
        .until(() -> subscribers() == 1);
    proxy.cut();
    Awaitility.await("Redis to see it").until(() -> subscribers() == 0);
  }

  @ParameterizedTest
  @EnumSource
  void deafenSwallowsMessagesAndNothingElse(ProtocolVersion protocol) throws Exception {
    RedisClient client = client(proxy.uri().toString(), protocol);
    try {
      StatefulRedisConnection<String, String> connection = client.connect();
      StatefulRedisPubSubConnection<String, String> subscription = subscribe(client);
      direct.sync().publish(topic, "before");
      assertThat(next()).isEqualTo("before");

      proxy.discard();
      for (int i = 0; i < 100; i++) {
        assertThat(direct.sync().publish(topic, "during ".repeat(i * i))).isEqualTo(1);
      }
      assertThat(subscription.sync().ping()).as("RESP2 answers a list").isIn("PONG", "");
      subscription.sync().subscribe(topic + ":other");
      // Looks like a message of RESP2, and is a reply.
      connection.sync().rpush(topic + ":list", "message", topic, "text");
      assertThat(connection.sync().lrange(topic + ":list", 0, -1)).hasSize(3);
      connection.sync().del(topic + ":list");
      Awaitility.await("all to be swallowed").until(() -> proxy.swallowed() == 100);
      assertThat(heard).isEmpty();

      proxy.pass();
      direct.sync().publish(topic, "after");
      assertThat(next()).as("on the same subscription").isEqualTo("after");
      assertThat(subscription.isOpen() && connection.isOpen()).isTrue();
    } finally {
      client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    }
  }
}
