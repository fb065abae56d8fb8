package dev.lastmile.store;

import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.CorrelationId;
import dev.lastmile.updates.OperationId;
import java.time.Duration;

/**
 * An operation to create.
 *
 * @param kind kind of work, a name that the external system defines
 * @param state first state
 * @param job JSON for the external system, stored until it has accepted the job
 * @param deadline age at which it becomes {@code FAILED} if it has no outcome
 */
public record NewOperation(
    OperationId id,
    Channel channel,
    String kind,
    CorrelationId correlationId,
    TraceContext trace,
    StateChange state,
    String job,
    Duration deadline) {
  /**
   * Marks requests of a caller that must create one operation only.
   *
   * @param keyDigest hexadecimal digest of the idempotency key, for use in a Redis key
   * @param fingerprint hexadecimal digest of the request
   */
  public record Idempotency(String keyDigest, String fingerprint) {}
}
