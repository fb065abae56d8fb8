package dev.lastmile.redis;

import io.lettuce.core.RedisFuture;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/**
 * Asks the nodes of a Redis Cluster which of them is the primary of each partition. During a
 * failover some of them name the old primary. So the newest configuration of a {@linkplain
 * MajorityQuestion majority} counts.
 */
final class ClusterLookup {
  private final RedisDialer dialer;
  private final Duration limit;
  private final MajorityQuestion<InetSocketAddress, ClusterView> question =
      new MajorityQuestion<>(
          this::ask,
          (node, failure) ->
              new RedisUnavailableException(
                  "the node " + RedisDialer.text(node) + " failed", failure));

  /**
   * @param limit of one question
   */
  ClusterLookup(RedisDialer dialer, Duration limit) {
    this.dialer = dialer;
    this.limit = limit;
  }

  /**
   * The views of a majority of these nodes. Blocks for at most the limit.
   *
   * @throws RedisUnavailableException if no node answers within the limit
   */
  List<ClusterView> find(Collection<InetSocketAddress> nodes) {
    return question.ask(nodes, limit);
  }

  /**
   * Checks the layout at the primary that has its key. Blocks for at most the limit.
   *
   * @throws RedisUnavailableException if the layout is another one, or the primary does not answer
   */
  void checkLayout(InetSocketAddress owner) {
    try (StatefulRedisConnection<String, byte[]> connection = inTime(dialer.connect(owner))) {
      Layout.check(inTime(Layout.stored(connection.async())));
    } catch (CompletionException e) {
      throw new RedisUnavailableException(
          "the layout cannot be read at " + RedisDialer.text(owner), e);
    }
  }

  private ClusterView ask(InetSocketAddress node) {
    CompletionStage<StatefulRedisConnection<String, String>> dialled = dialer.connectNode(node);
    try (StatefulRedisConnection<String, String> connection =
        dialled.toCompletableFuture().join()) {
      RedisAsyncCommands<String, String> commands = connection.async();
      RedisFuture<String> info = commands.clusterInfo();
      RedisFuture<String> nodes = commands.clusterNodes();
      RedisFuture<List<Object>> slots = commands.clusterSlots();
      return ClusterView.parse(node, inTime(info), inTime(nodes), inTime(slots));
    }
  }

  private <T> T inTime(CompletionStage<T> stage) {
    return stage.toCompletableFuture().orTimeout(limit.toNanos(), TimeUnit.NANOSECONDS).join();
  }
}
