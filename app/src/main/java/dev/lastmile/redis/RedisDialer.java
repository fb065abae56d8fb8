package dev.lastmile.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.lettuce.core.resource.ClientResources;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.springframework.data.redis.connection.RedisClusterConfiguration;
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
 * <p>Each call resolves the name of the host, or asks the Sentinels, anew. Any thread. The caller
 * closes the connections, and then this.
 */
public final class RedisDialer implements AutoCloseable {
  private static final RedisCodec<String, byte[]> CODEC =
      RedisCodec.of(StringCodec.UTF8, ByteArrayCodec.INSTANCE);

  /**
   * Ends a link whose other end is gone within 8 s. On a link to a Sentinel nothing is sent that
   * would show it.
   */
  private static final SocketOptions.KeepAliveOptions KEEP_ALIVE =
      SocketOptions.KeepAliveOptions.builder()
          .enable()
          .idle(Duration.ofSeconds(5))
          .interval(Duration.ofSeconds(1))
          .count(3)
          .build();

  /** Stands for the only primary, whose address each attempt to connect finds anew. */
  public static final InetSocketAddress ANY_PRIMARY = InetSocketAddress.createUnresolved("*", 0);

  private final LettuceConnectionFactory factory;
  private final RedisProperties properties;
  private final RedisClient client;

  public RedisDialer(
      LettuceConnectionFactory factory, ClientResources resources, RedisProperties properties) {
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
                .keepAlive(KEEP_ALIVE)
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

  /**
   * The address of the primary, not resolved: the one that is configured, or the one that the
   * Sentinels name. Blocks while the Sentinels are asked.
   *
   * @throws RedisUnavailableException if no Sentinel names a primary within {@link
   *     RedisProperties#attemptLimit}
   */
  InetSocketAddress primary() {
    RedisSentinelConfiguration configured = factory.getSentinelConfiguration();
    if (configured == null) {
      return InetSocketAddress.createUnresolved(factory.getHostName(), factory.getPort());
    }
    return new PrimaryLookup(client, primaryName(), sentinels()).find(properties.attemptLimit());
  }

  /** Opens a connection for commands. Resolves the name, and does not wait otherwise. */
  CompletionStage<StatefulRedisConnection<String, byte[]>> connect(InetSocketAddress primary) {
    return client.connectAsync(CODEC, uri(primary));
  }

  /**
   * Opens a connection for subscriptions. Blocks while the Sentinels are asked.
   *
   * @param primary a primary of the cluster, or {@link #ANY_PRIMARY}
   * @throws RedisUnavailableException as {@link #primary}
   */
  public CompletionStage<StatefulRedisPubSubConnection<String, byte[]>> connectPubSub(
      InetSocketAddress primary) {
    return client.connectPubSubAsync(CODEC, uri(primary.equals(ANY_PRIMARY) ? primary() : primary));
  }

  /** Whether the partitions may have several primaries. */
  boolean isCluster() {
    return factory.isClusterAware();
  }

  /** The configured nodes of the cluster, not resolved; empty without a cluster. */
  List<InetSocketAddress> clusterNodes() {
    RedisClusterConfiguration cluster = factory.getClusterConfiguration();
    return cluster == null
        ? List.of()
        : StreamSupport.stream(cluster.getClusterNodes().spliterator(), false)
            .map(node ->
                InetSocketAddress.createUnresolved(node.getRequiredHost(), node.getRequiredPort()))
            .toList();
  }

  /** Opens a connection to a node of the cluster, to ask for the others. Does not wait. */
  CompletionStage<StatefulRedisConnection<String, String>> connectNode(InetSocketAddress node) {
    return client.connectAsync(StringCodec.UTF8, uri(node));
  }

  /** Opens a connection to a Sentinel, for subscriptions. Does not wait. */
  CompletionStage<StatefulRedisPubSubConnection<String, byte[]>> connectSentinel(
      RedisURI sentinel) {
    return client.connectPubSubAsync(CODEC, sentinel);
  }

  /** The Sentinels that name the primary; empty if the address of the primary is configured. */
  List<RedisURI> sentinels() {
    RedisSentinelConfiguration configured = factory.getSentinelConfiguration();
    return configured == null
        ? List.of()
        : configured.getSentinels().stream().map(node -> sentinel(configured, node)).toList();
  }

  /** The name of the primary for the Sentinels. */
  String primaryName() {
    RedisSentinelConfiguration sentinels = factory.getSentinelConfiguration();
    return sentinels == null ? "" : String.valueOf(sentinels.getRequiredMaster().getName());
  }

  /**
   * A part of the names of all Pub/Sub channels. Pub/Sub has no database numbers: a message reaches
   * the subscribers of every database of a server. So the default contains the number.
   */
  String pubsubName() {
    if (!properties.topic().isEmpty()) {
      return properties.topic();
    }
    return database() == 0 ? "" : Integer.toString(database());
  }

  private int database() {
    return factory.getDatabase();
  }

  /** A host and its port, for logs; {@code *} for {@link #ANY_PRIMARY}. */
  public static String text(InetSocketAddress address) {
    return address.equals(ANY_PRIMARY)
        ? address.getHostString()
        : address.getHostString() + ":" + address.getPort();
  }

  /** The address, or the Sentinels and the name of their primary, for logs: without secrets. */
  public String address() {
    if (isCluster()) {
      return clusterNodes().stream()
          .map(RedisDialer::text)
          .sorted()
          .collect(Collectors.joining(","));
    }
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

  private RedisURI uri(InetSocketAddress primary) {
    RedisURI uri = uri(primary.getHostString(), primary.getPort());
    uri.setDatabase(database());
    RedisClusterConfiguration cluster = factory.getClusterConfiguration();
    RedisSentinelConfiguration sentinels = factory.getSentinelConfiguration();
    if (cluster != null) {
      authenticate(uri, cluster.getUsername(), cluster.getPassword());
    } else if (sentinels == null) {
      RedisStandaloneConfiguration one = factory.getStandaloneConfiguration();
      authenticate(uri, one.getUsername(), one.getPassword());
    } else {
      authenticate(uri, sentinels.getUsername(), sentinels.getPassword());
    }
    return uri;
  }

  private RedisURI sentinel(RedisSentinelConfiguration configured, RedisNode node) {
    RedisURI uri = uri(node.getRequiredHost(), node.getRequiredPort());
    authenticate(uri, configured.getSentinelUsername(), configured.getSentinelPassword());
    return uri;
  }

  private RedisURI uri(String host, int port) {
    LettuceClientConfiguration configured = factory.getClientConfiguration();
    RedisURI uri = RedisURI.create(host, port);
    configured.getClientName().ifPresent(uri::setClientName);
    uri.setSsl(configured.isUseSsl());
    uri.setStartTls(configured.isStartTls());
    uri.setVerifyPeer(configured.getVerifyMode());
    uri.setTimeout(properties.handshakeTimeout());
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
