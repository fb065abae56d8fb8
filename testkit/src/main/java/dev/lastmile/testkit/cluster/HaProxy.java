package dev.lastmile.testkit.cluster;

import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.process.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/**
 * A real HAProxy with the platform's own configuration, in which only addresses are those of this
 * machine.
 */
public final class HaProxy implements AutoCloseable {
  private final Process process;
  private final URI uri;
  private final URI metrics;

  private HaProxy(Process process, int port, int operatorsPort) {
    this.process = process;
    this.uri = URI.create("http://127.0.0.1:" + port);
    this.metrics = URI.create("http://127.0.0.1:" + operatorsPort + "/metrics");
  }

  /**
   * Starts one; skips the test where there is none.
   *
   * @param perAddress connections that an address may have
   */
  public static HaProxy start(List<LastmileProcess> replicas, int perAddress) {
    Path program = Tool.of("haproxy");
    int port = Ports.free();
    int operatorsPort = Ports.free();
    try {
      Path folder = Tool.ownFolder("haproxy");
      Path configuration = folder.resolve("haproxy.cfg");
      Files.writeString(
          configuration,
          configuration(replicas)
              .replace("bind :8080", "bind 127.0.0.1:" + port)
              .replace("bind :8405", "bind 127.0.0.1:" + operatorsPort)
              .replace("sc0_conn_cur gt 1000", "sc0_conn_cur gt " + perAddress));
      Process process =
          Tool.start(folder.resolve("haproxy.log"), program, "-db", "-f", configuration.toString());
      HaProxy balancer = new HaProxy(process, port, operatorsPort);
      Awaitility.await("HAProxy to find " + replicas.size() + " replicas ready")
          .atMost(15, TimeUnit.SECONDS)
          .ignoreExceptions()
          .until(() -> balancer.ready() == replicas.size());
      return balancer;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Containers are found by DNS; here each replica is named. */
  private static String configuration(List<LastmileProcess> replicas) throws IOException {
    StringBuilder servers = new StringBuilder();
    for (LastmileProcess replica : replicas) {
      servers
          .append("    server %s %s check".formatted(replica.name(), replica.uri().getAuthority()))
          .append(" port %d%n".formatted(replica.management().getPort()));
    }
    return Files.readString(Path.of("..", "compose", "haproxy.cfg"))
        .replaceAll("(?s)resolvers docker\n.*?\n\n", "")
        .replace(" check port 9081", "")
        .replace(" resolvers docker init-addr none", "")
        .replaceAll(" *server-template .*\n", servers.toString());
  }

  public URI uri() {
    return uri;
  }

  /** How many replicas get new requests. */
  public double ready() {
    return Metrics.of(metrics).sum("haproxy_server_status", "proxy=\"replicas\"", "state=\"UP\"");
  }

  /** How many connections were refused since an address had too many. */
  public double denied() {
    return Metrics.of(metrics)
        .sum("haproxy_frontend_denied_connections_total", "proxy=\"browsers\"");
  }

  @Override
  public void close() {
    Tool.end(process, Duration.ofSeconds(5));
  }
}
