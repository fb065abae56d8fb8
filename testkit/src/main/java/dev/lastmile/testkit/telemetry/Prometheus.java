package dev.lastmile.testkit.telemetry;

import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.process.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import tools.jackson.databind.JsonNode;

/**
 * A real Prometheus: either one that is started with the project's configuration and rules and
 * scrapes a cluster, or one that runs already.
 */
public final class Prometheus implements AutoCloseable {
  private final QueryApi api;

  /** Null if Prometheus ran already. */
  private final Process process;

  private Prometheus(URI address) {
    this.api = new QueryApi(address);
    this.process = null;
  }

  private Prometheus(Cluster cluster, Path rules, Alertmanager alertmanager) {
    Path program = Tool.of("prometheus");
    int port = Ports.free();
    api = new QueryApi(URI.create("http://127.0.0.1:" + port));
    try {
      Path folder = Tool.ownFolder("prometheus");
      Path configuration = folder.resolve("prometheus.yaml");
      Files.writeString(
          configuration, configuration(cluster, rules.toAbsolutePath().normalize(), alertmanager));
      process =
          Tool.start(
              folder.resolve("prometheus.log"),
              program,
              "--config.file=" + configuration,
              "--storage.tsdb.path=" + folder.resolve("data"),
              "--enable-feature=exemplar-storage",
              "--web.listen-address=127.0.0.1:" + port);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Starts a Prometheus; skips the test if the program is not installed.
   *
   * @param rules the folder of the scale's rules
   */
  public static Prometheus start(Cluster cluster, Path rules, Alertmanager alertmanager) {
    Prometheus prometheus = new Prometheus(cluster, rules, alertmanager);
    Awaitility.await("Prometheus to be ready")
        .atMost(30, TimeUnit.SECONDS)
        .ignoreExceptions()
        .until(() -> prometheus.api.isOk("/-/ready"));
    return prometheus;
  }

  /** A Prometheus that runs already. {@link #close} does not stop it. */
  public static Prometheus at(URI address) {
    return new Prometheus(address);
  }

  /** The project's configuration with addresses of this machine instead of container names. */
  private String configuration(Cluster cluster, Path rules, Alertmanager alertmanager)
      throws IOException {
    String targets =
        cluster.replicas().stream()
            .map(replica -> replica.management().getAuthority())
            .collect(Collectors.joining(", "));
    String text =
        Files.readString(Path.of("..", "prometheus", "prometheus.yaml"))
            .replace("rules/", rules + "/")
            .replace("localhost:9090", api.address().getAuthority())
            .replace("alertmanager:9093", alertmanager.address())
            .replaceFirst(
                "(?s)dns_sd_configs:.*?(?=\n\n)", "static_configs: [{targets: [" + targets + "]}]");
    // The remaining scrape jobs are of containers that do not run here.
    return text.substring(0, text.indexOf("\n  - job_name: otel-collector"));
  }

  /** A series and its current value. */
  public record Sample(Map<String, String> labels, double value) {}

  /** The result of an instant query. */
  public List<Sample> query(String expression) {
    List<Sample> samples = new ArrayList<>();
    String query = URLEncoder.encode(expression, StandardCharsets.UTF_8);
    for (JsonNode result : api.data("/api/v1/query?query=" + query).path("result")) {
      String value = result.path("value").get(1).asString();
      samples.add(
          new Sample(
              labels(result.path("metric")),
              value.endsWith("Inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(value)));
    }
    return samples;
  }

  /** An alert that is pending or firing. */
  public record Alert(String name, String state, Map<String, String> labels, String summary) {
    public boolean isFiring() {
      return state.equals("firing");
    }

    public String severity() {
      return labels.getOrDefault("severity", "");
    }
  }

  /** The alerts that are pending or firing. */
  public List<Alert> alerts() {
    List<Alert> alerts = new ArrayList<>();
    for (JsonNode alert : api.data("/api/v1/alerts").path("alerts")) {
      Map<String, String> labels = labels(alert.path("labels"));
      alerts.add(
          new Alert(
              labels.get("alertname"),
              alert.path("state").asString(),
              labels,
              alert.path("annotations").path("summary").asString("")));
    }
    return alerts;
  }

  /** The names of all stored series. */
  public List<String> names() {
    List<String> names = new ArrayList<>();
    api.data("/api/v1/label/__name__/values").forEach(name -> names.add(name.asString()));
    return names;
  }

  private static Map<String, String> labels(JsonNode of) {
    Map<String, String> labels = new HashMap<>();
    of.properties().forEach(entry -> labels.put(entry.getKey(), entry.getValue().asString()));
    return labels;
  }

  @Override
  public void close() {
    if (process == null) {
      return;
    }
    Tool.end(process, Duration.ofSeconds(15));
  }
}
