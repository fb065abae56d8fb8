package dev.lastmile.callbacks;

import dev.lastmile.http.RequestProblem;
import dev.lastmile.redis.RedisTime;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.store.ChangeResult;
import dev.lastmile.store.OperationMetadata;
import dev.lastmile.store.OperationStore;
import dev.lastmile.store.ProgressReport;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.Hop.Subject;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.HopRecorder.OpenHop;
import dev.lastmile.updates.InvalidValueException;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Partition;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/**
 * Verifies webhooks and stores the progress that they report, on any replica and any number of
 * times.
 *
 * <p>The revision makes a callback idempotent; the webhook's id is not used. A repetition changes
 * nothing, even if the first attempt failed after Redis had stored it. Any thread.
 */
@Component
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
   * Verifies a webhook and stores its report. Never blocks.
   *
   * @return completes when Redis has stored the change (P1), on Redis's event loop. Completes with
   *     an {@link InvalidValueException} or a {@link RequestProblem} if nothing was changed.
   *     Completes with a {@link RedisUnavailableException} if it may or may not have been stored;
   *     sending again is safe.
   */
  CompletionStage<ChangeResult> take(Webhook webhook) {
    Attempt attempt = new Attempt(webhook);
    return attempt.begin().whenComplete(attempt::end);
  }

  /** One webhook in progress. One thread at a time. */
  private final class Attempt {
    private final Webhook webhook;
    private final Optional<OperationId> operation;

    /** The context of the request; the hop's span links to it. */
    private final Context request = Context.current();

    private Subject subject;

    /** Null until the operation is known. */
    private @Nullable OpenHop hop;

    Attempt(Webhook webhook) {
      this.webhook = webhook;
      this.operation = OperationId.parse(webhook.operationId());
      this.subject = Subject.of(operation.orElse(null), null);
    }

    CompletionStage<ChangeResult> begin() {
      try {
        long received =
            time.micros(operation.map(OperationId::partition).orElse(Partition.ALL.getFirst()));
        verify(received);
        ProgressReport report =
            ProgressReport.parse(mapper, webhook.body(), received, properties.maxMessage());
        checkOperation(report);
        OperationId id = operation.orElseThrow(Callbacks::unknown);
        return store.findMetadata(id).thenCompose(found -> store(id, found, report));
      } catch (Throwable e) {
        return CompletableFuture.failedFuture(e);
      }
    }

    private CompletionStage<ChangeResult> store(
        OperationId id, Optional<OperationMetadata> found, ProgressReport report) {
      OperationMetadata metadata = found.orElseThrow(Callbacks::unknown);
      subject = Subject.of(id, metadata.correlationId());
      OpenHop begun;
      try (Scope _ = request.makeCurrent()) {
        begun = hops.begin(Hop.CALLBACK, metadata.trace());
      }
      hop = begun;
      return store
          .change(id, metadata, report.state(), report.revision(), begun.context())
          .thenApply(change -> {
            if (change == ChangeResult.UNKNOWN) {
              throw unknown();
            }
            return change;
          });
    }

    void end(@Nullable ChangeResult change, @Nullable Throwable failure) {
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

    /** The hop's outcome; empty for an unexpected exception, which has none. */
    private static String outcome(@Nullable Throwable failure) {
      return switch (failure instanceof CompletionException e ? e.getCause() : failure) {
        case RedisUnavailableException _ -> "unavailable";
        case InvalidValueException _ -> "rejected";
        case RequestProblem e -> e.getStatusCode() == HttpStatus.NOT_FOUND ? "unknown" : "rejected";
        case null, default -> "";
      };
    }

    private void verify(long nowMicros) {
      switch (verifier.verify(webhook, nowMicros / 1_000_000)) {
        case VALID -> {}
        case MISSING_HEADER ->
            throw new RequestProblem(
                HttpStatus.UNAUTHORIZED,
                "webhook-id, webhook-timestamp and webhook-signature are required",
                "webhook-signature");
        case STALE ->
            throw new RequestProblem(
                HttpStatus.UNAUTHORIZED,
                "the timestamp must be within " + properties.window().toSeconds() + " s of now",
                "webhook-timestamp");
        case FORGED ->
            throw new RequestProblem(
                HttpStatus.UNAUTHORIZED,
                "the signature matches no accepted secret",
                "webhook-signature");
      }
    }

    /**
     * Checks that the body's operation id matches the URL. The signature covers the body only, so
     * such a webhook cannot be replayed to another operation.
     */
    private void checkOperation(ProgressReport report) {
      if (!report.operation().isEmpty() && !report.operation().equals(webhook.operationId())) {
        throw new InvalidValueException("operationId", "the operation id in the URL");
      }
    }
  }

  private static RequestProblem unknown() {
    return new RequestProblem(HttpStatus.NOT_FOUND, "no such operation", "operationId");
  }
}
