package dev.lastmile.streams;

import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import org.jspecify.annotations.Nullable;

/**
 * Reads the authoritative state to start streams and to repair gaps. Implemented by {@code store}.
 */
public interface StateReader {
  /**
   * Reads the changes after a cursor, at most one page. For null, or a cursor that cannot be
   * continued, it reads all retained state. May block the calling thread; throws if the state
   * cannot be read.
   *
   * @param paging whether the cursor is the end of a page; such a cursor stays valid below deleted
   *     sequences
   */
  Delta read(Channel channel, @Nullable Cursor after, boolean paging);
}
