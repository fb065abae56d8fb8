package dev.lastmile.benchmark;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** A Redis Cluster of primaries without replicas, each with an equal range of the slots. */
final class RedisCluster {
  private static final int SLOTS = 16_384;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final List<Redis> primaries = new ArrayList<>();

  /** Starts them and waits until each knows the primary of every slot. */
  RedisCluster(Path folder, int count) {
    List<InetSocketAddress> buses = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      InetSocketAddress bus = Ports.free();
      buses.add(bus);
      primaries.add(
          new Redis(
              folder,
              "redis-" + i,
              List.of(
                  "--cluster-enabled",
                  "yes",
                  "--cluster-config-file",
                  "nodes-" + i + ".conf",
                  "--cluster-port",
                  Integer.toString(bus.getPort()))));
    }
    for (int i = 0; i < count; i++) {
      try (Resp resp = primaries.get(i).connect()) {
        int first = SLOTS * i / count;
        int last = SLOTS * (i + 1) / count - 1;
        resp.call("CLUSTER", "ADDSLOTSRANGE", Integer.toString(first), Integer.toString(last));
        resp.call(
            "CLUSTER",
            "MEET",
            "127.0.0.1",
            Integer.toString(primaries.getFirst().address().getPort()),
            Integer.toString(buses.getFirst().getPort()));
      }
    }
    if (!Ticker.await(PATIENCE, () -> primaries.stream().allMatch(RedisCluster::isComplete))) {
      throw new IllegalStateException("the cluster is not complete");
    }
  }

  private static boolean isComplete(Redis redis) {
    try (Resp resp = redis.connect()) {
      return String.valueOf(resp.call("CLUSTER", "INFO")).contains("cluster_state:ok");
    }
  }

  List<Redis> primaries() {
    return primaries;
  }

  /** The value of {@code spring.data.redis.cluster.nodes}. */
  String nodes() {
    return primaries.stream()
        .map(redis -> "127.0.0.1:" + redis.address().getPort())
        .collect(Collectors.joining(","));
  }
}
