package dev.lastmile.testing;

import static io.restassured.RestAssured.given;

import com.standardwebhooks.Webhook;
import com.standardwebhooks.exceptions.WebhookSigningException;
import io.restassured.response.Response;
import java.time.Instant;
import java.util.UUID;

/** The external system by hand: callbacks signed by the reference library. */
public final class Webhooks {
  private final String secret;

  public Webhooks(String secret) {
    this.secret = secret;
  }

  public static String running(long revision, int progress) {
    return "{\"revision\":%d,\"status\":\"RUNNING\",\"progress\":%d}".formatted(revision, progress);
  }

  public static String succeeded(long revision) {
    return "{\"revision\":%d,\"status\":\"SUCCEEDED\",\"result\":{\"rows\":1}}".formatted(revision);
  }

  /** Sends a callback and gives back the answer. */
  public Response send(LastmileProcess replica, String operationId, String body) {
    return send(replica, operationId, body, Instant.now().getEpochSecond());
  }

  /** As above, at a chosen time. */
  public Response send(
      LastmileProcess replica, String operationId, String body, long timestampSeconds) {
    String id = "msg_" + UUID.randomUUID();
    try {
      return given()
          .baseUri(replica.uri().toString())
          .header("Content-Type", "application/json")
          .header("webhook-id", id)
          .header("webhook-timestamp", timestampSeconds)
          .header("webhook-signature", new Webhook(secret).sign(id, timestampSeconds, body))
          .body(body)
          .post("/api/callbacks/" + operationId);
    } catch (WebhookSigningException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Sends a callback that has to be taken; what became of it. */
  public String outcome(LastmileProcess replica, String operationId, String body) {
    return send(replica, operationId, body).then().statusCode(200).extract().path("outcome");
  }
}
