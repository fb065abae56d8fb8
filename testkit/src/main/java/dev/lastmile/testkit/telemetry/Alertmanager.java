package dev.lastmile.testkit.telemetry;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.process.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A real Alertmanager with the project's configuration, and the webhook receivers that it notifies.
 */
public final class Alertmanager implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final int port = Ports.free();
  private final QueryApi api = new QueryApi(URI.create("http://" + address()));
  private final URI alerts = api.address().resolve("/api/v2/alerts");
  private final List<Notice> notices = new CopyOnWriteArrayList<>();
  private final HttpServer receivers;
  private final Process process;

  /**
   * A notification that a receiver got.
   *
   * @param receiver {@code page}, {@code ticket} or {@code watchdog}
   * @param replica the label of the alert; empty if it has none
   */
  public record Notice(
      String receiver, String alert, String replica, boolean resolved, long atNanos) {}

  private Alertmanager() {
    Path program = Tool.of("alertmanager");
    try {
      receivers = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      receivers.createContext("/", this::receive);
      receivers.start();
      Path folder = Tool.ownFolder("alertmanager");
      Path configuration = folder.resolve("alertmanager.yaml");
      String ours = "127.0.0.1:" + receivers.getAddress().getPort();
      Files.writeString(
          configuration,
          Files.readString(Path.of("..", "alert-rules", "alertmanager.yaml"))
              .replace("http://pager:9094/cgi-bin/notify?", "http://" + ours + "/"));
      process =
          Tool.start(
              folder.resolve("alertmanager.log"),
              program,
              "--config.file=" + configuration,
              "--storage.path=" + folder.resolve("data"),
              "--cluster.listen-address=",
              "--web.listen-address=127.0.0.1:" + port);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts an Alertmanager; skips the test if the program is not installed. */
  public static Alertmanager start() {
    Alertmanager alertmanager = new Alertmanager();
    Awaitility.await("Alertmanager to listen")
        .atMost(20, TimeUnit.SECONDS)
        .until(() -> Ports.isTaken(alertmanager.port));
    return alertmanager;
  }

  private void receive(HttpExchange exchange) throws IOException {
    try (exchange) {
      JsonNode message = JSON.readTree(exchange.getRequestBody().readAllBytes());
      String receiver = exchange.getRequestURI().getPath().substring(1);
      for (JsonNode alert : message.path("alerts")) {
        notices.add(
            new Notice(
                receiver,
                alert.path("labels").path("alertname").asString(""),
                alert.path("labels").path("replica").asString(""),
                alert.path("status").asString("").equals("resolved"),
                System.nanoTime()));
      }
      exchange.sendResponseHeaders(200, -1);
    }
  }

  String address() {
    return "127.0.0.1:" + port;
  }

  /**
   * Sends firing alerts, as Prometheus does.
   *
   * @param firing the labels of each alert
   */
  public void raise(List<Map<String, String>> firing) {
    HttpRequest request =
        HttpRequest.newBuilder(alerts)
            .header("Content-Type", "application/json")
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    JSON.writeValueAsString(
                        firing.stream().map(labels -> Map.of("labels", labels)).toList())))
            .build();
    if (api.send(request).statusCode() != 200) {
      throw new IllegalStateException("alerts were not taken");
    }
  }

  /** The firing alerts that another alert inhibits, each as {@code name replica}. */
  public Set<String> inhibited() {
    Set<String> inhibited = new TreeSet<>();
    for (JsonNode alert : JSON.readTree(api.send(HttpRequest.newBuilder(alerts).build()).body())) {
      if (!alert.at("/status/inhibitedBy").isEmpty()) {
        JsonNode labels = alert.path("labels");
        inhibited.add(
            (labels.path("alertname").asString("") + " " + labels.path("replica").asString(""))
                .strip());
      }
    }
    return inhibited;
  }

  /** The notifications that the receivers got so far. */
  public List<Notice> notices() {
    return List.copyOf(notices);
  }

  @Override
  public void close() {
    Tool.end(process, Duration.ofSeconds(10));
    receivers.stop(0);
  }
}
