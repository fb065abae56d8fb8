package dev.lastmile.updates;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The changes of a channel after a sequence, from one atomic read of state.
 *
 * <p>It contains only the newest version of each operation, ascending by sequence, so its sequences
 * have gaps. After a {@code complete} delta a reader knows everything up to {@code head}; after an
 * incomplete one (a page) only up to {@link #reach()}.
 *
 * @param epoch the epoch of the read
 * @param term the term of the read
 * @param continuable for each known term, the highest sequence with which its readers can continue
 * @param head the highest sequence of the channel
 * @param floor the highest sequence that retention has deleted
 * @param after the sequence after which the read began; 0 means all retained state
 * @param updates ascending by sequence
 * @param complete whether the delta reaches the head, not only the end of a page
 */
public record Delta(
    String epoch,
    String term,
    Map<String, Long> continuable,
    long head,
    long floor,
    long after,
    List<Update> updates,
    boolean complete) {

  /**
   * Why the state of a client is replaced: a field of the event {@code reset}, and a label of the
   * counters.
   */
  public enum ResetReason {
    /** The cursor is of another channel. */
    CHANNEL,
    /** Keys of Redis were lost since. */
    EPOCH,
    /** Another primary took over, and the client may have seen what was lost. */
    TERM,
    /** The cursor is above everything that is stored. */
    AHEAD,
    /** Retention has deleted what the client missed. */
    RETENTION;

    /** The name in events and labels. */
    public String wireName() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Delta {
    continuable = Map.copyOf(continuable);
    updates = List.copyOf(updates);
  }

  /**
   * Whether a client can continue from this cursor. If not, its state has to be replaced: the
   * cursor has another epoch or an unknown term, is above the head at which the channel left its
   * term, is below the floor, or is partial and of another term.
   *
   * <p>A client that continues has seen no update that a failover lost. A client that is replaced
   * may have seen none either, if more than 16 terms began since.
   */
  public boolean continues(@Nullable Cursor cursor) {
    return cursor != null && cursor.sequence() >= floor && continuesPage(cursor);
  }

  /**
   * Whether this page follows one that ended at this cursor. The floor does not matter: pages may
   * continue below deleted sequences.
   */
  public boolean continuesPage(@Nullable Cursor cursor) {
    return cursor != null
        && cursor.epoch().equals(epoch)
        && (!cursor.partial() || cursor.term().equals(term))
        && cursor.sequence() <= continuable.getOrDefault(cursor.term(), -1L);
  }

  /** Why a client cannot continue from a cursor, if it {@linkplain #continues cannot}. */
  public ResetReason resetReason(Cursor cursor) {
    if (cursor.isComparable(ClientCursor.NOWHERE)) {
      return ResetReason.CHANNEL;
    }
    if (!cursor.epoch().equals(epoch)) {
      return ResetReason.EPOCH;
    }
    if (!continuesPage(cursor)) {
      return cursor.term().equals(term) ? ResetReason.AHEAD : ResetReason.TERM;
    }
    return ResetReason.RETENTION;
  }

  /** The sequence up to which a reader at {@link #after} knows everything after this delta. */
  public long reach() {
    return complete || updates.isEmpty() ? head : updates.getLast().sequence();
  }

  /** Where a reader is after this delta. */
  public Cursor reached(long sequence) {
    Cursor reached = headCursor().at(Math.max(sequence, reach()));
    return complete ? reached : reached.within();
  }

  /** The head as a cursor. */
  public Cursor headCursor() {
    return new Cursor(epoch, term, head);
  }
}
