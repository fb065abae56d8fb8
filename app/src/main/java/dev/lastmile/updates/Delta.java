package dev.lastmile.updates;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What changed in a channel after a sequence: one atomic read of state.
 *
 * <p>It has only the newest version of each operation, ascending by sequence, so its sequences have
 * gaps. After the last update of a {@code complete} delta a reader knows everything up to {@code
 * head}; after an incomplete one (a page) only everything up to {@link #reach()}.
 *
 * @param epoch the epoch of the read
 * @param head the highest sequence of the channel
 * @param floor the highest sequence that was deleted by retention
 * @param after the sequence after which was read; 0 means everything retained
 * @param updates ascending by sequence
 * @param complete whether nothing was left out for the page's size
 */
public record Delta(
    String epoch, long head, long floor, long after, List<Update> updates, boolean complete) {

  public Delta {
    updates = List.copyOf(updates);
  }

  /**
   * Whether a client at this cursor can go on from it. If not (another epoch, ahead of the head, or
   * below what was deleted), its state has to be replaced.
   */
  public boolean continues(@Nullable Cursor cursor) {
    return cursor != null
        && cursor.epoch().equals(epoch)
        && cursor.sequence() <= head
        && cursor.sequence() >= floor;
  }

  /**
   * Whether this is the page after one that ended at this cursor. What was deleted meanwhile does
   * not matter: it is gone, and pages go on from a position below it.
   */
  public boolean continuesPage(@Nullable Cursor cursor) {
    return cursor != null && cursor.epoch().equals(epoch) && cursor.sequence() <= head;
  }

  /** The sequence up to which this delta brings a reader that stood at {@link #after}. */
  public long reach() {
    return complete || updates.isEmpty() ? head : updates.getLast().sequence();
  }

  /** The head as a cursor. */
  public Cursor headCursor() {
    return new Cursor(epoch, head);
  }
}
