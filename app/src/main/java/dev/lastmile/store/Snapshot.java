package dev.lastmile.store;

import dev.lastmile.updates.Update;

/**
 * The stored state of one operation.
 *
 * @param epoch the epoch in which it was read
 * @param update its newest update
 */
public record Snapshot(String epoch, Update update) {

  /** The snapshot of an operation with this newest update. */
  public static Snapshot of(Update update) {
    return new Snapshot(update.cursor().epoch(), update);
  }

  /** Strong entity tag; equal tags mean equal bytes, across replicas and restarts of Redis. */
  public String etag() {
    return "\"" + epoch + "." + update.version() + "\"";
  }
}
