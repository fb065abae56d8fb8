package dev.lastmile.jobs;

import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.store.ChangeResult;
import dev.lastmile.store.OperationMetadata;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.Hop.Subject;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.HopRecorder.OpenHop;
import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.OperationId;
import java.util.function.Function;

/** Stores changes of operations, and records a hop for each. Any thread; blocks as the store. */
record RecordedChanges(HopRecorder hops) {
  /**
   * Stores a change. A change that has no effect has no hop.
   *
   * @param outcome of the hop if the change is stored
   * @param change stores it; gets the context of the hop, which is the parent of the publication
   * @throws RedisUnavailableException after the hop was recorded as {@code unavailable}
   */
  ChangeResult store(
      Hop hop,
      String outcome,
      OperationId id,
      OperationMetadata metadata,
      Function<TraceContext, ChangeResult> change) {
    Subject subject = Subject.of(id, metadata.correlationId());
    try (OpenHop open = hops.begin(hop, metadata.trace())) {
      try {
        ChangeResult result = change.apply(open.context());
        if (result == ChangeResult.STORED) {
          open.end(outcome, subject);
        }
        return result;
      } catch (RedisUnavailableException e) {
        open.end("unavailable", subject);
        throw e;
      }
    }
  }
}
