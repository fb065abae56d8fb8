package dev.lastmile.connections;

import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import org.jspecify.annotations.Nullable;

/** Port: reads of authoritative state, by which holes are repaired and streams begin. */
public interface DeltaReads {
  /**
   * What changed after a cursor, a page at most; everything retained for null or a cursor that does
   * not fit. May block the calling thread; throws if state cannot be read now.
   *
   * @param paging whether the cursor is where a page ended, which fits also below what was deleted
   */
  Delta read(Channel channel, @Nullable Cursor after, boolean paging);
}
