package dev.lastmile.testkit.redis;

import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.process.Signals;
import dev.lastmile.testkit.process.Tool;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import io.lettuce.core.AclSetuserArgs;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.sentinel.api.StatefulRedisSentinelConnection;
import io.lettuce.core.sentinel.api.sync.RedisSentinelCommands;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/**
 * A primary with replicas, and three Sentinels that watch them; each is a process of this machine.
 * A primary that is gone for one second is replaced.
 *
 * <p>Tests use the plain ports. With {@link ServerKind#secured}, the servers, the Sentinels and the
 * service use TLS among themselves, and the service logs in.
 */
public final class SentinelSet implements AutoCloseable {
  /** The name of the primary. */
  public static final String PRIMARY = "lastmile";

  private static final int SENTINELS = 3;
  private static final int QUORUM = 2;

  private final Path folder;
  private final ServerKind kind;

  /** By the port that the Sentinels name. */
  private final Map<Integer, RedisProcess> servers = new LinkedHashMap<>();

  private final List<Watcher> sentinels = new ArrayList<>();
  private final RedisClient client = RedisClient.create();

  /** A Sentinel: the port for tests, and the one for the service. */
  private record Watcher(int port, int servicePort, Process process) {}

  private SentinelSet(Path folder, ServerKind kind) {
    this.folder = folder;
    this.kind = kind;
  }

  /** As below, with Redis. */
  public static SentinelSet start(Path folder, int replicas) {
    return start(folder, replicas, ServerKind.redis());
  }

  /** Starts a primary with this number of replicas, and waits until the Sentinels know them all. */
  public static SentinelSet start(Path folder, int replicas, ServerKind kind) {
    SentinelSet set = new SentinelSet(folder, kind);
    try {
      for (int i = 0; i <= replicas; i++) {
        set.startServer();
      }
      for (int i = 0; i < SENTINELS; i++) {
        set.startSentinel();
      }
      set.awaitComplete(replicas);
      return set;
    } catch (RuntimeException e) {
      set.close();
      throw e;
    }
  }

  private int first() {
    return servers.keySet().iterator().next();
  }

  private void startServer() {
    int port = Ports.free();
    int named = kind.isSecured() ? Ports.free() : port;
    RedisProcess server =
        new RedisProcess(port, created(folder.resolve("redis-" + port)), true)
            .with("--repl-diskless-sync-delay", "0", "--repl-timeout", "5")
            .with("--enable-protected-configs", "local");
    kind.apply(server, named);
    if (!servers.isEmpty()) {
      server.with("--replicaof", "127.0.0.1", "" + first());
    }
    servers.put(named, server);
    server.start();
  }

  private static Path created(Path folder) {
    try {
      return Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void startSentinel() {
    int port = Ports.free();
    int servicePort = kind.isSecured() ? Ports.free() : port;
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
                  .formatted(port, own, PRIMARY, first(), QUORUM)
              + tls(servicePort));
      Process process =
          Tool.start(
              own.resolve("sentinel.log"),
              Path.of(servers.get(first()).program()),
              configuration.toString(),
              "--sentinel");
      sentinels.add(new Watcher(port, servicePort, process));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String tls(int port) {
    if (!kind.isSecured()) {
      return "";
    }
    return Pattern.compile("--(\\S+) (\\S+) ?")
        .matcher(String.join(" ", kind.certificates().alsoTls(port)))
        .replaceAll("$1 $2\n");
  }

  private void awaitComplete(int replicas) {
    Awaitility.await("the Sentinels to know all servers and each other")
        .atMost(30, TimeUnit.SECONDS)
        .ignoreExceptions()
        .until(() -> sentinels.stream().allMatch(sentinel -> knows(sentinel, replicas)));
  }

  private boolean knows(Watcher sentinel, int replicas) {
    Map<String, String> known = ask(sentinel, commands -> commands.master(PRIMARY));
    return known.get("num-slaves").equals("" + replicas)
        && known.get("num-other-sentinels").equals("" + (SENTINELS - 1));
  }

  private <T> T ask(Watcher sentinel, Function<RedisSentinelCommands<String, String>, T> question) {
    try (StatefulRedisSentinelConnection<String, String> connection =
        client.connectSentinel(RedisURI.create("127.0.0.1", sentinel.port()))) {
      return question.apply(connection.sync());
    }
  }

  /** The addresses of the Sentinels for the service, separated by commas. */
  public String nodes() {
    return sentinels.stream()
        .map(sentinel -> "127.0.0.1:" + sentinel.servicePort())
        .collect(Collectors.joining(","));
  }

  /** The settings with which the service connects. */
  public Map<String, Object> settings() {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("spring.data.redis.sentinel.master", PRIMARY);
    settings.put("spring.data.redis.sentinel.nodes", nodes());
    settings.putAll(kind.settings());
    return settings;
  }

  /** All Sentinels ask for a password from now on; nothing else can be asked of them here. */
  public void requirePassword(String password) {
    for (Watcher sentinel : sentinels) {
      RedisClient own = RedisClient.create(RedisURI.create("127.0.0.1", sentinel.port()));
      try (StatefulRedisConnection<String, String> connection = own.connect()) {
        connection
            .sync()
            .aclSetuser("default", AclSetuserArgs.Builder.resetpass().addPassword(password));
      } finally {
        own.shutdown();
      }
    }
  }

  /** The user as which the service logs in. */
  public String serviceUser() {
    return kind.user();
  }

  /** Pauses a Sentinel ({@code STOP}) or lets it continue ({@code CONT}); 0 is the first. */
  public void signalSentinel(int index, String signal) {
    Signals.send(sentinels.get(index).process().pid(), signal);
  }

  /**
   * Sets how long a primary may be gone before it is replaced, at each Sentinel once it has had a
   * reply within that time.
   */
  public void patience(Duration time) {
    for (Watcher sentinel : sentinels) {
      Awaitility.await("a Sentinel to reach the primary")
          .atMost(30, TimeUnit.SECONDS)
          .ignoreExceptions()
          .until(() -> sees(sentinel, time));
      ask(
          sentinel,
          commands -> commands.set(PRIMARY, "down-after-milliseconds", "" + time.toMillis()));
    }
  }

  /** Whether it has had a reply within half of this time. */
  private boolean sees(Watcher sentinel, Duration time) {
    Map<String, String> known = ask(sentinel, commands -> commands.master(PRIMARY));
    return known.get("flags").equals("master")
        && Long.parseLong(known.get("last-ok-ping-reply")) < time.toMillis() / 2;
  }

  /** A Sentinel forgets the primary, and is told that another server is the primary. */
  public void mislead(int index, RedisProcess primary) {
    ask(
        sentinels.get(index),
        commands -> {
          commands.remove(PRIMARY);
          return commands.monitor(PRIMARY, "127.0.0.1", primary.uri().getPort(), QUORUM);
        });
  }

  /** The server that the first Sentinel names as the primary. */
  public RedisProcess primary() {
    InetSocketAddress address =
        (InetSocketAddress)
            ask(sentinels.getFirst(), commands -> commands.getMasterAddrByName(PRIMARY));
    return servers.get(address.getPort());
  }

  /** All servers but the primary. */
  public List<RedisProcess> replicas() {
    RedisProcess primary = primary();
    return servers.values().stream().filter(server -> !server.equals(primary)).toList();
  }

  /**
   * Asks for a failover until another server is the primary. On a busy machine Sentinel may give
   * one up; while one goes on, it refuses another.
   */
  public void failover() {
    RedisProcess before = primary();
    Awaitility.await("a failover")
        .atMost(60, TimeUnit.SECONDS)
        .pollInterval(Duration.ofMillis(500))
        .ignoreExceptions()
        .until(() -> {
          boolean over = !primary().equals(before);
          if (!over) {
            ask(sentinels.getFirst(), commands -> commands.failover(PRIMARY));
          }
          return over;
        });
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
    sentinels.forEach(sentinel -> Tool.end(sentinel.process(), Duration.ofSeconds(2)));
    servers.values().forEach(RedisProcess::close);
    client.shutdown();
  }
}
