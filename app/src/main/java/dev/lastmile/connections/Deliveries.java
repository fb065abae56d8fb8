package dev.lastmile.connections;

import dev.lastmile.updates.Update;

/** Port: takes note of what has been flushed. */
public interface Deliveries {
  /**
   * The kernel took the bytes of this update on a connection; called once per frame object. Must
   * not block.
   */
  void flushed(Update update);
}
