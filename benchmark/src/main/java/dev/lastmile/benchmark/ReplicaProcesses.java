package dev.lastmile.benchmark;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Replicas of the service's jar and their Redis, or their Redis Cluster, as processes. */
final class ReplicaProcesses implements AutoCloseable {
  private static final Path AGENT =
      Path.of("app", "target", "agent", "opentelemetry-javaagent.jar");
  private static final Path AGENT_CONFIGURATION = Path.of("otel-agent", "agent.yaml");

  private final Bench bench;
  private final ServiceBuild build;
  private final Path folder;
  private final List<InetSocketAddress> addresses = new ArrayList<>();
  private final List<InetSocketAddress> management = new ArrayList<>();
  private final List<String> settings;
  private final List<String> jvm = new ArrayList<>();
  private final Map<String, Launched> parts = new LinkedHashMap<>();
  private boolean agent;
  private int primaries = 1;
  private Redis redis;

  /** Not started yet. */
  ReplicaProcesses(Bench bench, ServiceBuild build, int replicas) {
    this.bench = bench;
    this.build = build;
    this.settings = new ArrayList<>(build.arguments());
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

  /** A Redis Cluster with so many primaries, instead of one Redis. */
  void useCluster(int count) {
    primaries = count;
  }

  /** A further option of the replicas' JVMs. */
  void addJvm(String option) {
    jvm.add(option);
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
    startRedis();
    for (int i = 0; i < addresses.size(); i++) {
      Map<String, String> environment = environment(i, secret, key);
      parts.put(name(i), Launched.start(name(i), command(), environment, folder));
    }
    for (int i = 0; i < addresses.size(); i++) {
      Request readiness = Request.get(management.get(i), "/actuator/health/readiness", List.of());
      parts.get(name(i)).await(() -> bench.isOk(readiness));
    }
  }

  private void startRedis() {
    if (primaries == 1) {
      redis = new Redis(folder);
      parts.put(Usage.REDIS, redis.process());
      return;
    }
    RedisCluster cluster = new RedisCluster(folder, primaries);
    redis = cluster.primaries().getFirst();
    set("spring.data.redis.cluster.nodes", cluster.nodes());
    for (int i = 0; i < primaries; i++) {
      parts.put(Usage.REDIS + " " + (i + 1), cluster.primaries().get(i).process());
    }
  }

  private List<String> command() {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(bench.options().jvm());
    command.addAll(jvm);
    if (agent) {
      command.add("-javaagent:" + AGENT);
      command.add("-Dotel.config.file=" + AGENT_CONFIGURATION);
      command.add("-Dotel.javaagent.logging=application");
    }
    command.addAll(List.of("-jar", build.jar().toString()));
    command.addAll(settings);
    return command;
  }

  private Map<String, String> environment(int replica, String secret, String key) {
    Map<String, String> environment =
        build.environment(
            Map.of(
                "port", Integer.toString(addresses.get(replica).getPort()),
                "management-port", Integer.toString(management.get(replica).getPort()),
                "replica", name(replica),
                "external-url", bench.stubs().url(),
                "webhook-secret", secret,
                "identity-key", key,
                "redis-url", primaries == 1 ? redis.url() : ""));
    if (agent) {
      environment.put("OTEL_EXPORTER_OTLP_ENDPOINT", bench.stubs().url());
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

  /** The Redis, or the first primary of the cluster. */
  Redis redis() {
    return redis;
  }

  /** Redis and the replicas, by name. */
  Map<String, Launched> parts() {
    return parts;
  }

  /** Sum of all series of a metric, over the replicas that answer. */
  double metric(String name) {
    return metric(name, "");
  }

  /** Sum of the series of a metric that have a label, written as in the text format. */
  double metric(String name, String label) {
    return management.stream()
        .map(at -> bench.text(Request.get(at, "/actuator/prometheus", List.of())))
        .flatMap(String::lines)
        .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
        .filter(line -> line.contains(label))
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
        .orElseThrow(
            () -> new IllegalStateException("no total in the output of jcmd: " + histogram));
  }

  @Override
  public void close() {
    parts.values().forEach(Launched::close);
  }
}
