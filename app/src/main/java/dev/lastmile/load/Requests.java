package dev.lastmile.load;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What one browser asks of the service, with its identity cookie. Any thread.
 *
 * <p>An answer other than success is an {@link IOException}: the caller tries again later. A cookie
 * that is not accepted any more is forgotten, so that the next try begins with a new identity.
 */
final class Requests {
  /** What a list answers. */
  record Listing(String cursor, boolean reset, Map<String, Page.Shown> operations) {}

  private final HttpClient http;
  private final JsonMapper mapper;
  private final LoadProperties properties;
  private volatile @Nullable String cookie;

  Requests(HttpClient http, JsonMapper mapper, LoadProperties properties) {
    this.http = http;
    this.mapper = mapper;
    this.properties = properties;
  }

  /** The cookie, from the service if there is none yet. */
  synchronized String identify() throws IOException, InterruptedException {
    String known = cookie;
    if (known != null) {
      return known;
    }
    HttpResponse<String> answer =
        http.send(
            request("/api/identity").POST(HttpRequest.BodyPublishers.noBody()).build(),
            HttpResponse.BodyHandlers.ofString());
    String header = answer.headers().firstValue("Set-Cookie").orElse("");
    if (answer.statusCode() != 204 || header.isEmpty()) {
      throw new IOException("no identity: " + answer.statusCode());
    }
    String fresh = header.split(";", 2)[0];
    cookie = fresh;
    return fresh;
  }

  /** Opens a stream; each read of it waits no longer than the longest silence. */
  HttpURLConnection stream(String cursor) throws IOException, InterruptedException {
    String query = cursor.isEmpty() ? "" : "?lastEventId=" + cursor;
    HttpURLConnection stream =
        (HttpURLConnection) uri("/api/stream" + query).toURL().openConnection();
    stream.setRequestProperty("Cookie", identify());
    stream.setRequestProperty("Accept", "text/event-stream");
    stream.setConnectTimeout((int) properties.timeout().toMillis());
    stream.setReadTimeout((int) properties.silence().toMillis());
    check(stream.getResponseCode(), "stream");
    return stream;
  }

  /** Creates an operation; asked again with the same key it is still one. */
  void create(Map<String, Object> input) throws IOException, InterruptedException {
    HttpRequest creation =
        request("/api/operations")
            .header("Cookie", identify())
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", UUID.randomUUID().toString())
            .POST(json(Map.of("kind", "export", "input", input)))
            .build();
    check(http.send(creation, HttpResponse.BodyHandlers.discarding()).statusCode(), "creation");
  }

  Listing list(String cursor) throws IOException, InterruptedException {
    HttpRequest list =
        request("/api/operations" + (cursor.isEmpty() ? "" : "?after=" + cursor))
            .header("Cookie", identify())
            .build();
    HttpResponse<String> answer = http.send(list, HttpResponse.BodyHandlers.ofString());
    check(answer.statusCode(), "list");
    JsonNode body = mapper.readTree(answer.body());
    Map<String, Page.Shown> operations = new HashMap<>();
    for (JsonNode operation : body.required("operations")) {
      operations.put(operation.required("operationId").asString(), shown(operation));
    }
    return new Listing(
        body.required("cursor").asString(), body.required("reset").asBoolean(), operations);
  }

  static Page.Shown shown(JsonNode operation) {
    String status = operation.required("status").asString();
    return new Page.Shown(
        operation.required("version").asLong(),
        status.equals("SUCCEEDED") || status.equals("FAILED"));
  }

  void ack(List<Page.Ack> acks) throws IOException, InterruptedException {
    List<Map<String, Object>> list =
        acks.stream()
            .map(ack ->
                Map.<String, Object>of(
                    "operationId",
                    ack.operationId(),
                    "version",
                    ack.version(),
                    "via",
                    ack.via().name().toLowerCase(Locale.ROOT)))
            .collect(Collectors.toList());
    HttpRequest request =
        request("/api/acks")
            .header("Cookie", identify())
            .header("Content-Type", "application/json")
            .POST(json(Map.of("acks", list)))
            .build();
    check(http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode(), "acks");
  }

  private void check(int status, String what) throws IOException {
    if (status == 401) {
      cookie = null;
    }
    if (status / 100 != 2) {
      throw new RefusedException(what, status);
    }
  }

  /** The service has answered, and not what was hoped for. */
  static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int status;

    RefusedException(String what, int status) {
      super(what + " was answered " + status);
      this.status = status;
    }

    /** Whether asking the same again is of no use. */
    boolean isFinal() {
      return status / 100 == 4 && status != 401 && status != 429;
    }
  }

  private HttpRequest.BodyPublisher json(Object body) {
    return HttpRequest.BodyPublishers.ofByteArray(mapper.writeValueAsBytes(body));
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(uri(path)).timeout(properties.timeout());
  }

  private URI uri(String path) {
    return properties.url().resolve(path);
  }
}
