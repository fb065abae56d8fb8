package dev.lastmile.store;

import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Update;

/**
 * The stored state of one operation.
 *
 * @param update its newest update, in the epoch and term in which it was read
 */
public record Snapshot(Update update) {

  /**
   * Strong entity tag; equal tags mean equal bytes, across replicas. The term is in it, because
   * after a failover another update may have the version of a lost one.
   */
  public String etag() {
    Cursor read = update.cursor();
    return "\"" + read.epoch() + "." + read.term() + "." + update.version() + "\"";
  }
}
