package dev.lastmile.callbacks;

import dev.lastmile.coordination.Change;
import dev.lastmile.coordination.OperationStore;
import dev.lastmile.coordination.Pointer;
import dev.lastmile.coordination.RedisAwayException;
import dev.lastmile.coordination.RedisTime;
import dev.lastmile.coordination.Report;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.updates.CorrelationId;
import dev.lastmile.updates.InvalidValueException;
import dev.lastmile.updates.OperationId;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.databind.json.JsonMapper;

/**
 * Takes webhooks, on any replica, any number of times.
 *
 * <p>The revision makes a callback idempotent, not the webhook's id: a repetition is answered 200
 * and changes nothing, also when the first attempt died after Redis had stored it. A 2xx is sent
 * only after that (P1).
 */
@RestController
class CallbackController {
  private final OperationStore store;
  private final RedisTime time;
  private final WebhookVerifier verifier;
  private final CallbacksProperties properties;
  private final JsonMapper mapper;
  private final HopRecorder hops;

  CallbackController(
      OperationStore store,
      RedisTime time,
      WebhookVerifier verifier,
      CallbacksProperties properties,
      JsonMapper mapper,
      HopRecorder hops) {
    this.store = store;
    this.time = time;
    this.verifier = verifier;
    this.properties = properties;
    this.mapper = mapper;
    this.hops = hops;
  }

  /**
   * Answer to a webhook that was understood.
   *
   * @param outcome stored, duplicate, stale or final
   */
  record Taken(String outcome) {}

  @PostMapping(
      path = "/api/callbacks/{operationId}",
      consumes = MediaType.APPLICATION_JSON_VALUE,
      produces = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<Taken> callback(
      @PathVariable("operationId") String operationId,
      @RequestHeader(name = "webhook-id", required = false) @Nullable String webhookId,
      @RequestHeader(name = "webhook-timestamp", required = false) @Nullable String timestamp,
      @RequestHeader(name = "webhook-signature", required = false) @Nullable String signature,
      @RequestBody byte[] body) {
    Optional<OperationId> parsed = OperationId.parse(operationId);
    OperationId id = parsed.orElse(null);
    CorrelationId correlation = null;
    try {
      long received = time.micros();
      verify(webhookId, timestamp, signature, body, received);
      Report report = Report.parse(mapper, body, received, properties.maxMessage());
      Pointer pointer = parsed.flatMap(store::pointer).orElse(null);
      if (id == null || pointer == null) {
        throw unknown();
      }
      correlation = pointer.correlationId();
      Change change = store.change(id, pointer, report.state(), report.revision());
      if (change == Change.UNKNOWN) {
        throw unknown();
      }
      hops.record(Hop.CALLBACK, change.wireName(), id, correlation);
      return ResponseEntity.ok(new Taken(change.wireName()));
    } catch (RedisAwayException e) {
      hops.record(Hop.CALLBACK, "unavailable", id, correlation);
      throw e;
    } catch (InvalidValueException e) {
      hops.record(Hop.CALLBACK, "rejected", id, correlation);
      throw e;
    } catch (CallbackProblem e) {
      boolean unknown = e.getStatusCode() == HttpStatus.NOT_FOUND;
      hops.record(Hop.CALLBACK, unknown ? "unknown" : "rejected", id, correlation);
      throw e;
    }
  }

  private void verify(
      @Nullable String id,
      @Nullable String timestamp,
      @Nullable String signature,
      byte[] body,
      long nowMicros) {
    switch (verifier.verify(id, timestamp, signature, body, nowMicros / 1_000_000)) {
      case VALID -> {}
      case MISSING_HEADER ->
          throw new CallbackProblem(
              HttpStatus.UNAUTHORIZED,
              "webhook-signature",
              "webhook-id, webhook-timestamp and webhook-signature are required");
      case STALE ->
          throw new CallbackProblem(
              HttpStatus.UNAUTHORIZED,
              "webhook-timestamp",
              "the timestamp must be within " + properties.window().toSeconds() + " s of now");
      case FORGED ->
          throw new CallbackProblem(
              HttpStatus.UNAUTHORIZED, "webhook-signature", "no accepted secret signed this");
    }
  }

  private static CallbackProblem unknown() {
    return new CallbackProblem(HttpStatus.NOT_FOUND, "operationId", "no such operation");
  }
}
