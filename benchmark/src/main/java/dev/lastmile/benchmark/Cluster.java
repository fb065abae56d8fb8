package dev.lastmile.benchmark;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Replicas of the service's jar and their Redis, as processes. */
final class Cluster implements AutoCloseable {
  private static final Path JAR = Path.of("app", "target", "lastmile.jar");
  private static final Path AGENT =
      Path.of("app", "target", "agent", "opentelemetry-javaagent.jar");
  private static final Path AGENT_CONFIGURATION = Path.of("otel-agent", "agent.yaml");
  private static final String MOST = "10000000";

  /** Limits on what one address or identity may do: here one machine is everybody. */
  private static final List<String> LIMITS =
      List.of(
          "--lastmile.stream.max-connections=1000000",
          "--lastmile.stream.max-connections-per-identity=1000000",
          "--lastmile.stream.max-connections-per-address=1000000",
          "--lastmile.rate.streams=" + MOST,
          "--lastmile.rate.creations=" + MOST,
          "--lastmile.rate.creations-per-address=" + MOST,
          "--lastmile.rate.acks=" + MOST,
          "--lastmile.rate.reads=" + MOST,
          "--server.jetty.max-connections=1000000",
          // The external system here says nothing by itself, and need not be asked.
          "--lastmile.overdue.after=1d");

  private final Bench bench;
  private final Path folder;
  private final List<InetSocketAddress> addresses = new ArrayList<>();
  private final List<InetSocketAddress> management = new ArrayList<>();
  private final List<String> settings = new ArrayList<>(LIMITS);
  private final Map<String, Launched> parts = new LinkedHashMap<>();
  private boolean agent;
  private Redis redis;

  /** Not started yet. */
  Cluster(Bench bench, int replicas) {
    this.bench = bench;
    this.folder = bench.folder("lastmile");
    for (int i = 0; i < replicas; i++) {
      addresses.add(Ports.free());
      management.add(Ports.free());
    }
  }

  /** A replica's name by its index: A, B, C, ... */
  static String name(int replica) {
    return Character.toString('A' + replica);
  }

  /** Replicas run with the OpenTelemetry agent, as the documentation starts it. */
  void addAgent() {
    agent = true;
  }

  /** A setting for all replicas. */
  void set(String property, String value) {
    settings.add("--" + property + "=" + value);
  }

  /**
   * Starts all and waits until each is ready.
   *
   * @param secret signs callbacks
   * @param key signs identities
   */
  void start(String secret, String key) {
    redis = new Redis(folder);
    parts.put("Redis", redis.process());
    for (int i = 0; i < addresses.size(); i++) {
      Map<String, String> environment = environment(i);
      environment.put("LASTMILE_WEBHOOK_SECRETS", secret);
      environment.put("LASTMILE_IDENTITY_KEY", key);
      parts.put(name(i), Launched.start(name(i), command(), environment, folder));
    }
    for (int i = 0; i < addresses.size(); i++) {
      Request readiness = Request.get(management.get(i), "/actuator/health/readiness", List.of());
      parts.get(name(i)).await(() -> bench.isOk(readiness));
    }
  }

  private List<String> command() {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(bench.options().jvm());
    if (agent) {
      command.add("-javaagent:" + AGENT);
      command.add("-Dotel.config.file=" + AGENT_CONFIGURATION);
      command.add("-Dotel.javaagent.logging=application");
    }
    command.addAll(List.of("-jar", JAR.toString()));
    command.addAll(settings);
    return command;
  }

  private Map<String, String> environment(int replica) {
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("SERVER_ADDRESS", "127.0.0.1");
    // As in compose.yaml: glibc would keep a pool of memory for each of many threads.
    environment.put("MALLOC_ARENA_MAX", "2");
    environment.put("SERVER_PORT", Integer.toString(addresses.get(replica).getPort()));
    environment.put("MANAGEMENT_SERVER_ADDRESS", "127.0.0.1");
    environment.put("MANAGEMENT_SERVER_PORT", Integer.toString(management.get(replica).getPort()));
    environment.put("LASTMILE_REPLICA", name(replica));
    environment.put("LASTMILE_EXTERNAL_URL", bench.outside().url());
    environment.put("REDIS_URL", redis.url());
    if (agent) {
      environment.put("OTEL_EXPORTER_OTLP_ENDPOINT", bench.outside().url());
      environment.put("LASTMILE_TRACE_RATIO", "0.01");
    }
    return environment;
  }

  int size() {
    return addresses.size();
  }

  /** Where a replica serves browsers and webhooks. */
  InetSocketAddress address(int replica) {
    return addresses.get(replica);
  }

  Redis redis() {
    return redis;
  }

  /** Redis and the replicas, by name. */
  Map<String, Launched> parts() {
    return parts;
  }

  /** Sum of all series of a metric, over the replicas that answer. */
  double metric(String name) {
    return management.stream()
        .map(at -> bench.text(Request.get(at, "/actuator/prometheus", List.of())))
        .flatMap(String::lines)
        .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  /** Objects alive in a replica's heap, after a full collection, in bytes. */
  long liveBytes(int replica) {
    String pid = Long.toString(parts.get(name(replica)).pid());
    String histogram = bench.output("jcmd", pid, "GC.class_histogram");
    return histogram
        .lines()
        .map(line -> line.trim().split("\\s+"))
        .filter(words -> words[0].equals("Total"))
        .mapToLong(words -> Long.parseLong(words[2]))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("jcmd told nothing: " + histogram));
  }

  @Override
  public void close() {
    parts.values().forEach(Launched::close);
  }
}
