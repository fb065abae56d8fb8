package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.coordination.Draft.Idempotency;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.OperationId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keys and arguments of one call of {@code apply.lua}, in the order that the script documents.
 *
 * @param keys all in the partition of the operation
 * @param arguments as the script numbers them
 */
record ApplyCall(List<String> keys, List<byte[]> arguments) {

  /**
   * How an update leaves.
   *
   * @param broadcast whether it is published
   * @param context what it carries
   */
  record Publication(boolean broadcast, TraceContext context) {}

  /** Knows what is the same in every call of this replica. */
  record Factory(
      String topic, Replica replica, RetentionProperties retention, Duration overdueAfter) {

    ApplyCall create(
        Draft draft,
        @Nullable Idempotency idempotency,
        long submitAgainAfterMillis,
        Publication publication) {
      Channel channel = draft.channel();
      Pointer pointer =
          new Pointer(channel, draft.kind(), draft.correlationId(), draft.trace(), 0, draft.job());
      ApplyCall call =
          call("create", draft.id(), pointer, draft.state(), "0", "created", publication);
      call.keys.add(
          Keys.idempotency(channel, idempotency == null ? "none" : idempotency.keyDigest()));
      call.add(retention.operationsPerChannel());
      call.add(idempotency == null ? "" : idempotency.fingerprint());
      call.add(retention.idempotencyKeys().toMillis());
      call.add(submitAgainAfterMillis);
      call.add(draft.kind());
      call.add(draft.job());
      call.add(draft.trace().traceparent());
      call.add(draft.trace().tracestate());
      return call;
    }

    /**
     * @param revision the external system's number, or empty for a change of our own
     * @param outcome how the timeline says that it came
     */
    ApplyCall change(
        OperationId id,
        Pointer pointer,
        NewState state,
        String revision,
        String outcome,
        Publication publication) {
      return call("change", id, pointer, state, revision, outcome, publication);
    }

    private ApplyCall call(
        String mode,
        OperationId id,
        Pointer pointer,
        NewState state,
        String revision,
        String outcome,
        Publication publication) {
      ApplyCall call = new ApplyCall(keys(pointer.channel(), id), new ArrayList<>(24));
      call.add(mode);
      call.add(topic);
      call.add(publication.broadcast() ? "1" : "0");
      call.add(replica.name());
      call.add(pointer.channel().value());
      call.add(id.value());
      call.add(pointer.correlationId().value());
      call.add(publication.context().traceparent());
      call.add(publication.context().tracestate());
      call.add(state.status().name());
      call.add(revision);
      call.add(state.progress() == null ? "" : state.progress().toString());
      call.arguments.add(OperationJson.encode(id, pointer, state));
      call.add(state.receivedAtMicros());
      call.add(retention.afterFinal().toMillis());
      call.add(retention.versions());
      call.add(overdueAfter.toMillis());
      call.add(outcome);
      return call;
    }

    private static List<String> keys(Channel channel, OperationId id) {
      List<String> keys = new ArrayList<>(Keys.state(channel));
      keys.add(Keys.pointer(id));
      keys.add(Keys.timeline(id));
      keys.add(Keys.submissions(channel.partition()));
      keys.add(Keys.expiry(channel.partition()));
      keys.add(Keys.overdue(channel.partition()));
      keys.add(Keys.presence(channel));
      keys.add(Keys.leases(channel.partition()));
      keys.add(Keys.ledger(channel.partition()).getFirst());
      keys.add(Keys.entries(channel.partition()));
      keys.add(Keys.account(channel.partition()));
      return keys;
    }
  }

  private void add(Object value) {
    arguments.add(value.toString().getBytes(UTF_8));
  }
}
