package dev.lastmile.redis;

import dev.lastmile.updates.Partition;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.cluster.models.partitions.ClusterPartitionParser;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import java.net.InetSocketAddress;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What one node of a Redis Cluster reports about all of them.
 *
 * @param isOk whether the node finds the cluster complete; a node that is cut off from most
 *     primaries does not
 * @param owners the primary of each partition that has one
 * @param nodes the addresses of all nodes, not resolved
 * @param layoutOwner the primary that has the key of the {@link Layout}
 * @see <a href="https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/">Redis
 *     cluster specification: configuration epochs</a>
 */
record ClusterView(
    boolean isOk,
    Map<Partition, Owner> owners,
    Set<InetSocketAddress> nodes,
    @Nullable Owner layoutOwner) {
  private static final String COMPLETE = "cluster_state:ok";

  /**
   * A primary.
   *
   * @param epoch its configuration epoch: of several owners of a slot, the highest one is right
   */
  record Owner(InetSocketAddress address, long epoch) {}

  /**
   * Reads the replies of a node.
   *
   * @param asked the address of the node; those nodes have it that report none of their own
   * @param info {@code CLUSTER INFO}
   * @param nodes {@code CLUSTER NODES}, which has the epochs
   * @param slots {@code CLUSTER SLOTS}, which has the addresses as clients shall use them
   */
  static ClusterView parse(InetSocketAddress asked, String info, String nodes, List<?> slots) {
    Map<String, InetSocketAddress> addresses = addresses(asked, slots);
    Map<Partition, Owner> owners = new HashMap<>();
    Owner layoutOwner = null;
    for (RedisClusterNode node : ClusterPartitionParser.parse(nodes)) {
      InetSocketAddress address = addresses.get(node.getNodeId());
      for (Partition partition : Partition.ALL) {
        if (address != null && node.hasSlot(SlotHash.getSlot(partition.tag()))) {
          owners.put(partition, new Owner(address, node.getConfigEpoch()));
        }
      }
      if (address != null && node.hasSlot(SlotHash.getSlot(Layout.KEY))) {
        layoutOwner = new Owner(address, node.getConfigEpoch());
      }
    }
    return new ClusterView(
        info.lines().anyMatch(line -> line.strip().equals(COMPLETE)),
        Map.copyOf(owners),
        Set.copyOf(addresses.values()),
        layoutOwner);
  }

  /** By the id of the node. */
  private static Map<String, InetSocketAddress> addresses(InetSocketAddress asked, List<?> slots) {
    Map<String, InetSocketAddress> addresses = new HashMap<>();
    for (Object range : slots) {
      List<?> parts = (List<?>) range;
      for (Object each : parts.subList(2, parts.size())) {
        List<?> node = (List<?>) each;
        String host = host(node, asked);
        if (!host.isEmpty()) {
          addresses.put(
              String.valueOf(node.get(2)),
              InetSocketAddress.createUnresolved(host, Math.toIntExact((Long) node.get(1))));
        }
      }
    }
    return addresses;
  }

  /**
   * The host of a node. A node that names none has the one that was asked. {@code ?} is a name that
   * is not known: then the address in the metadata counts, or none.
   *
   * @see <a href="https://redis.io/docs/latest/commands/cluster-slots/">CLUSTER SLOTS</a>
   */
  private static String host(List<?> node, InetSocketAddress asked) {
    Object reported = node.getFirst();
    String host = reported == null ? "" : reported.toString();
    if (host.isEmpty()) {
      return asked.getHostString();
    }
    if (!host.equals("?")) {
      return host;
    }
    List<?> metadata = node.size() > 3 && node.get(3) instanceof List<?> pairs ? pairs : List.of();
    int ip = metadata.indexOf("ip");
    return ip < 0 || ip + 1 >= metadata.size() ? "" : String.valueOf(metadata.get(ip + 1));
  }

  /** The newest owner of each partition, by the views of nodes that find the cluster complete. */
  static Map<Partition, InetSocketAddress> newest(Collection<ClusterView> views) {
    Map<Partition, Owner> newest = new HashMap<>();
    for (ClusterView view : views) {
      if (view.isOk()) {
        view.owners()
            .forEach((partition, owner) ->
                newest.merge(
                    partition, owner, (one, other) -> other.epoch() > one.epoch() ? other : one));
      }
    }
    Map<Partition, InetSocketAddress> primaries = new HashMap<>();
    newest.forEach((partition, owner) -> primaries.put(partition, owner.address()));
    return primaries;
  }

  /** The newest owner of the layout, by the views of nodes that find the cluster complete. */
  static Optional<InetSocketAddress> layoutOwner(Collection<ClusterView> views) {
    return views.stream()
        .filter(ClusterView::isOk)
        .map(ClusterView::layoutOwner)
        .filter(Objects::nonNull)
        .max(Comparator.comparingLong(Owner::epoch))
        .map(Owner::address);
  }

  /** All nodes that any of these nodes knows. */
  static Set<InetSocketAddress> nodes(Collection<ClusterView> views) {
    return views.stream()
        .flatMap(view -> view.nodes().stream())
        .collect(Collectors.toUnmodifiableSet());
  }
}
