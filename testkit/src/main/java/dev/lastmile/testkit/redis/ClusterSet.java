package dev.lastmile.testkit.redis;

import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import io.lettuce.core.MigrateArgs;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.cluster.models.partitions.ClusterPartitionParser;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/**
 * A Redis Cluster of primaries with one replica each; each server is a process of this machine. A
 * primary that is gone for {@link #NODE_TIMEOUT} is replaced by its replica.
 *
 * <p>The servers tell clients another address than they use among themselves. A proxy listens
 * there, so the network between the service and a server can break alone. Tests use the plain
 * ports.
 *
 * @see <a href="https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/">Redis
 *     cluster specification</a>
 */
public final class ClusterSet implements AutoCloseable {
  private static final Duration NODE_TIMEOUT = Duration.ofMillis(1_500);
  private static final String SERVICE_HOST = "127.0.0.2";
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int KEYS_PER_CALL = 100;

  private final Path folder;
  private final ServerKind kind;

  /** By plain port, the primaries of the start first. */
  private final Map<Integer, Member> members = new LinkedHashMap<>();

  /**
   * A server.
   *
   * @param port the port for the service and for other servers
   * @param bus the port of the cluster bus
   * @param proxy between the service and the server
   */
  private record Member(RedisProcess server, int port, int bus, RedisProxy proxy) {}

  private ClusterSet(Path folder, ServerKind kind) {
    this.folder = folder;
    this.kind = kind;
  }

  /** Starts a cluster, and waits until each server knows all others. */
  public static ClusterSet start(Path folder, int primaries, ServerKind kind) {
    ClusterSet set = new ClusterSet(folder, kind);
    try {
      for (int i = 0; i < 2 * primaries; i++) {
        set.startServer();
      }
      set.join(primaries);
      return set;
    } catch (RuntimeException e) {
      set.close();
      throw e;
    }
  }

  private RedisProcess startServer() {
    int port = Ports.free();
    int named = kind.isSecured() ? Ports.free() : port;
    int bus = Ports.free();
    Path own = folder.resolve("redis-" + port);
    try {
      Files.createDirectories(own);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    RedisProcess server =
        new RedisProcess(port, own, true)
            .with("--cluster-enabled", "yes", "--cluster-port", "" + bus)
            .with("--cluster-node-timeout", "" + NODE_TIMEOUT.toMillis())
            .with("--cluster-announce-hostname", SERVICE_HOST)
            .with("--cluster-preferred-endpoint-type", "hostname")
            .with("--repl-diskless-sync-delay", "0", "--repl-timeout", "5");
    kind.apply(server, named);
    if (kind.isSecured()) {
      server.with("--tls-cluster", "yes");
    }
    members.put(port, new Member(server, named, bus, RedisProxy.opaque(SERVICE_HOST, named)));
    server.start();
    return server;
  }

  private void join(int primaries) {
    List<RedisProcess> all = servers();
    int slots = SlotHash.SLOT_COUNT;
    for (int i = 0; i < all.size(); i++) {
      RedisProcess server = all.get(i);
      long epoch = i + 1L;
      server.ask(commands -> commands.clusterSetConfigEpoch(epoch));
      if (i < primaries) {
        int[] own = IntStream.range(slots * i / primaries, slots * (i + 1) / primaries).toArray();
        server.ask(commands -> commands.clusterAddSlots(own));
      }
    }
    all.stream().skip(1).forEach(server -> meet(all.getFirst(), server));
    awaitKnown(all.size());
    for (int i = primaries; i < all.size(); i++) {
      String id = id(all.get(i - primaries));
      all.get(i).ask(commands -> commands.clusterReplicate(id));
    }
    awaitComplete();
  }

  private void meet(RedisProcess first, RedisProcess other) {
    Member member = member(other);
    cluster(first, "MEET", "127.0.0.1", "" + member.port(), "" + member.bus());
  }

  /** A subcommand of {@code CLUSTER} that Lettuce does not have. */
  private static void cluster(RedisProcess server, String... arguments) {
    server.ask(commands ->
        commands.dispatch(
            CommandType.CLUSTER,
            new StatusOutput<>(StringCodec.UTF8),
            new CommandArgs<>(StringCodec.UTF8).addValues(List.of(arguments))));
  }

  private Member member(RedisProcess server) {
    return Objects.requireNonNull(members.get(server.uri().getPort()));
  }

  private void awaitKnown(int count) {
    Awaitility.await("all servers to know each other")
        .atMost(PATIENCE)
        .until(() ->
            servers().stream()
                .allMatch(server -> info(server).contains("cluster_known_nodes:" + count)));
  }

  private static String info(RedisProcess server) {
    return server.ask(commands -> commands.clusterInfo());
  }

  /** Waits until every server that runs finds the cluster complete, and every replica is linked. */
  public void awaitComplete() {
    Awaitility.await("the cluster to be complete")
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(() -> servers().stream().filter(RedisProcess::isAlive).allMatch(ClusterSet::isWell));
  }

  private static boolean isWell(RedisProcess server) {
    String replication = server.info("replication");
    return info(server).contains("cluster_state:ok")
        && (replication.contains("role:master") || replication.contains("master_link_status:up"));
  }

  private static String id(RedisProcess server) {
    return server.ask(commands -> commands.clusterMyId());
  }

  /** The addresses for {@code spring.data.redis.cluster.nodes}. */
  public String nodes() {
    return members.values().stream()
        .map(member -> SERVICE_HOST + ":" + member.port())
        .collect(Collectors.joining(","));
  }

  /** The settings with which the service connects. */
  public Map<String, Object> settings() {
    Map<String, Object> settings = new LinkedHashMap<>(kind.settings());
    settings.put("spring.data.redis.cluster.nodes", nodes());
    return settings;
  }

  public List<RedisProcess> servers() {
    return members.values().stream().map(Member::server).toList();
  }

  /** The view of the first server that runs. */
  private List<RedisClusterNode> known() {
    RedisProcess alive = servers().stream().filter(RedisProcess::isAlive).findFirst().orElseThrow();
    return known(alive);
  }

  private static List<RedisClusterNode> known(RedisProcess server) {
    String nodes = server.ask(commands -> commands.clusterNodes());
    return new ArrayList<>(ClusterPartitionParser.parse(nodes));
  }

  private RedisProcess server(RedisClusterNode node) {
    return Objects.requireNonNull(members.get(node.getUri().getPort())).server();
  }

  /** The primary that has the slot of this key. */
  public RedisProcess primaryOf(String key) {
    int slot = SlotHash.getSlot(key);
    return known().stream()
        .filter(node -> node.hasSlot(slot))
        .map(this::server)
        .findFirst()
        .orElseThrow();
  }

  /** The replica of a primary. */
  public RedisProcess replicaOf(RedisProcess primary) {
    List<RedisClusterNode> known = known();
    String id =
        known.stream()
            .filter(node -> server(node).equals(primary))
            .map(RedisClusterNode::getNodeId)
            .findFirst()
            .orElseThrow();
    return known.stream()
        .filter(node -> id.equals(node.getSlaveOf()))
        .map(this::server)
        .findFirst()
        .orElseThrow();
  }

  /** A planned failover, which loses nothing: the replica of this primary takes over. */
  public void failover(RedisProcess primary) {
    RedisProcess replica = replicaOf(primary);
    replica.ask(commands -> commands.clusterFailover(false));
    awaitPrimary(replica);
  }

  /** Waits until a server has become a primary. */
  public void awaitPrimary(RedisProcess server) {
    Awaitility.await("the replica to take over")
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(() -> server.info("replication").contains("role:master"));
  }

  /** Starts another primary without slots. */
  public RedisProcess add() {
    RedisProcess first = servers().getFirst();
    RedisProcess added = startServer();
    meet(first, added);
    awaitKnown(members.size());
    // It refuses keys until it finds the cluster complete.
    awaitComplete();
    return added;
  }

  /** Stops a primary without slots, and lets all others forget it. */
  public void remove(RedisProcess server) {
    String id = id(server);
    Member removed = member(server);
    members.remove(server.uri().getPort());
    removed.proxy().close();
    server.stop();
    for (RedisProcess other : servers()) {
      other.ask(commands -> commands.clusterForget(id));
    }
    server.close();
  }

  /**
   * Moves a slot to another primary, key by key, as {@code redis-cli --cluster reshard} does.
   *
   * @param meanwhile runs after half of the keys
   */
  public void moveSlot(int slot, RedisProcess from, RedisProcess to, Runnable meanwhile) {
    String target = id(to);
    startMove(slot, from, to);
    moveKeys(slot, from, to, from.ask(commands -> commands.clusterCountKeysInSlot(slot)) / 2);
    meanwhile.run();
    moveKeys(slot, from, to, Long.MAX_VALUE);
    to.ask(commands -> commands.clusterSetSlotNode(slot, target));
    for (RedisProcess server : servers()) {
      if (server.isAlive() && server.info("replication").contains("role:master")) {
        server.ask(commands -> commands.clusterSetSlotNode(slot, target));
      }
    }
  }

  /** Starts to move a slot, and moves no key: {@link #endMove} ends it. */
  public void startMove(int slot, RedisProcess from, RedisProcess to) {
    String source = id(from);
    String target = id(to);
    to.ask(commands -> commands.clusterSetSlotImporting(slot, source));
    from.ask(commands -> commands.clusterSetSlotMigrating(slot, target));
  }

  /** Ends a move that has moved no key. */
  public void endMove(int slot, RedisProcess from, RedisProcess to) {
    from.ask(commands -> commands.clusterSetSlotStable(slot));
    to.ask(commands -> commands.clusterSetSlotStable(slot));
  }

  /**
   * Moves a slot to another primary as one step (Valkey 9). Returns after all servers know it.
   *
   * @see <a href="https://valkey.io/topics/atomic-slot-migration/">Atomic slot migration</a>
   */
  public void migrateSlot(int slot, RedisProcess from, RedisProcess to) {
    String slots = Integer.toString(slot);
    String target = id(to);
    cluster(from, "MIGRATESLOTS", "SLOTSRANGE", slots, slots, "NODE", target);
    Awaitility.await("the slot to arrive")
        .atMost(PATIENCE)
        .until(() ->
            servers().stream()
                .flatMap(server -> known(server).stream())
                .filter(node -> node.hasSlot(slot))
                .allMatch(node -> node.getNodeId().equals(target)));
  }

  private void moveKeys(int slot, RedisProcess from, RedisProcess to, long most) {
    long moved = 0;
    while (moved < most) {
      int count = (int) Math.min(KEYS_PER_CALL, most - moved);
      List<String> keys = from.ask(commands -> commands.clusterGetKeysInSlot(slot, count));
      if (keys.isEmpty()) {
        return;
      }
      from.ask(commands ->
          commands.migrate(
              "127.0.0.1",
              member(to).port(),
              0,
              TimeUnit.SECONDS.toMillis(5),
              MigrateArgs.Builder.keys(keys)));
      moved += keys.size();
    }
  }

  /**
   * Swallows everything between the service and a server. The other servers still reach it, so
   * there is no failover.
   *
   * @param meanwhile runs before the network works again
   */
  public void blackhole(RedisProcess server, Runnable meanwhile) {
    RedisProxy proxy = member(server).proxy();
    proxy.blackhole();
    try {
      meanwhile.run();
    } finally {
      proxy.pass();
    }
  }

  /** Replaces the certificate of all servers; without TLS it does nothing. */
  public void replaceCertificate() {
    if (kind.isSecured()) {
      kind.certificates().renew();
      String file = kind.certificates().certificate().toString();
      servers().forEach(server -> server.configure("tls-cert-file", file));
    }
  }

  @Override
  public void close() {
    for (Member member : members.values()) {
      member.server().close();
      member.proxy().close();
    }
  }
}
