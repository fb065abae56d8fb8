package dev.lastmile.testkit.browser;

import static io.restassured.RestAssured.given;

import dev.lastmile.testkit.cluster.LastmileProcess;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import io.restassured.specification.RequestSpecification;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.awaitility.Awaitility;

/** A browser with its cookie; it may ask any replica. */
public final class Browser {
  private static final Map<String, Integer> LONG = Map.of("durationMillis", 3_600_000);

  private final String cookie;

  private Browser(String cookie) {
    this.cookie = cookie;
  }

  /** A new identity from this replica. */
  public static Browser at(LastmileProcess replica) {
    Response response = given().baseUri(replica.uri().toString()).post("/api/identity");
    response.then().statusCode(204);
    return new Browser("lastmile_identity=" + response.getCookie("lastmile_identity"));
  }

  public String cookie() {
    return cookie;
  }

  /** A request of this browser to a replica. */
  public RequestSpecification ask(LastmileProcess replica) {
    return given().baseUri(replica.uri().toString()).header("Cookie", cookie);
  }

  /** Creates an operation whose simulated job takes an hour, so that a test calls back itself. */
  public String create(LastmileProcess replica) {
    return create(replica, LONG);
  }

  /** The answer to the creation of such an operation, whatever it is. */
  public Response tryCreate(LastmileProcess replica) {
    return tryCreate(replica, LONG);
  }

  /** Creates an operation with wishes for the simulated external system. */
  public String create(LastmileProcess replica, Map<String, ?> input) {
    return tryCreate(replica, input).then().statusCode(201).extract().path("operationId");
  }

  private Response tryCreate(LastmileProcess replica, Map<String, ?> input) {
    return ask(replica)
        .contentType(ContentType.JSON)
        .body(Map.of("kind", "export", "input", input))
        .post("/api/operations");
  }

  public Response get(LastmileProcess replica, String operationId) {
    return ask(replica).get("/api/operations/" + operationId);
  }

  public Response list(LastmileProcess replica, String after) {
    return ask(replica).queryParam("after", after).get("/api/operations");
  }

  /** Acks one version. */
  public Response ack(LastmileProcess replica, String operationId, long version, String via) {
    return ask(replica)
        .contentType(ContentType.JSON)
        .body(
            Map.of(
                "acks",
                List.of(Map.of("operationId", operationId, "version", version, "via", via))))
        .post("/api/acks");
  }

  /** The hops of one version that the timeline shows, in order of time. */
  public List<String> hops(LastmileProcess replica, String operationId, long version) {
    return ask(replica)
        .get("/api/operations/" + operationId + "/timeline")
        .then()
        .statusCode(200)
        .extract()
        .path("hops.findAll { it.version == " + version + " }.hop");
  }

  public void awaitStatus(LastmileProcess replica, String operationId, String status) {
    Awaitility.await(operationId + " to be " + status)
        .until(() -> get(replica, operationId).path("status"), status::equals);
  }

  public SseClient stream(LastmileProcess replica) {
    return stream(replica, "");
  }

  public SseClient stream(LastmileProcess replica, String lastEventId) {
    return SseClient.connect(replica.uri(), cookie, lastEventId);
  }

  public SseClient stream(
      LastmileProcess replica, String lastEventId, Consumer<SseClient.Event> listener) {
    return SseClient.connect(replica.uri(), cookie, lastEventId, listener, 0);
  }

  /** A stream with a small receive buffer, so that a pause is felt soon. */
  public SseClient narrowStream(URI replica) {
    return SseClient.connect(replica, cookie, "", _ -> {}, 4_096);
  }
}
