package dev.lastmile.coordination;

import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.CorrelationId;
import dev.lastmile.updates.OperationId;

/**
 * An operation that is to be created.
 *
 * @param kind what is to be done, a name that the external system knows
 * @param state how it starts
 * @param job JSON that the external system gets, kept until it has accepted
 */
public record Draft(
    OperationId id,
    Channel channel,
    String kind,
    CorrelationId correlationId,
    TraceContext trace,
    NewState state,
    String job) {
  /**
   * A caller's promise that two requests with the same key are one.
   *
   * @param keyDigest hexadecimal digest of the key, so that it may stand in a key of Redis
   * @param fingerprint hexadecimal digest of what was asked
   */
  public record Idempotency(String keyDigest, String fingerprint) {}
}
