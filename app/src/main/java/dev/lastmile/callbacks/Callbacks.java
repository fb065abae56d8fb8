package dev.lastmile.callbacks;

import dev.lastmile.coordination.Change;
import dev.lastmile.coordination.OperationStore;
import dev.lastmile.coordination.Pointer;
import dev.lastmile.coordination.RedisAwayException;
import dev.lastmile.coordination.RedisTime;
import dev.lastmile.coordination.Report;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.Hop.Subject;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.HopRecorder.OpenHop;
import dev.lastmile.updates.InvalidValueException;
import dev.lastmile.updates.OperationId;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import tools.jackson.databind.json.JsonMapper;

/**
 * Takes webhooks, on any replica, any number of times.
 *
 * <p>The revision makes a callback idempotent, not the webhook's id: a repetition changes nothing,
 * also when the first attempt died after Redis had stored it.
 */
final class Callbacks {
  private final OperationStore store;
  private final RedisTime time;
  private final WebhookVerifier verifier;
  private final CallbacksProperties properties;
  private final JsonMapper mapper;
  private final HopRecorder hops;

  Callbacks(
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
   * Checks a webhook and stores what it reports. Never waits.
   *
   * @return completes when Redis has stored it (P1), on the event loop of Redis, or with an {@link
   *     InvalidValueException}, a {@link CallbackProblem} or a {@link RedisAwayException}: then
   *     nothing was changed, or nobody knows and it may be sent again
   */
  CompletionStage<Change> take(Webhook webhook) {
    Attempt attempt = new Attempt(webhook);
    return attempt.begin().whenComplete(attempt::end);
  }

  /** One webhook on its way. One thread at a time. */
  private final class Attempt {
    private final Webhook webhook;
    private final Optional<OperationId> operation;

    /** The request, which the hop's span links, wherever it is made. */
    private final Context request = Context.current();

    private Subject subject;

    /** Null until its operation is known. */
    private @Nullable OpenHop hop;

    Attempt(Webhook webhook) {
      this.webhook = webhook;
      this.operation = OperationId.parse(webhook.operationId());
      this.subject = Subject.of(operation.orElse(null), null);
    }

    CompletionStage<Change> begin() {
      try {
        long received = time.micros();
        verify(received);
        Report report = Report.parse(mapper, webhook.body(), received, properties.maxMessage());
        checkOperation(report);
        OperationId id = operation.orElseThrow(Callbacks::unknown);
        return store.findPointer(id).thenCompose(found -> store(id, found, report));
      } catch (Throwable e) {
        return CompletableFuture.failedFuture(e);
      }
    }

    private CompletionStage<Change> store(OperationId id, Optional<Pointer> found, Report report) {
      Pointer pointer = found.orElseThrow(Callbacks::unknown);
      subject = Subject.of(id, pointer.correlationId());
      OpenHop begun;
      try (Scope _ = request.makeCurrent()) {
        begun = hops.begin(Hop.CALLBACK, pointer.trace());
      }
      hop = begun;
      return store
          .change(id, pointer, report.state(), report.revision(), begun.context())
          .thenApply(change -> {
            if (change == Change.UNKNOWN) {
              throw unknown();
            }
            return change;
          });
    }

    void end(@Nullable Change change, @Nullable Throwable failure) {
      String outcome = change != null ? change.wireName() : outcome(failure);
      if (outcome.isEmpty()) {
        return;
      }
      try (Scope _ = request.makeCurrent()) {
        if (hop == null) {
          hops.record(Hop.CALLBACK, outcome, subject);
        } else {
          hop.end(outcome, subject);
        }
      }
    }

    /** Empty for a fault of ours, which is none of the outcomes. */
    private static String outcome(@Nullable Throwable failure) {
      return switch (failure instanceof CompletionException e ? e.getCause() : failure) {
        case RedisAwayException _ -> "unavailable";
        case InvalidValueException _ -> "rejected";
        case CallbackProblem e ->
            e.getStatusCode() == HttpStatus.NOT_FOUND ? "unknown" : "rejected";
        case null, default -> "";
      };
    }

    private void verify(long nowMicros) {
      switch (verifier.verify(webhook, nowMicros / 1_000_000)) {
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

    /**
     * The signature covers the body and not the address: a webhook that names its operation cannot
     * be sent again to another one.
     */
    private void checkOperation(Report report) {
      if (!report.operation().isEmpty() && !report.operation().equals(webhook.operationId())) {
        throw new InvalidValueException("operationId", "the operation that is called back");
      }
    }
  }

  private static CallbackProblem unknown() {
    return new CallbackProblem(HttpStatus.NOT_FOUND, "operationId", "no such operation");
  }
}
