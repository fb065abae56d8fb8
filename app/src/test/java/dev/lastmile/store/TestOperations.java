package dev.lastmile.store;

import dev.lastmile.redis.PubsubChannels;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.Script;
import dev.lastmile.redis.ScriptArguments;
import dev.lastmile.redis.ScriptReply;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.CorrelationId;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.OperationStatus;
import java.time.Duration;
import java.util.List;

/** Creates operations for the tests of other packages, by the script itself. */
public final class TestOperations {
  private TestOperations() {}

  /**
   * Creates and publishes an operation on the topic {@code updates}; returns the script's reply.
   */
  public static ScriptReply create(RedisConnection redis, OperationId id, Channel channel) {
    return create(redis::run, id, channel);
  }

  /** Runs a script. */
  interface Runner {
    List<Object> run(Script script, List<String> keys, ScriptArguments arguments);
  }

  private static final RetentionProperties RETENTION =
      new RetentionProperties(
          200,
          Duration.ofHours(1),
          Duration.ofHours(1),
          20,
          Duration.ofHours(1),
          Duration.ofMinutes(1),
          64,
          262_144);

  private static final UpdateCall.Factory CALLS =
      new UpdateCall.Factory(
          new PubsubChannels("", Replica.named("publisher")),
          Replica.named("publisher"),
          RETENTION,
          Duration.ofMinutes(1));

  /** Reports a status, with a revision that is always new. The reply contains the envelope. */
  static ScriptReply change(Runner redis, OperationId id, Channel channel, OperationStatus status) {
    TraceContext trace = TraceContext.of(null, null);
    OperationMetadata metadata =
        new OperationMetadata(channel, "export", CorrelationId.random(), trace, 0, "");
    UpdateCall call =
        CALLS.change(
            id,
            metadata,
            new StateChange(status, 0, null, null, 0),
            Long.toString(System.nanoTime()),
            false,
            "stored",
            new UpdateCall.Publication(FanOut.Mode.LOCAL_ONLY, trace));
    return new ScriptReply(redis.run(call.script(), call.keys(), call.arguments()));
  }

  static ScriptReply create(Runner redis, OperationId id, Channel channel) {
    TraceContext trace = TraceContext.of(null, null);
    NewOperation operation =
        new NewOperation(
            id,
            channel,
            "export",
            CorrelationId.random(),
            trace,
            new StateChange(OperationStatus.PENDING, 0, null, null, 0),
            "{}",
            Duration.ofHours(1));
    UpdateCall call =
        CALLS.create(
            operation, null, 60_000, new UpdateCall.Publication(FanOut.Mode.BROADCAST, trace));
    return new ScriptReply(redis.run(call.script(), call.keys(), call.arguments()));
  }
}
