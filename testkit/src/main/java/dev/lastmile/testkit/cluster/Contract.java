package dev.lastmile.testkit.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Error;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.restassured.filter.Filter;
import io.restassured.filter.FilterContext;
import io.restassured.response.Response;
import io.restassured.specification.FilterableRequestSpecification;
import io.restassured.specification.FilterableResponseSpecification;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Holds every answer of a replica against the OpenAPI document that it serves: status, content
 * type, required headers and body. Remembers which documented answers were seen.
 *
 * <p>A filter of REST Assured, for all tests that use it.
 */
public final class Contract implements Filter {
  private static final JsonMapper JSON = new JsonMapper();
  private static final SchemaRegistry SCHEMAS =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
  private static final Set<String> METHODS = Set.of("GET", "POST", "PUT", "DELETE", "PATCH");

  /** Not of the public port, or not documented for the public. */
  private static final Pattern ELSEWHERE =
      Pattern.compile("/(actuator|jobs|faults|api/demo).*|/v3/.*\\.yaml");

  private static JsonNode document;

  private final Set<String> seen = new ConcurrentSkipListSet<>();

  /** The document that a replica serves; the same on all. */
  public static synchronized JsonNode document(URI replica) {
    if (document == null) {
      document = JSON.readTree(get(replica.resolve("/v3/api-docs")));
    }
    return document;
  }

  static String get(URI uri) {
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpResponse<String> answer =
          http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
      assertThat(answer.statusCode()).as(uri.toString()).isEqualTo(200);
      return answer.body();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public Response filter(
      FilterableRequestSpecification request,
      FilterableResponseSpecification expected,
      FilterContext context) {
    URI uri = URI.create(request.getURI());
    boolean elsewhere = ELSEWHERE.matcher(uri.getPath()).matches();
    JsonNode documented = elsewhere ? null : document(uri.resolve("/"));
    Response response = context.next(request, expected);
    if (documented != null) {
      check(
          uri,
          request.getMethod(),
          response.statusCode(),
          response::header,
          response.contentType() == null || response.contentType().contains("event-stream")
              ? ""
              : response.asString());
    }
    return response;
  }

  /**
   * Checks one answer.
   *
   * @param header its headers by name; null for those that it has not
   */
  public void check(
      URI uri, String method, int status, Function<String, String> header, String body) {
    JsonNode root = document(uri.resolve("/"));
    String path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
    String what = method + " " + path + " -> " + status;
    if (!METHODS.contains(method)) {
      return;
    }
    String template = template(root.path("paths"), path);
    JsonNode operation = root.path("paths").path(template).path(method.toLowerCase(Locale.ROOT));
    if (operation.isMissingNode() && !path.startsWith("/api/") && status < 400) {
      return; // What a page loads.
    }
    if (operation.isMissingNode()) {
      assertThat(status).as(what).isBetween(400, 499);
      assertBody(root, ref("Problem"), body, what);
      if (status == 405) {
        assertThat(header.apply("Allow")).as(what + " Allow").isNotNull();
      }
      return;
    }
    JsonNode response = resolve(root, operation.path("responses").path(Integer.toString(status)));
    assertThat(response.isMissingNode()).as(what + " is not documented").isFalse();
    checkHeaders(root, response, header, what);
    checkBody(root, response, header.apply("Content-Type"), body, what);
    seen.add(method + " " + template + " " + status);
  }

  private static void checkHeaders(
      JsonNode root, JsonNode response, Function<String, String> header, String what) {
    for (Map.Entry<String, JsonNode> entry : response.path("headers").properties()) {
      JsonNode documented = resolve(root, entry.getValue());
      String value = header.apply(entry.getKey());
      if (documented.path("required").asBoolean(false)) {
        assertThat(value).as(what + " " + entry.getKey()).isNotNull();
      }
      if (value != null) {
        assertBody(root, documented.path("schema"), JSON.writeValueAsString(value), what);
      }
    }
  }

  private static void checkBody(
      JsonNode root, JsonNode response, String type, String body, String what) {
    if (response.path("content").isMissingNode()) {
      assertThat(body).as(what + " has no body").isEmpty();
      return;
    }
    String plain = type == null ? "" : type.replaceFirst(";.*", "");
    JsonNode content = response.path("content").path(plain);
    assertThat(content.isMissingNode()).as(what + " is of the documented type: " + type).isFalse();
    if (plain.endsWith("json")) {
      assertBody(root, content.path("schema"), body, what);
    }
  }

  private static JsonNode ref(String schema) {
    return JSON.createObjectNode().put("$ref", "#/components/schemas/" + schema);
  }

  private static void assertBody(JsonNode root, JsonNode schema, String body, String what) {
    ObjectNode whole = JSON.createObjectNode();
    whole.set("allOf", JSON.createArrayNode().add(schema));
    whole.set("components", root.path("components"));
    assertThat(SCHEMAS.getSchema(whole).validate(JSON.readTree(body)))
        .extracting(Error::toString)
        .as(what + " " + body)
        .isEmpty();
  }

  private static JsonNode resolve(JsonNode root, JsonNode node) {
    JsonNode reference = node.path("$ref");
    return reference.isMissingNode() ? node : root.at(reference.asString().substring(1));
  }

  private static String template(JsonNode paths, String path) {
    for (String template : paths.propertyNames()) {
      if (path.matches(template.replaceAll("\\{[^}]*}", "[^/]+").replace(".", "\\."))) {
        return template;
      }
    }
    return "";
  }

  /** The documented answers that were not seen, as {@code GET /path 200}. */
  public Set<String> unseen(URI replica) {
    Set<String> all = new TreeSet<>();
    document(replica).path("paths").properties().stream()
        .filter(path -> !ELSEWHERE.matcher(path.getKey()).matches())
        .forEach(path ->
            path.getValue()
                .properties()
                .forEach(operation ->
                    operation
                        .getValue()
                        .path("responses")
                        .propertyNames()
                        .forEach(status ->
                            all.add(
                                operation.getKey().toUpperCase(Locale.ROOT)
                                    + " "
                                    + path.getKey()
                                    + " "
                                    + status))));
    all.removeAll(seen);
    return all;
  }

  /** How many documented answers were seen. */
  public int seen() {
    return seen.size();
  }
}
