package dev.lastmile.redis;

import dev.lastmile.updates.Partition;
import io.lettuce.core.api.StatefulRedisConnection;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The primaries of a Redis Cluster, and the partitions that each of them has now.
 *
 * <p>{@link ClusterWatch} asks the nodes at an interval, and at once after a reply or an ended
 * connection that hints at a change. A primary gets a connection as long as it has a partition.
 * Where no node is sure, for example before a failover, everything stays as it is.
 */
final class ClusterPrimaries implements Primaries {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterPrimaries.class);

  private final PrimaryConnection.Shared shared;
  private final RedisConnection.Connected onConnected;
  private final Runnable onAsked;
  private final ClusterWatch watch;

  /** Changed by one thread at a time. */
  private volatile Assignment assignment = new Assignment(Map.of(), Map.of());

  /**
   * The partitions and their primaries.
   *
   * @param owners the primary of each partition that has one
   * @param connections the connection to each of these primaries
   */
  private record Assignment(
      Map<Partition, InetSocketAddress> owners,
      Map<InetSocketAddress, PrimaryConnection> connections) {}

  /**
   * @param onConnected runs on a virtual thread
   * @param onAsked runs after each question that was answered; must not block
   */
  ClusterPrimaries(
      PrimaryConnection.Shared shared, RedisConnection.Connected onConnected, Runnable onAsked) {
    this.shared = shared;
    this.onConnected = onConnected;
    this.onAsked = onAsked;
    this.watch = new ClusterWatch(shared, new Answers());
  }

  @Override
  public void start() {
    watch.start();
  }

  @Override
  public @Nullable PrimaryConnection of(Partition partition) {
    Assignment now = assignment;
    InetSocketAddress owner = now.owners().get(partition);
    return owner == null ? null : now.connections().get(owner);
  }

  @Override
  public Collection<PrimaryConnection> all() {
    return assignment.connections().values();
  }

  @Override
  public Map<InetSocketAddress, Set<Partition>> assigned() {
    Map<InetSocketAddress, Set<Partition>> assigned = new HashMap<>();
    assignment
        .owners()
        .forEach((partition, owner) ->
            assigned.computeIfAbsent(owner, _ -> new HashSet<>()).add(partition));
    return assigned;
  }

  @Override
  public void doubted() {
    watch.doubted();
  }

  private final class Answers implements ClusterWatch.Listener {
    @Override
    public boolean answered(Map<Partition, InetSocketAddress> newest) {
      boolean changed = assign(newest);
      listen();
      int missing = Partition.COUNT - assignment.owners().size();
      if (missing > 0) {
        throw new RedisUnavailableException(
            RedisErrorCause.CLUSTERDOWN, missing + " partitions have no primary");
      }
      return changed;
    }

    @Override
    public void failed(RedisUnavailableException failure) {
      if (assignment.owners().isEmpty()) {
        shared.errors().reportConnect(failure);
      } else {
        shared.errors().report("cluster", failure);
      }
    }
  }

  private void listen() {
    try {
      onAsked.run();
    } catch (RuntimeException e) {
      // The answer itself was taken.
      LOG.atError().setCause(e).log("redis_listener_failed");
    }
  }

  /** Returns whether something has changed. Only {@link ClusterWatch} calls it. */
  private boolean assign(Map<Partition, InetSocketAddress> newest) {
    Assignment before = assignment;
    Map<Partition, InetSocketAddress> next = new HashMap<>(before.owners());
    next.putAll(newest);
    if (next.equals(before.owners())) {
      return false;
    }
    Map<InetSocketAddress, PrimaryConnection> open = new HashMap<>();
    List<PrimaryConnection> fresh = new ArrayList<>();
    for (InetSocketAddress primary : Set.copyOf(next.values())) {
      PrimaryConnection existing = before.connections().get(primary);
      PrimaryConnection connection =
          existing == null ? new PrimaryConnection(shared, new Node(primary)) : existing;
      open.put(primary, connection);
      if (existing == null) {
        fresh.add(connection);
      }
    }
    List<PrimaryConnection> over = new ArrayList<>(before.connections().values());
    over.removeAll(open.values());
    assignment = new Assignment(Map.copyOf(next), Map.copyOf(open));
    next.forEach((partition, primary) -> {
      InetSocketAddress old = before.owners().get(partition);
      if (!primary.equals(old)) {
        LOG.atInfo()
            .addKeyValue("partition", partition.index())
            .addKeyValue("from", old == null ? "" : RedisDialer.text(old))
            .addKeyValue("to", RedisDialer.text(primary))
            .log("partition_primary");
      }
    });
    fresh.forEach(PrimaryConnection::start);
    over.forEach(PrimaryConnection::retire);
    return true;
  }

  /** A primary as its connection sees it. */
  private final class Node implements PrimaryConnection.Owner {
    private final InetSocketAddress node;

    private Node(InetSocketAddress node) {
      this.node = node;
    }

    @Override
    public CompletionStage<StatefulRedisConnection<String, byte[]>> dial() {
      return shared.dialer().connect(node);
    }

    @Override
    public String address() {
      return RedisDialer.text(node);
    }

    @Override
    public Collection<Partition> partitions() {
      return assigned().getOrDefault(node, Set.of());
    }

    @Override
    public boolean connected(boolean again) {
      onConnected.connected(partitions(), again);
      return true;
    }

    @Override
    public void doubted() {
      ClusterPrimaries.this.doubted();
    }
  }

  @Override
  public void close() {
    watch.close();
    assignment.connections().values().forEach(PrimaryConnection::close);
  }
}
