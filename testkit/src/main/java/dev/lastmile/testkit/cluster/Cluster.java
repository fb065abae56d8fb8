package dev.lastmile.testkit.cluster;

import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.ClusterSet;
import dev.lastmile.testkit.redis.RedisServer;
import dev.lastmile.testkit.redis.SentinelSet;
import io.restassured.RestAssured;
import io.restassured.response.Response;
import io.restassured.specification.RequestSpecification;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.awaitility.Awaitility;

/**
 * A complete system on this machine: Redis, replicas and the simulated external system, each a
 * process of its own. It is used by the tests and the local cluster.
 */
public final class Cluster implements AutoCloseable {
  /** The main class of a replica: the demo's if it is on the class path. */
  static final String REPLICA =
      Cluster.class.getResource("/dev/lastmile/demo/DemoApplication.class") == null
          ? "dev.lastmile.Lastmile"
          : "dev.lastmile.demo.DemoApplication";

  private static Cluster shared;
  private static RuntimeException sharedFailure;

  private final RedisServer ownRedis;
  private final URI redis;
  private final SentinelSet sentinels;
  private final ClusterSet servers;
  private final List<LastmileProcess> replicas;
  private final LastmileProcess external;
  private final String secret;

  private Cluster(Builder builder) {
    // Every response is compared with the OpenAPI document that the replica serves.
    RestAssured.replaceFiltersWith(new Contract());
    ownRedis = builder.redis == null ? RedisServer.start() : null;
    redis = ownRedis == null ? builder.redis : ownRedis.uri();
    sentinels = builder.sentinels;
    servers = builder.servers;
    secret = secrets().split(",", 2)[0];
    Path logs = builder.logs();
    int externalPort = builder.fixedPorts ? 8090 : Ports.free();
    List<Integer> ports = new ArrayList<>();
    List<Integer> managementPorts = new ArrayList<>();
    for (int i = 1; i <= builder.replicas; i++) {
      ports.add(builder.fixedPorts ? 8080 + i : Ports.free());
      managementPorts.add(builder.fixedPorts ? 9080 + i : Ports.free());
    }
    Map<String, String> environment = new LinkedHashMap<>();
    // The management port must not be reachable from other machines.
    environment.put("MANAGEMENT_SERVER_ADDRESS", "127.0.0.1");
    // Without a load balancer and a scraper, a drain has nothing to wait for.
    environment.put("LASTMILE_DRAIN_BALANCER", "0s");
    environment.put("LASTMILE_DRAIN_SCRAPE", "0s");
    environment.put("REDIS_URL", redis.toString());
    environment.put("LASTMILE_FAN_OUT", builder.fanOut);
    environment.put("LASTMILE_WEBHOOK_SECRETS", secrets());
    environment.put("LASTMILE_IDENTITY_KEY", identityKey());
    environment.put("LASTMILE_JOBS_URL", "http://127.0.0.1:" + externalPort);
    environment.put(
        "LASTMILE_JOBS_CALLBACK_URLS",
        String.join(",", ports.stream().map(port -> "http://127.0.0.1:" + port).toList()));
    Map<String, String> shared = new LinkedHashMap<>();
    shared.put("SERVER_ADDRESS", "127.0.0.1");
    shared.put("LASTMILE_LOG_FORMAT", "text");
    if (builder.agent != null) {
      shared.put("OTEL_EXPORTER_OTLP_ENDPOINT", builder.agent.toString());
    }
    shared.putAll(builder.environment);
    environment.putAll(shared);
    replicas = new ArrayList<>();
    List<String> arguments = new ArrayList<>(builder.arguments);
    if (!builder.fixedPorts) {
      // Tests may share a Redis. A topic per cluster keeps their updates apart.
      arguments.add("--lastmile.redis.topic=lastmile:" + UUID.randomUUID());
    }
    for (int i = 0; i < builder.replicas; i++) {
      String name = "replica-" + (i + 1);
      List<String> own = new ArrayList<>(arguments);
      own.addAll(builder.replicaArguments.getOrDefault(i + 1, List.of()));
      replicas.add(
          new LastmileProcess(
              name,
              REPLICA,
              ports.get(i),
              managementPorts.get(i),
              logs.resolve(name + ".log"),
              builder.jvmArguments(),
              own,
              environment));
    }
    Map<String, String> externalEnvironment = new LinkedHashMap<>(shared);
    externalEnvironment.put("LASTMILE_WEBHOOK_SECRETS", secrets());
    externalEnvironment.put("OTEL_SERVICE_NAME", "external-system");
    external =
        new LastmileProcess(
            "external",
            "dev.lastmile.testkit.externalsystem.ExternalSystem",
            externalPort,
            externalPort,
            logs.resolve("external.log"),
            builder.agentArguments(),
            List.copyOf(builder.externalArguments),
            externalEnvironment);
  }

  /** The settings of a cluster. */
  public static final class Builder {
    private int replicas = 3;
    private String fanOut = "directed";
    private boolean fixedPorts;
    private URI redis;
    private SentinelSet sentinels;
    private ClusterSet servers;
    private URI agent;
    private Path logs;
    private final Map<String, String> environment = new LinkedHashMap<>();
    private final List<String> arguments = new ArrayList<>();
    private final List<String> jvmArguments = new ArrayList<>();
    private final List<String> externalArguments = new ArrayList<>();
    private final Map<Integer, List<String>> replicaArguments = new LinkedHashMap<>();

    public Builder replicas(int count) {
      replicas = count;
      return this;
    }

    /** {@code directed}, {@code broadcast} or {@code local-only}. */
    public Builder fanOut(String mode) {
      fanOut = mode;
      return this;
    }

    /**
     * Runs every process with the OpenTelemetry agent.
     *
     * @param collector endpoint for spans, OTLP over HTTP
     */
    public Builder agent(URI collector) {
      agent = collector;
      return this;
    }

    /** Sets an environment variable of all processes. */
    public Builder environment(String variable, String value) {
      environment.put(variable, value);
      return this;
    }

    /** Uses the documented ports instead of free ones. */
    public Builder fixedPorts() {
      fixedPorts = true;
      return this;
    }

    /** Uses a Redis that the caller has started and closes. */
    public Builder redis(URI uri) {
      redis = uri;
      return this;
    }

    /** Uses the primary that these Sentinels name; the caller closes them. */
    public Builder sentinels(SentinelSet set) {
      sentinels = set;
      set.settings().forEach(this::with);
      return redis(URI.create("redis://127.0.0.1:1")).environment("REDIS_URL", "");
    }

    /** Uses this Redis Cluster; the caller closes it. */
    public Builder servers(ClusterSet set) {
      servers = set;
      set.settings().forEach(this::with);
      return redis(URI.create("redis://127.0.0.1:1")).environment("REDIS_URL", "");
    }

    public Builder logs(Path folder) {
      logs = folder;
      return this;
    }

    /** Sets a property of all replicas. */
    public Builder with(String property, Object value) {
      arguments.add("--" + property + "=" + value);
      return this;
    }

    /** Sets a property of one replica, counted from 1. */
    public Builder withReplica(int replica, String property, Object value) {
      replicaArguments
          .computeIfAbsent(replica, _ -> new ArrayList<>())
          .add("--" + property + "=" + value);
      return this;
    }

    /** Sets a property of the external system. */
    public Builder withExternal(String property, Object value) {
      externalArguments.add("--" + property + "=" + value);
      return this;
    }

    public Builder jvm(String argument) {
      jvmArguments.add(argument);
      return this;
    }

    private List<String> jvmArguments() {
      List<String> all = new ArrayList<>(agentArguments());
      all.addAll(jvmArguments);
      return all;
    }

    private List<String> agentArguments() {
      return agent == null
          ? List.of()
          : List.of(
              "-javaagent:" + Path.of("target", "agent", "opentelemetry-javaagent.jar"),
              "-Dotel.config.file=" + Path.of("..", "otel-agent", "agent.yaml"),
              "-Dotel.javaagent.logging=application");
    }

    private Path logs() {
      try {
        Path folder = logs == null ? Path.of("target", "clusters", UUID.randomUUID() + "") : logs;
        return Files.createDirectories(folder);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** Starts all processes and waits until they are ready. */
    public Cluster start() {
      return start(_ -> {});
    }

    /**
     * As above.
     *
     * @param begun receives the cluster before its processes are started, so that it can be closed
     *     in any case
     */
    public Cluster start(Consumer<Cluster> begun) {
      Cluster cluster = new Cluster(this);
      begun.accept(cluster);
      try {
        cluster.startAll();
        return cluster;
      } catch (RuntimeException e) {
        cluster.close();
        throw e;
      }
    }
  }

  public static Builder builder() {
    return new Builder();
  }

  /** The cluster of three replicas for tests that break nothing. It ends with this process. */
  @SuppressWarnings("StaticAssignmentOfThrowable") // rethrown in every test that uses the cluster
  public static synchronized Cluster shared() {
    if (sharedFailure != null) {
      throw new IllegalStateException("the shared cluster did not start", sharedFailure);
    }
    if (shared == null) {
      try {
        // The rate: one test reconnects a thousand times in ten seconds with one identity.
        // The locale and the time zone: protocol texts must not depend on them.
        shared =
            builder()
                .with("lastmile.rate.streams", 2_000)
                .jvm("-Duser.language=ar")
                .jvm("-Duser.country=EG")
                .jvm("-Duser.timezone=Asia/Kathmandu")
                .start();
      } catch (RuntimeException e) {
        // Otherwise every test that uses the cluster would wait for the same failure.
        sharedFailure = e;
        throw e;
      }
      Runtime.getRuntime().addShutdownHook(new Thread(shared::close));
    }
    return shared;
  }

  private void startAll() {
    external.start();
    replicas.forEach(LastmileProcess::start);
    external.awaitReady();
    replicas.forEach(LastmileProcess::awaitReady);
  }

  /**
   * Switches the fan-out of all running demo replicas, and waits until each has switched.
   *
   * @param mode {@code directed}, if it is the configured one, {@code broadcast} or {@code
   *     local-only}
   */
  public void switchFanOut(String mode) {
    RequestSpecification first = RestAssured.given().baseUri(replica(1).uri().toString());
    for (String other : List.of("local-only", "broadcast")) {
      String fault = "/api/demo/faults/" + other;
      Response answer = mode.equals(other) ? first.put(fault) : first.delete(fault);
      answer.then().statusCode(200);
    }
    Awaitility.await("all replicas to be " + mode)
        .atMost(30, TimeUnit.SECONDS)
        .until(
            () ->
                RestAssured.get(replica(1).uri().resolve("/api/demo/account"))
                    .jsonPath()
                    .getList("replicas.coordination"),
            said -> said.size() == replicas.size() && said.stream().allMatch(mode::equals));
  }

  /** A replica, counted from 1. */
  public LastmileProcess replica(int number) {
    return replicas.get(number - 1);
  }

  public List<LastmileProcess> replicas() {
    return List.copyOf(replicas);
  }

  public LastmileProcess external() {
    return external;
  }

  /** The Redis; the present primary, if Sentinels name it. */
  public URI redis() {
    return sentinels == null ? redis : sentinels.primary().uri();
  }

  /** The Redis that has a key now. */
  public URI redis(String key) {
    return servers == null ? redis() : servers.primaryOf(key).uri();
  }

  public String redisDescription() {
    return ownRedis == null ? redis.toString() : ownRedis.description();
  }

  /** The secret that signs webhooks. */
  public String secret() {
    return secret;
  }

  @Override
  public void close() {
    // In parallel: closing takes as long as the slowest process.
    List<LastmileProcess> all = new ArrayList<>(replicas);
    all.add(external);
    all.parallelStream().forEach(LastmileProcess::close);
    if (ownRedis != null) {
      ownRedis.close();
    }
  }

  private static final String GENERATED_SECRET = "whsec_" + random(32);
  private static final String GENERATED_KEY = random(48);

  private static String secrets() {
    return environmentOr("LASTMILE_WEBHOOK_SECRETS", GENERATED_SECRET);
  }

  private static String identityKey() {
    return environmentOr("LASTMILE_IDENTITY_KEY", GENERATED_KEY);
  }

  private static String environmentOr(String name, String otherwise) {
    String value = System.getenv(name);
    return value == null || value.isBlank() ? otherwise : value;
  }

  private static String random(int bytes) {
    byte[] random = new byte[bytes];
    new SecureRandom().nextBytes(random);
    return Base64.getEncoder().encodeToString(random);
  }
}
