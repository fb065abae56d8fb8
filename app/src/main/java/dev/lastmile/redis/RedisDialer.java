package dev.lastmile.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.lettuce.core.resource.ClientResources;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.data.redis.connection.RedisNode;
import org.springframework.data.redis.connection.RedisPassword;
import org.springframework.data.redis.connection.RedisSentinelConfiguration;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceClientConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * Opens connections to the primary. Address, user, password, TLS and Sentinels are those of Spring
 * Boot's connection factory: {@code spring.data.redis.*}, or a {@code DataRedisConnectionDetails}.
 *
 * <p>Each call resolves the name of the host, or asks a Sentinel, anew. Any thread. The caller
 * closes the connections, and then this.
 */
public final class RedisDialer implements AutoCloseable {
  private static final RedisCodec<String, byte[]> CODEC =
      RedisCodec.of(StringCodec.UTF8, ByteArrayCodec.INSTANCE);

  private final LettuceConnectionFactory factory;
  private final RedisProperties properties;
  private final RedisClient client;

  /**
   * @throws IllegalStateException if the factory is for another topology than one primary or
   *     Sentinel
   */
  public RedisDialer(
      LettuceConnectionFactory factory, ClientResources resources, RedisProperties properties) {
    if (factory.isClusterAware()) {
      throw new IllegalStateException(
          "spring.data.redis.cluster is not supported yet; use one primary, or Sentinel");
    }
    this.factory = factory;
    this.properties = properties;
    this.client = RedisClient.create(resources);
    client.setOptions(options());
  }

  private ClientOptions options() {
    ClientOptions configured =
        factory.getClientConfiguration().getClientOptions().orElseGet(ClientOptions::create);
    return configured
        .mutate()
        .autoReconnect(false)
        .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
        .maintNotificationsConfig(MaintNotificationsConfig.disabled())
        .socketOptions(
            configured
                .getSocketOptions()
                .mutate()
                .connectTimeout(properties.connectTimeout())
                .build())
        .sslOptions(
            configured
                .getSslOptions()
                .mutate()
                .handshakeTimeout(properties.handshakeTimeout())
                .build())
        .timeoutOptions(TimeoutOptions.enabled(properties.timeout()))
        .build();
  }

  /** Opens a connection for commands. Does not wait. */
  CompletionStage<StatefulRedisConnection<String, byte[]>> connect() {
    return client.connectAsync(CODEC, uri());
  }

  /** Opens a connection for subscriptions. Does not wait. */
  public CompletionStage<StatefulRedisPubSubConnection<String, byte[]>> connectPubSub() {
    return client.connectPubSubAsync(CODEC, uri());
  }

  /** Opens a connection to a Sentinel, for subscriptions. Does not wait. */
  CompletionStage<StatefulRedisPubSubConnection<String, byte[]>> connectSentinel() {
    return client.connectPubSubAsync(CODEC, uri().getSentinels().getFirst());
  }

  /** Whether Sentinels name the primary. */
  boolean hasSentinels() {
    return factory.getSentinelConfiguration() != null;
  }

  /** The name of the primary for the Sentinels. */
  String primaryName() {
    RedisSentinelConfiguration sentinels = factory.getSentinelConfiguration();
    return sentinels == null ? "" : String.valueOf(sentinels.getRequiredMaster().getName());
  }

  /**
   * The Pub/Sub channel of all messages. Pub/Sub has no database numbers: a message reaches the
   * subscribers of every database of a server. So the default name contains the number.
   */
  public String topic() {
    if (!properties.topic().isEmpty()) {
      return properties.topic();
    }
    return database() == 0 ? "lastmile:updates" : "lastmile:" + database() + ":updates";
  }

  private int database() {
    return factory.getDatabase();
  }

  /** The address, or the Sentinels and the name of their primary, for logs: without secrets. */
  public String address() {
    RedisSentinelConfiguration sentinels = factory.getSentinelConfiguration();
    if (sentinels == null) {
      return factory.getHostName() + ":" + factory.getPort() + "/" + database();
    }
    String nodes =
        sentinels.getSentinels().stream()
            .map(RedisNode::asString)
            .sorted()
            .collect(Collectors.joining(","));
    return sentinels.getRequiredMaster().getName() + "@" + nodes + "/" + database();
  }

  private RedisURI uri() {
    RedisSentinelConfiguration sentinels = factory.getSentinelConfiguration();
    RedisURI uri =
        sentinels == null ? standalone(factory.getStandaloneConfiguration()) : primary(sentinels);
    uri.setDatabase(database());
    LettuceClientConfiguration configured = factory.getClientConfiguration();
    configured.getClientName().ifPresent(uri::setClientName);
    List<RedisURI> all = new ArrayList<>(uri.getSentinels());
    all.add(uri);
    for (RedisURI each : all) {
      each.setSsl(configured.isUseSsl());
      each.setStartTls(configured.isStartTls());
      each.setVerifyPeer(configured.getVerifyMode());
      each.setTimeout(properties.handshakeTimeout());
    }
    return uri;
  }

  private static RedisURI standalone(RedisStandaloneConfiguration configured) {
    RedisURI uri = new RedisURI();
    uri.setHost(configured.getHostName());
    uri.setPort(configured.getPort());
    authenticate(uri, configured.getUsername(), configured.getPassword());
    return uri;
  }

  /** The Sentinels in random order: one that has lost contact must not be asked first each time. */
  private static RedisURI primary(RedisSentinelConfiguration configured) {
    RedisURI uri = new RedisURI();
    uri.setSentinelMasterId(configured.getRequiredMaster().getName());
    authenticate(uri, configured.getUsername(), configured.getPassword());
    List<RedisNode> nodes = new ArrayList<>(configured.getSentinels());
    Collections.shuffle(nodes);
    for (RedisNode node : nodes) {
      RedisURI sentinel = new RedisURI();
      sentinel.setHost(node.getRequiredHost());
      sentinel.setPort(node.getRequiredPort());
      authenticate(sentinel, configured.getSentinelUsername(), configured.getSentinelPassword());
      uri.getSentinels().add(sentinel);
    }
    return uri;
  }

  private static void authenticate(
      RedisURI uri, @Nullable String username, RedisPassword password) {
    if (password.isPresent()) {
      char[] secret = password.get();
      if (username == null || username.isEmpty()) {
        uri.setAuthentication(secret);
      } else {
        uri.setAuthentication(username, secret);
      }
    }
  }

  @Override
  public void close() {
    client.shutdown();
  }
}
