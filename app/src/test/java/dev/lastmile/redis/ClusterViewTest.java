package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.updates.Partition;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ClusterViewTest {
  private static final InetSocketAddress ASKED =
      InetSocketAddress.createUnresolved("10.0.0.1", 6379);
  private static final Partition FIRST = Partition.ALL.getFirst();
  private static final Partition LAST = Partition.ALL.getLast();

  private static final String NODES =
      """
      aaaa 10.0.0.1:6379@16379 myself,master - 0 0 1 connected 0-8191
      bbbb 10.0.0.2:6379@16379,redis-2 master - 0 0 %d connected 8192-16383
      cccc 10.0.0.3:6379@16379 slave bbbb 0 0 %<d connected
      """;

  /** A range as in CLUSTER SLOTS: first, last, then host, port and id of each node. */
  private static List<Object> range(long first, long last, @Nullable Object... nodes) {
    List<Object> range = new ArrayList<>(List.of(first, last));
    for (int i = 0; i < nodes.length; i += 2) {
      range.add(new ArrayList<>(Arrays.asList(nodes[i], 6379L, nodes[i + 1], List.of())));
    }
    return range;
  }

  private static ClusterView view(String state, long epoch, @Nullable String second) {
    return ClusterView.parse(
        ASKED,
        "cluster_state:" + state + "\r\ncluster_slots_assigned:16384\r\n",
        NODES.formatted(epoch),
        List.of(
            range(0, 8191, "10.0.0.1", "aaaa"),
            range(8192, 16383, second, "bbbb", "10.0.0.3", "cccc")));
  }

  private static InetSocketAddress at(String host) {
    return InetSocketAddress.createUnresolved(host, 6379);
  }

  @Test
  void eachPartitionHasThePrimaryOfItsSlot_atTheAddressForClients() {
    ClusterView view = view("ok", 2, "redis-2");
    assertThat(view.isOk()).isTrue();
    assertThat(view.owners()).hasSize(Partition.COUNT);
    assertThat(view.owners().get(FIRST)).isEqualTo(new ClusterView.Owner(at("10.0.0.1"), 1));
    assertThat(view.owners().get(LAST)).isEqualTo(new ClusterView.Owner(at("redis-2"), 2));
    assertThat(view.nodes()).isEqualTo(Set.of(at("10.0.0.1"), at("redis-2"), at("10.0.0.3")));
  }

  @Test
  void aNodeWithoutAnAddressHasTheOneThatWasAsked() {
    assertThat(view("ok", 2, null).owners().get(LAST).address()).isEqualTo(ASKED);
    assertThat(view("ok", 2, "").owners().get(LAST).address()).isEqualTo(ASKED);
  }

  @Test
  void aNodeWhoseNameIsNotKnownHasTheAddressOfItsMetadata_orNone() {
    assertThat(view("ok", 2, "?").owners()).doesNotContainKey(LAST).containsKey(FIRST);
    Object named = List.of("?", 6379L, "bbbb", List.of("ip", "10.0.0.2"));
    ClusterView view =
        ClusterView.parse(
            ASKED, "cluster_state:ok", NODES.formatted(2), List.of(List.of(8192L, 16383L, named)));
    assertThat(view.owners().get(LAST).address()).isEqualTo(at("10.0.0.2"));
  }

  @Test
  void ofSeveralViewsTheHighestEpochCounts_ofNodesThatFindTheClusterComplete() {
    Map<Partition, InetSocketAddress> primaries =
        ClusterView.newest(
            List.of(view("ok", 5, "new"), view("ok", 2, "old"), view("fail", 7, "cut-off")));
    assertThat(primaries).containsEntry(LAST, at("new")).containsEntry(FIRST, at("10.0.0.1"));
    assertThat(ClusterView.newest(List.of(view("fail", 7, "cut-off")))).isEmpty();
  }
}
