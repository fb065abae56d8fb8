package dev.lastmile.connections;

import dev.lastmile.updates.Update;
import org.jspecify.annotations.Nullable;

/** One server-sent event as it goes over the wire, shared by all connections that get it. */
final class Frame {
  private final byte[] bytes;
  private final @Nullable Update update;

  Frame(byte[] bytes, @Nullable Update update) {
    this.bytes = bytes;
    this.update = update;
  }

  /** UTF-8; not to be changed. */
  byte[] bytes() {
    return bytes;
  }

  /** What it carries; null for ready, heartbeat, reset and the like. */
  @Nullable Update update() {
    return update;
  }
}
