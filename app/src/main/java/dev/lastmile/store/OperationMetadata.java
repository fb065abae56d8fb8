package dev.lastmile.store;

import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.CorrelationId;

/**
 * The immutable part of an operation, and its job until the external system has accepted it.
 *
 * @param createdAtMillis Redis time; 0 while the operation is being created
 * @param job JSON for the external system; empty after it has accepted the job
 */
public record OperationMetadata(
    Channel channel,
    String kind,
    CorrelationId correlationId,
    TraceContext trace,
    long createdAtMillis,
    String job) {

  OperationMetadata withoutJob() {
    return new OperationMetadata(channel, kind, correlationId, trace, createdAtMillis, "");
  }
}
