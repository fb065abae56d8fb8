package dev.lastmile.testkit.redis;

import com.redis.testcontainers.RedisContainer;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.process.Signals;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.ContainerFetchException;
import org.testcontainers.utility.DockerImageName;
import redis.embedded.RedisExecProvider;

/**
 * A real Redis for tests. The first of these that is available is used: {@code REDIS_URL}; a
 * container, if a Docker engine is running and has or can pull the image; {@code redis-server} on
 * the PATH; the binary of embedded-redis.
 *
 * <p>A {@link RedisProcess} can also be killed, paused and restarted, for tests of faults. It has
 * no persistence unless it was requested.
 */
public final class RedisServer implements AutoCloseable {
  private static final String IMAGE = "redis:8.4";
  private static final ContainerFailure FAILURE =
      new ContainerFailure(Path.of("target", "no-redis-container"), Clock.systemUTC());

  private final URI uri;
  private final String description;
  private final AutoCloseable owned;

  private RedisServer(URI uri, String description, AutoCloseable owned) {
    this.uri = uri;
    this.description = description;
    this.owned = owned;
  }

  /** Starts or finds a Redis and prints which one. The caller closes it. */
  public static RedisServer start() {
    RedisServer server = find();
    System.out.println("Redis: " + server.description() + " at " + server.uri());
    return server;
  }

  private static RedisServer find() {
    String url = System.getenv("REDIS_URL");
    if (url != null && !url.isBlank()) {
      return new RedisServer(URI.create(url), "REDIS_URL", () -> {});
    }
    RedisContainer container = container();
    if (container != null) {
      return new RedisServer(URI.create(container.getRedisURI()), "container " + IMAGE, container);
    }
    Path folder = temporary();
    RedisProcess process = new RedisProcess(Ports.free(), folder, false);
    process.start();
    return new RedisServer(
        process.uri(), process.program() + " (keeps nothing when it stops)", process);
  }

  private static Path temporary() {
    try {
      return Files.createTempDirectory("lastmile-redis");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A started Redis container; null, with the reason printed, if there can be none. */
  public static RedisContainer container() {
    if (System.getenv("DOCKER_HOST") == null && !new File("/var/run/docker.sock").exists()) {
      return null;
    }
    Optional<String> failure = FAILURE.remembered();
    if (failure.isPresent()) {
      System.err.println(
          "no Redis container (" + failure.get() + "; delete target/no-redis-container to retry)");
      return null;
    }
    try {
      if (!DockerClientFactory.instance().isDockerAvailable()) {
        return null;
      }
      RedisContainer container =
          new RedisContainer(DockerImageName.parse(IMAGE).asCompatibleSubstituteFor("redis"))
              .withStartupTimeout(Duration.ofSeconds(60));
      container.start();
      return container;
    } catch (RuntimeException e) {
      Throwable cause = rootCause(e);
      System.err.println("no Redis container (" + cause.getMessage() + "): looking further");
      if (cause instanceof ContainerFetchException) {
        FAILURE.remember(cause.getMessage());
      }
      return null;
    }
  }

  private static Throwable rootCause(Throwable e) {
    return e.getCause() == null ? e : rootCause(e.getCause());
  }

  public URI uri() {
    return uri;
  }

  /** A description of the Redis for logs. */
  public String description() {
    return description;
  }

  @Override
  public void close() {
    try {
      owned.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** A {@code redis-server} process that tests can kill, pause and restart. */
  public static final class RedisProcess implements AutoCloseable {
    private final int port;
    private final Path folder;
    private final boolean appendOnly;
    private final List<String> options = new ArrayList<>();
    private boolean clustered;
    private String program;
    private Process process;

    /**
     * @param appendOnly whether every write survives a kill ({@code appendfsync always})
     */
    public RedisProcess(int port, Path folder, boolean appendOnly) {
      this.port = port;
      this.folder = folder;
      this.appendOnly = appendOnly;
      this.program = findProgram();
    }

    /** Makes it a node of Redis Cluster that serves all slots, from its next start on. */
    public RedisProcess clustered() {
      clustered = true;
      return this;
    }

    /** Runs another program than {@code redis-server}, from its next start on. */
    public RedisProcess of(Path other) {
      program = other.toString();
      return this;
    }

    /** Sets options of the configuration, from its next start on: {@code "--port", "6379"}. */
    public RedisProcess with(String... more) {
      options.addAll(List.of(more));
      return this;
    }

    private static String findProgram() {
      for (String entry : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
        File candidate = new File(entry, "redis-server");
        if (candidate.canExecute()) {
          return candidate.getPath();
        }
      }
      try {
        return RedisExecProvider.defaultProvider().get().getPath();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    public URI uri() {
      return URI.create("redis://127.0.0.1:" + port);
    }

    public String program() {
      return program;
    }

    /** The folder of its data and its log. */
    public Path folder() {
      return folder;
    }

    /**
     * Starts the process.
     *
     * @param more options for this start only; they come last
     */
    public void start(String... more) {
      List<String> command =
          new ArrayList<>(
              List.of(program, "--port", "" + port, "--bind", "127.0.0.1", "--save", ""));
      command.addAll(List.of("--dir", folder.toString(), "--daemonize", "no"));
      if (appendOnly) {
        command.addAll(List.of("--appendonly", "yes", "--appendfsync", "always"));
      }
      if (clustered) {
        // The default port of the cluster bus, 10 000 higher, may be in use.
        command.addAll(List.of("--cluster-enabled", "yes", "--cluster-port", "" + Ports.free()));
      }
      command.addAll(options);
      command.addAll(List.of(more));
      try {
        process =
            new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(
                    ProcessBuilder.Redirect.appendTo(folder.resolve("redis.log").toFile()))
                .start();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      Awaitility.await("Redis on port " + port)
          .atMost(20, TimeUnit.SECONDS)
          .pollInterval(20, TimeUnit.MILLISECONDS)
          .until(this::accepts);
      if (clustered) {
        takeAllSlots();
      }
    }

    /** Changes a setting of the running process. */
    public void configure(String parameter, String value) {
      ask(commands -> commands.configSet(parameter, value));
    }

    /** A section of what the running process reports about itself. */
    public String info(String section) {
      return ask(commands -> commands.info(section));
    }

    /** Runs commands on a connection of its own. */
    public <T> T ask(Function<RedisCommands<String, String>, T> question) {
      RedisClient client = RedisClient.create(uri().toString());
      try (StatefulRedisConnection<String, String> connection = client.connect()) {
        return question.apply(connection.sync());
      } finally {
        client.shutdown();
      }
    }

    private void takeAllSlots() {
      ask(commands -> commands.clusterAddSlots(IntStream.range(0, 16_384).toArray()));
      Awaitility.await("the cluster to be up")
          .until(() -> ask(RedisCommands::clusterInfo).contains("cluster_state:ok"));
    }

    private boolean accepts() {
      try (Socket socket = new Socket()) {
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 500);
        return true;
      } catch (IOException e) {
        return false;
      }
    }

    /** Kills the process (SIGKILL), as a crash does. */
    public void kill() {
      process.destroyForcibly();
      await();
    }

    /**
     * Stops the process in order (SIGTERM). Redis refuses to end while it writes its first
     * append-only file, so it is asked again.
     */
    public void stop() {
      Awaitility.await("the server to stop")
          .until(() -> {
            process.destroy();
            return process.waitFor(1, TimeUnit.SECONDS);
          });
    }

    public boolean isAlive() {
      return process.isAlive();
    }

    /** Pauses the process ({@code STOP}) or lets it continue ({@code CONT}). */
    public void signal(String signal) {
      Signals.send(process.pid(), signal);
    }

    /** Cuts the end of the append-only file off, as a crash of the machine does. */
    public void cutAppendOnlyFile(int bytes) {
      try (Stream<Path> files = Files.list(folder.resolve("appendonlydir"));
          FileChannel file =
              FileChannel.open(
                  files
                      .filter(path -> path.toString().endsWith(".incr.aof"))
                      .max(Comparator.comparingInt(RedisProcess::number))
                      .orElseThrow(),
                  StandardOpenOption.WRITE)) {
        file.truncate(Math.max(0, file.size() - bytes));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** appendonly.aof.NUMBER.incr.aof. */
    private static int number(Path file) {
      return Integer.parseInt(file.getFileName().toString().split("\\.", -1)[2]);
    }

    /** Deletes the append-only file of a process that has ended. */
    public void deleteData() {
      try (Stream<Path> files = Files.list(folder.resolve("appendonlydir"))) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private void await() {
      try {
        process.waitFor();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void close() {
      if (process != null) {
        process.destroyForcibly();
        await();
      }
    }
  }
}
