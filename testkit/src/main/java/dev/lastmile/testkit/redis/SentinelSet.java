package dev.lastmile.testkit.redis;

import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.process.Signals;
import dev.lastmile.testkit.process.Tool;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.sentinel.api.StatefulRedisSentinelConnection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/**
 * A primary with replicas, and three Sentinels that watch them; each is a process of this machine.
 * A primary that is gone for one second is replaced.
 */
public final class SentinelSet implements AutoCloseable {
  /** The name of the primary. */
  public static final String PRIMARY = "lastmile";

  private static final int SENTINELS = 3;
  private static final int QUORUM = 2;

  private final Path folder;
  private final Map<Integer, RedisProcess> servers;
  private final List<Integer> sentinelPorts = new ArrayList<>();
  private final List<Process> sentinels = new ArrayList<>();
  private final RedisClient client = RedisClient.create();

  private SentinelSet(Path folder, Map<Integer, RedisProcess> servers) {
    this.folder = folder;
    this.servers = servers;
  }

  /** Starts a primary with this number of replicas, and waits until the Sentinels know them all. */
  public static SentinelSet start(Path folder, int replicas) {
    List<Integer> ports = new ArrayList<>();
    for (int i = 0; i <= replicas; i++) {
      ports.add(Ports.free());
    }
    int first = ports.getFirst();
    Map<Integer, RedisProcess> servers =
        ports.stream().collect(Collectors.toMap(port -> port, port -> server(folder, port, first)));
    SentinelSet set = new SentinelSet(folder, servers);
    try {
      ports.forEach(port -> servers.get(port).start());
      for (int i = 0; i < SENTINELS; i++) {
        set.startSentinel(first);
      }
      set.awaitComplete(replicas);
      return set;
    } catch (RuntimeException e) {
      set.close();
      throw e;
    }
  }

  private static RedisProcess server(Path folder, int port, int primary) {
    RedisProcess server =
        new RedisProcess(port, created(folder.resolve("redis-" + port)), true)
            .with("--repl-diskless-sync-delay", "0", "--repl-timeout", "5");
    return port == primary ? server : server.with("--replicaof", "127.0.0.1", "" + primary);
  }

  private static Path created(Path folder) {
    try {
      return Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void startSentinel(int primary) {
    int port = Ports.free();
    Path own = created(folder.resolve("sentinel-" + port));
    Path configuration = own.resolve("sentinel.conf");
    try {
      Files.writeString(
          configuration,
          """
          port %1$d
          bind 127.0.0.1
          dir %2$s
          sentinel monitor %3$s 127.0.0.1 %4$d %5$d
          sentinel down-after-milliseconds %3$s 1000
          sentinel failover-timeout %3$s 4000
          """
              .formatted(port, own, PRIMARY, primary, QUORUM));
      sentinels.add(
          Tool.start(
              own.resolve("sentinel.log"),
              Path.of(servers.get(primary).program()),
              configuration.toString(),
              "--sentinel"));
      sentinelPorts.add(port);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void awaitComplete(int replicas) {
    Awaitility.await("the Sentinels to know all servers and each other")
        .atMost(30, TimeUnit.SECONDS)
        .ignoreExceptions()
        .until(() -> {
          for (int port : sentinelPorts) {
            try (StatefulRedisSentinelConnection<String, String> sentinel = connect(port)) {
              Map<String, String> known = sentinel.sync().master(PRIMARY);
              if (!known.get("num-slaves").equals("" + replicas)
                  || !known.get("num-other-sentinels").equals("" + (SENTINELS - 1))) {
                return false;
              }
            }
          }
          return true;
        });
  }

  private StatefulRedisSentinelConnection<String, String> connect(int port) {
    return client.connectSentinel(RedisURI.create("127.0.0.1", port));
  }

  /** The addresses of the Sentinels, separated by commas. */
  public String nodes() {
    return sentinelPorts.stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
  }

  /** Pauses a Sentinel ({@code STOP}) or lets it continue ({@code CONT}); 0 is the first. */
  public void signalSentinel(int index, String signal) {
    Signals.send(sentinels.get(index).pid(), signal);
  }

  /** A Sentinel forgets the primary, and is told that another server is the primary. */
  public void mislead(int index, RedisProcess primary) {
    try (StatefulRedisSentinelConnection<String, String> sentinel =
        connect(sentinelPorts.get(index))) {
      sentinel.sync().remove(PRIMARY);
      sentinel.sync().monitor(PRIMARY, primary.uri().getHost(), primary.uri().getPort(), QUORUM);
    }
  }

  /** The server that the first Sentinel names as the primary. */
  public RedisProcess primary() {
    try (StatefulRedisSentinelConnection<String, String> sentinel =
        connect(sentinelPorts.getFirst())) {
      InetSocketAddress address = (InetSocketAddress) sentinel.sync().getMasterAddrByName(PRIMARY);
      return servers.get(address.getPort());
    }
  }

  /** All servers but the primary. */
  public List<RedisProcess> replicas() {
    RedisProcess primary = primary();
    return servers.values().stream().filter(server -> !server.equals(primary)).toList();
  }

  /** Asks for a failover, and waits until another server is the primary. */
  public void failover() {
    RedisProcess before = primary();
    Awaitility.await("the Sentinels to agree to a failover")
        .atMost(30, TimeUnit.SECONDS)
        .pollInterval(Duration.ofMillis(500))
        .ignoreExceptions()
        .until(() -> {
          try (StatefulRedisSentinelConnection<String, String> sentinel =
              connect(sentinelPorts.getFirst())) {
            return sentinel.sync().failover(PRIMARY).equals("OK");
          }
        });
    awaitOtherThan(before);
  }

  /** Waits until another server than this one is the primary. */
  public void awaitOtherThan(RedisProcess before) {
    Awaitility.await("another primary")
        .atMost(30, TimeUnit.SECONDS)
        .ignoreExceptions()
        .until(() -> !primary().equals(before));
  }

  /** Waits until every server that runs, but the primary, replicates. */
  public void awaitReplicas() {
    Awaitility.await("the replicas to be connected")
        .atMost(30, TimeUnit.SECONDS)
        .ignoreExceptions()
        .until(() -> primary().info("replication").contains("connected_slaves:" + (running() - 1)));
  }

  private long running() {
    return servers.values().stream().filter(RedisProcess::isAlive).count();
  }

  /** Waits until every other server has what the primary has at the time of the call. */
  public void awaitReplicated() {
    long written = offsets(primary(), "master_repl_offset:").getFirst();
    Awaitility.await("the replicas to have received what was written")
        .atMost(30, TimeUnit.SECONDS)
        .ignoreExceptions()
        .until(() -> {
          List<Long> received = offsets(primary(), ",offset=");
          return received.size() == running() - 1
              && received.stream().allMatch(offset -> offset >= written);
        });
  }

  private static List<Long> offsets(RedisProcess server, String name) {
    return Pattern.compile(Pattern.quote(name) + "(\\d+)")
        .matcher(server.info("replication"))
        .results()
        .map(found -> Long.parseLong(found.group(1)))
        .toList();
  }

  @Override
  public void close() {
    sentinels.forEach(sentinel -> Tool.end(sentinel, Duration.ofSeconds(2)));
    servers.values().forEach(RedisProcess::close);
    client.shutdown();
  }
}
