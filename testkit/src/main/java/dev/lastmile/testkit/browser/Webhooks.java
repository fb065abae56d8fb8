package dev.lastmile.testkit.browser;

import static io.restassured.RestAssured.given;

import com.standardwebhooks.Webhook;
import com.standardwebhooks.exceptions.WebhookSigningException;
import dev.lastmile.testkit.cluster.LastmileProcess;
import io.restassured.response.Response;
import io.restassured.specification.RequestSpecification;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The external system by hand: callbacks signed by the reference library. */
public final class Webhooks {
  private static final HttpClient HTTP =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private static final Pattern OUTCOME = Pattern.compile("\"outcome\":\"(\\w+)\"");

  private final String secret;
  private final Duration patience;

  public Webhooks(String secret) {
    this(secret, Duration.ofSeconds(20));
  }

  /**
   * @param patience longest wait for the answer of a quick callback
   */
  public Webhooks(String secret, Duration patience) {
    this.secret = secret;
    this.patience = patience;
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

  /** As above, on top of a request that is already begun. */
  public Response send(
      LastmileProcess replica, String operationId, String body, RequestSpecification request) {
    return send(replica, operationId, body, Instant.now().getEpochSecond(), request);
  }

  /** As above, at a chosen time. */
  public Response send(
      LastmileProcess replica, String operationId, String body, long timestampSeconds) {
    return send(replica, operationId, body, timestampSeconds, given());
  }

  private Response send(
      LastmileProcess replica,
      String operationId,
      String body,
      long timestampSeconds,
      RequestSpecification request) {
    String id = "msg_" + UUID.randomUUID();
    try {
      return request
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

  /**
   * Sends a callback that has to be taken; what became of it. Quick, for tests that send many.
   *
   * @throws IllegalStateException if the answer is not 200
   */
  public String outcome(LastmileProcess replica, String operationId, String body) {
    HttpResponse<String> answer = quickly(replica, operationId, body);
    Matcher outcome = OUTCOME.matcher(answer.body());
    if (answer.statusCode() != 200 || !outcome.find()) {
      throw new IllegalStateException(answer.statusCode() + " " + answer.body());
    }
    return outcome.group(1);
  }

  /** Sends a callback; the bare answer. */
  public HttpResponse<String> quickly(LastmileProcess replica, String operationId, String body) {
    String id = "msg_" + UUID.randomUUID();
    long now = Instant.now().getEpochSecond();
    try {
      HttpRequest request =
          HttpRequest.newBuilder(replica.uri().resolve("/api/callbacks/" + operationId))
              .timeout(patience)
              .header("Content-Type", "application/json")
              .header("webhook-id", id)
              .header("webhook-timestamp", Long.toString(now))
              .header("webhook-signature", new Webhook(secret).sign(id, now, body))
              .POST(HttpRequest.BodyPublishers.ofString(body))
              .build();
      return HTTP.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (WebhookSigningException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
