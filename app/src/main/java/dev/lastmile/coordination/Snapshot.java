package dev.lastmile.coordination;

import dev.lastmile.updates.Update;

/**
 * One operation as it is now.
 *
 * @param epoch the epoch in which it was read
 * @param update its newest update
 */
public record Snapshot(String epoch, Update update) {

  /** An update that was stored just now. */
  public static Snapshot of(Update update) {
    return new Snapshot(update.cursor().epoch(), update);
  }

  /** Strong entity tag; equal tags mean equal bytes, across replicas and restarts of Redis. */
  public String etag() {
    return "\"" + epoch + "." + update.version() + "\"";
  }
}
