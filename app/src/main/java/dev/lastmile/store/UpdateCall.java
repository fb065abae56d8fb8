package dev.lastmile.store;

import dev.lastmile.redis.Keys;
import dev.lastmile.redis.PubsubChannels;
import dev.lastmile.redis.Script;
import dev.lastmile.redis.ScriptArguments;
import dev.lastmile.store.NewOperation.Idempotency;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.OperationId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One call of a script that stores an update.
 *
 * @param keys in the order of the script, all in the partition of the operation
 * @param arguments in the order of the script
 */
record UpdateCall(Script script, List<String> keys, ScriptArguments arguments) {

  /**
   * How an update is published.
   *
   * @param mode the fan-out mode, which decides on the Pub/Sub channels
   * @param context trace context that it carries
   */
  record Publication(FanOut.Mode mode, TraceContext context) {}

  /** Builds calls with the values that are the same in every call of this replica. */
  record Factory(
      PubsubChannels channels,
      Replica replica,
      RetentionProperties retention,
      Duration overdueAfter) {

    UpdateCall create(
        NewOperation operation,
        @Nullable Idempotency idempotency,
        long submitAgainAfterMillis,
        Publication publication) {
      Channel channel = operation.channel();
      OperationMetadata metadata =
          new OperationMetadata(
              channel,
              operation.kind(),
              operation.correlationId(),
              operation.trace(),
              0,
              operation.job());
      UpdateCall call =
          call(Script.CREATE, operation.id(), metadata, operation.state(), "created", publication);
      call.keys.add(
          Keys.idempotency(channel, idempotency == null ? "none" : idempotency.keyDigest()));
      call.arguments
          .add(retention.operationsPerChannel())
          .add(idempotency == null ? "" : idempotency.fingerprint())
          .add(retention.idempotencyKeys())
          .add(submitAgainAfterMillis)
          .add(operation.kind())
          .add(operation.job())
          .add(operation.trace().traceparent())
          .add(operation.trace().tracestate())
          .add(operation.deadline());
      return call;
    }

    /**
     * The call that stores a change.
     *
     * @param revision revision of the external system, or empty for a change by this service
     * @param overrides whether the change is made whatever the stored revision is
     * @param outcome outcome of the first hop, for the timeline
     */
    UpdateCall change(
        OperationId id,
        OperationMetadata metadata,
        StateChange state,
        String revision,
        boolean overrides,
        String outcome,
        Publication publication) {
      UpdateCall call = call(Script.CHANGE, id, metadata, state, outcome, publication);
      call.arguments.add(revision).add(retention.afterFinal()).add(overrides);
      return call;
    }

    private UpdateCall call(
        Script script,
        OperationId id,
        OperationMetadata metadata,
        StateChange state,
        String outcome,
        Publication publication) {
      ScriptArguments arguments =
          new ScriptArguments()
              .add(channels.prefix(id.partition()))
              .add(publication.mode().wireName())
              .add(replica.name())
              .add(metadata.channel().value())
              .add(id.value())
              .add(metadata.correlationId().value())
              .add(publication.context().traceparent())
              .add(publication.context().tracestate())
              .add(state.status().name())
              .add(state.progress() == null ? "" : state.progress().toString())
              .add(OperationJson.encode(id, metadata, state))
              .add(state.receivedAtMicros())
              .add(retention.versions())
              .add(overdueAfter)
              .add(outcome);
      return new UpdateCall(script, keys(metadata.channel(), id), arguments);
    }

    private static List<String> keys(Channel channel, OperationId id) {
      List<String> keys = new ArrayList<>(Keys.state(channel));
      keys.add(Keys.operationMetadata(id));
      keys.add(Keys.timeline(id));
      keys.add(Keys.submissions(channel.partition()));
      keys.add(Keys.expiry(channel.partition()));
      keys.add(Keys.overdue(channel.partition()));
      keys.add(Keys.presence(channel));
      keys.add(Keys.leases(channel.partition()));
      keys.add(Keys.ledger(channel.partition()).getFirst());
      keys.add(Keys.entries(channel.partition()));
      keys.add(Keys.account(channel.partition()));
      keys.add(Keys.deadlines(channel.partition()));
      return keys;
    }
  }
}
