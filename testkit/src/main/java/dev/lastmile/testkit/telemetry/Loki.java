package dev.lastmile.testkit.telemetry;

import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.process.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A real Loki: either one that is started with the project's configuration, or one that runs
 * already.
 */
public final class Loki implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** The fields of a log line that the Collector maps to fields of the log record. */
  private static final List<String> OWN_FIELDS =
      List.of("@timestamp", "message", "level", "trace_id");

  private final QueryApi api;

  /** Null if Loki ran already. */
  private final Process process;

  private Loki(URI address) {
    this.api = new QueryApi(address);
    this.process = null;
  }

  private Loki() {
    Path program = Tool.of("loki");
    int port = Ports.free();
    api = new QueryApi(URI.create("http://127.0.0.1:" + port));
    try {
      Path folder = Tool.ownFolder("loki");
      Path configuration = folder.resolve("loki.yaml");
      Files.writeString(
          configuration,
          Files.readString(Path.of("..", "grafana", "loki.yaml"))
              .replace(": /loki", ": " + folder)
              .replace(
                  "http_listen_port: 3100",
                  "http_listen_address: 127.0.0.1\n  http_listen_port: " + port)
              .replace("9096", String.valueOf(Ports.free())));
      process = Tool.start(folder.resolve("loki.log"), program, "-config.file=" + configuration);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts a Loki; skips the test if the program is not installed. */
  public static Loki start() {
    Loki loki = new Loki();
    // /ready responds with 200 only 15 s after all modules are ready.
    Awaitility.await("Loki to be ready")
        .atMost(60, TimeUnit.SECONDS)
        .ignoreExceptions()
        .until(() -> loki.api.isOk("/ready"));
    return loki;
  }

  /** A Loki that runs already. {@link #close} does not stop it. */
  public static Loki at(URI address) {
    return new Loki(address);
  }

  /**
   * Sends lines of a replica's log over OTLP, as the Collector does. {@code message} is the body,
   * {@code level} the severity and {@code trace_id} the trace of the record; all other fields are
   * attributes.
   *
   * @param lines JSON objects, as documented in docs/reference/log-events.md
   */
  public void push(List<String> lines) {
    List<Object> records = new ArrayList<>();
    for (String line : lines) {
      JsonNode fields = JSON.readTree(line);
      Instant time = Instant.parse(fields.path("@timestamp").asString());
      List<Object> attributes = new ArrayList<>();
      fields.properties().stream()
          .filter(field -> !OWN_FIELDS.contains(field.getKey()))
          .forEach(field -> attributes.add(attribute(field.getKey(), field.getValue().asString())));
      Map<String, Object> record = new LinkedHashMap<>();
      record.put("timeUnixNano", time.toEpochMilli() + "000000");
      record.put("severityText", fields.path("level").asString());
      record.put("body", Map.of("stringValue", fields.path("message").asString()));
      record.put("traceId", fields.path("trace_id").asString(""));
      record.put("attributes", attributes);
      records.add(record);
    }
    Map<String, Object> request =
        Map.of(
            "resourceLogs",
            List.of(
                Map.of(
                    "resource",
                        Map.of("attributes", List.of(attribute("service.name", "lastmile"))),
                    "scopeLogs", List.of(Map.of("logRecords", records)))));
    HttpResponse<String> answer =
        api.send(
            HttpRequest.newBuilder(api.address().resolve("/otlp/v1/logs"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(request)))
                .build());
    if (answer.statusCode() / 100 != 2) {
      throw new IllegalStateException(answer.statusCode() + " " + answer.body());
    }
  }

  private static Map<String, Object> attribute(String key, String value) {
    return Map.of("key", key, "value", Map.of("stringValue", value));
  }

  /**
   * The result of a query, at most 100 lines.
   *
   * @param back length of the time range, which ends now
   */
  public List<String> query(String expression, Duration back) {
    String query =
        "/loki/api/v1/query_range?limit=100&since=%ds&query=%s"
            .formatted(back.toSeconds(), URLEncoder.encode(expression, StandardCharsets.UTF_8));
    List<String> lines = new ArrayList<>();
    for (JsonNode stream : api.data(query).path("result")) {
      stream.path("values").forEach(value -> lines.add(value.get(1).asString()));
    }
    return lines;
  }

  /** The names of all labels. */
  public List<String> labels() {
    List<String> labels = new ArrayList<>();
    api.data("/loki/api/v1/labels").forEach(label -> labels.add(label.asString()));
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
