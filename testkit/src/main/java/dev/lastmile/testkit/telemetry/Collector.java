package dev.lastmile.testkit.telemetry;

import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.process.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A real OpenTelemetry Collector that takes spans by OTLP over HTTP and keeps them in a file. */
public final class Collector implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Path folder;
  private final int port = Ports.free();
  private final Process process;

  private Collector() {
    Path program = Tool.of("otelcol-contrib");
    try {
      folder = Tool.ownFolder("collectors");
      Path configuration = folder.resolve("config.yaml");
      Files.writeString(
          configuration,
          """
          receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:%d"}}}}
          exporters: {file: {path: "%s", flush_interval: 200ms}}
          service:
            telemetry: {metrics: {level: none}}
            pipelines: {traces: {receivers: [otlp], exporters: [file]}}
          """
              .formatted(port, file().toAbsolutePath()));
      process =
          Tool.start(
              folder.resolve("collector.log"), program, "--config", configuration.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts one; skips the test where there is no Collector. */
  public static Collector start() {
    Collector collector = new Collector();
    Awaitility.await("the Collector to listen")
        .atMost(20, TimeUnit.SECONDS)
        .until(() -> Ports.isTaken(collector.port));
    return collector;
  }

  /** Where spans go. */
  public URI uri() {
    return URI.create("http://127.0.0.1:" + port);
  }

  private Path file() {
    return folder.resolve("traces.json");
  }

  /**
   * A span as the Collector got it.
   *
   * @param service name of the process's role
   * @param parent id of the parent span; empty for a root
   * @param kind as OTLP numbers them: 1 internal, 2 server, 3 client, 4 producer, 5 consumer
   * @param links {@code trace-span} of each
   * @param events name and attributes of each
   */
  public record Span(
      String service,
      String scope,
      String name,
      int kind,
      String trace,
      String id,
      String parent,
      long startNanos,
      long endNanos,
      boolean error,
      Map<String, String> attributes,
      List<String> links,
      List<Event> events) {
    public String replica() {
      return attributes.getOrDefault("lastmile.replica", "");
    }

    public String outcome() {
      return attributes.getOrDefault("lastmile.outcome", "");
    }
  }

  /** Something that is noted in a span. */
  public record Event(String name, Map<String, String> attributes) {}

  /** All spans that have arrived so far. */
  public List<Span> spans() {
    List<Span> spans = new ArrayList<>();
    try {
      if (!Files.exists(file())) {
        return spans;
      }
      for (String line : Files.readAllLines(file())) {
        if (!line.endsWith("}")) {
          // Being written.
          continue;
        }
        for (JsonNode resource : JSON.readTree(line).path("resourceSpans")) {
          String service = attributes(resource.path("resource")).get("service.name");
          for (JsonNode scope : resource.path("scopeSpans")) {
            for (JsonNode span : scope.path("spans")) {
              spans.add(span(service, scope.path("scope").path("name").asString(""), span));
            }
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return spans;
  }

  private static Span span(String service, String scope, JsonNode span) {
    List<String> links = new ArrayList<>();
    span.path("links")
        .forEach(link ->
            links.add(link.path("traceId").asString() + "-" + link.path("spanId").asString()));
    List<Event> events = new ArrayList<>();
    span.path("events")
        .forEach(event -> events.add(new Event(event.path("name").asString(), attributes(event))));
    return new Span(
        service,
        scope,
        span.path("name").asString(),
        span.path("kind").asInt(),
        span.path("traceId").asString(),
        span.path("spanId").asString(),
        span.path("parentSpanId").asString(""),
        Long.parseLong(span.path("startTimeUnixNano").asString()),
        Long.parseLong(span.path("endTimeUnixNano").asString()),
        span.path("status").path("code").asInt(0) == 2,
        attributes(span),
        links,
        events);
  }

  private static Map<String, String> attributes(JsonNode of) {
    Map<String, String> attributes = new HashMap<>();
    for (JsonNode attribute : of.path("attributes")) {
      JsonNode value = attribute.path("value");
      value.properties().stream()
          .findFirst()
          .ifPresent(entry ->
              attributes.put(attribute.path("key").asString(), entry.getValue().asString("")));
    }
    return attributes;
  }

  @Override
  public void close() {
    Tool.end(process, Duration.ofSeconds(10));
  }
}
