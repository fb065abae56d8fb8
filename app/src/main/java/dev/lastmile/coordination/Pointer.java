package dev.lastmile.coordination;

import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.CorrelationId;

/**
 * What never changes of an operation.
 *
 * @param createdAtMillis Redis time, 0 while it is being created
 * @param job what the external system has to be told; empty once it has accepted
 */
public record Pointer(
    Channel channel,
    String kind,
    CorrelationId correlationId,
    TraceContext trace,
    long createdAtMillis,
    String job) {

  Pointer withoutJob() {
    return new Pointer(channel, kind, correlationId, trace, createdAtMillis, "");
  }
}
