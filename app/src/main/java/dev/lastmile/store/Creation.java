package dev.lastmile.store;

import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Update;

/** The result of a request to create an operation. */
public sealed interface Creation {
  /** The operation was created; this is its first update. */
  record Created(Update update) implements Creation {}

  /** The same request has created the operation before. */
  record Repeated(OperationId id) implements Creation {}

  /** The same request has created the operation before, and it has been deleted since. */
  record Gone() implements Creation {}

  /** The idempotency key was used for another request. */
  record Conflict() implements Creation {}

  /**
   * The channel has its maximum number of operations, and none of them is final.
   *
   * @param limit that maximum, {@code lastmile.retention.operations-per-channel}
   */
  record Full(int limit) implements Creation {}
}
