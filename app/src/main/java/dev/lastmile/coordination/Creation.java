package dev.lastmile.coordination;

import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Update;

/** How an attempt to create an operation ended. */
public sealed interface Creation {
  /** It exists now, as this update. */
  record Created(Update update) implements Creation {}

  /** The same request has created it before. */
  record Repeated(OperationId id) implements Creation {}

  /** The same request has created it before, and it has been deleted since. */
  record Gone() implements Creation {}

  /** The idempotency key was used for another request. */
  record Conflict() implements Creation {}

  /**
   * The channel has as many operations as it may have and none is final.
   *
   * @param limit how many
   */
  record Full(int limit) implements Creation {}
}
