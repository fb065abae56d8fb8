package dev.lastmile.connections;

import dev.lastmile.updates.Update;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * One server-sent event as it goes over the wire, shared by all connections that get it.
 *
 * <p>Immutable but for the mark that it has been flushed somewhere, which the first connection
 * sets.
 */
final class Frame {
  private final byte[] bytes;
  private final @Nullable Update update;
  private final AtomicBoolean flushed = new AtomicBoolean();

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

  /** Marks that a kernel took it; true for the first caller only. */
  boolean markFlushed() {
    return flushed.compareAndSet(false, true);
  }
}
