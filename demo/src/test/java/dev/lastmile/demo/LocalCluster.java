package dev.lastmile.demo;

import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.process.Ports;
import java.net.URI;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/**
 * The local cluster: Redis, the simulated external system and three replicas on the documented
 * ports, until Ctrl-C.
 *
 * <p>Where {@code OTEL_EXPORTER_OTLP_ENDPOINT} names a Collector, the processes run with the
 * OpenTelemetry agent and send it their spans.
 *
 * <p>Run by {@code ./mvnw -pl demo -am spring-boot:test-run}.
 */
public final class LocalCluster {
  private LocalCluster() {}

  /**
   * Starts it and stays. Arguments of the form {@code --lastmile.name=value} go to the replicas.
   *
   * @param args settings; {@code --replicas=1} and {@code --fan-out=local-only} choose the mode
   */
  public static void main(String[] args) throws InterruptedException {
    long started = System.nanoTime();
    Cluster.Builder builder =
        Cluster.builder()
            .fixedPorts()
            .logs(Path.of("target", "local-cluster").toAbsolutePath())
            // Ctrl-C reaches Redis as well: nothing can be settled then, and a person waits.
            .with("lastmile.drain.settle", "1s")
            .with("logging.level.dev.lastmile.hops", "DEBUG");
    String collector = System.getenv("OTEL_EXPORTER_OTLP_ENDPOINT");
    if (collector != null && !collector.isBlank()) {
      builder.agent(URI.create(collector));
    }
    int replicas = 3;
    String fanOut = "directed";
    for (String argument : args) {
      String[] pair = argument.replaceFirst("^--", "").split("=", 2);
      String value = pair.length == 2 ? pair[1] : "";
      switch (pair[0]) {
        case "replicas" -> replicas = count(value);
        case "fan-out" -> fanOut = value;
        default -> {
          if (!pair[0].contains(".")) {
            System.err.println(
                "Unknown option --"
                    + pair[0]
                    + ": use --replicas=<number>, --fan-out=directed, broadcast or local-only, or a property such as --lastmile.stream.heartbeat=5s.");
            System.exit(1);
          }
          builder.with(pair[0], value);
        }
      }
    }
    String taken = takenPort(replicas);
    if (taken != null) {
      System.err.println(
          "Port " + taken + " is taken by another process. Stop it, then try again.");
      System.exit(1);
    }
    Cluster cluster = builder.replicas(replicas).fanOut(fanOut).start();
    CountDownLatch ended = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() -> {
              System.out.println("Stopping ...");
              cluster.close();
              ended.countDown();
            }));
    print(cluster, fanOut, (System.nanoTime() - started) / 1_000_000_000.0);
    new CountDownLatch(1).await();
  }

  private static int count(String value) {
    if (!value.matches("[1-9]")) {
      System.err.println("--replicas must be 1 to 9, not " + value);
      System.exit(1);
    }
    return Integer.parseInt(value);
  }

  private static String takenPort(int replicas) {
    Map<Integer, String> ports = new LinkedHashMap<>();
    for (int i = 1; i <= replicas; i++) {
      ports.put(8080 + i, "replica-" + i);
      ports.put(9080 + i, "management of replica-" + i);
    }
    ports.put(8090, "external system");
    for (Map.Entry<Integer, String> port : ports.entrySet()) {
      if (Ports.isTaken(port.getKey())) {
        return port.getKey() + " (" + port.getValue() + ")";
      }
    }
    return null;
  }

  private static void print(Cluster cluster, String fanOut, double seconds) {
    StringBuilder table = new StringBuilder("\n");
    table.append(
        "Lastmile is ready after %.1f s: %d replica(s), fan-out %s%n%n"
            .formatted(seconds, cluster.replicas().size(), fanOut));
    String row = "  %-12s %-26s %s%n";
    table.append(row.formatted("", "address", "management"));
    for (LastmileProcess replica : cluster.replicas()) {
      table.append(row.formatted(replica.name(), replica.uri(), replica.management()));
    }
    table.append(
        row.formatted("external", cluster.external().uri(), cluster.external().management()));
    table.append(row.formatted("redis", cluster.redis(), cluster.redisDescription()));
    table.append("  logs         ").append(cluster.external().log().getParent()).append('\n');
    int last = cluster.replicas().size();
    table.append(
        """

        Look at it: http://127.0.0.1:8081

        Or try (the stream in one terminal, the click in another):
          curl -s -c /tmp/lastmile.cookie -X POST http://127.0.0.1:8081/api/identity
          curl -N -b /tmp/lastmile.cookie http://127.0.0.1:808%d/api/stream
          curl -s -b /tmp/lastmile.cookie -H 'Content-Type: application/json' -d '{"kind":"export"}' http://127.0.0.1:8081/api/operations

        Ctrl-C ends all of it.
        """
            .formatted(last));
    System.out.println(table);
  }
}
