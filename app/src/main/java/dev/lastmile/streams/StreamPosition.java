package dev.lastmile.streams;

import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import dev.lastmile.updates.Update;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How far a stream is in its channel: what its send queue has taken, what the kernel has accepted,
 * and how it came into its term. Guarded by the lock of its {@link StreamConnection}.
 */
final class StreamPosition {
  /**
   * The updates that the kernel has accepted.
   *
   * @param upTo everything up to this position has been flushed; null before the stream has begun
   * @param continuedFrom the sequence with which this connection continued into the term of {@code
   *     upTo}; 0 if its state was replaced since the stream began, and -1 in its first term
   * @param afterGap updates after a gap that is not repaired; they say nothing about earlier ones
   */
  record Flush(@Nullable Cursor upTo, long continuedFrom, List<Update> afterGap) {}

  /** The client's cursor when it connected; null if it sent none. */
  private final @Nullable Cursor resume;

  /** The highest position that the send queue has taken; null until {@code ready} is queued. */
  private @Nullable Cursor taken;

  /** The kernel has accepted everything up to this sequence; it follows {@code taken}. */
  private long flushed;

  private long continuedFrom = -1;

  StreamPosition(@Nullable Cursor resume) {
    this.resume = resume;
  }

  /** Whether {@code ready} has been queued for the client. */
  boolean isOpened() {
    return taken != null;
  }

  /** The position; null until {@code ready} is queued. */
  @Nullable Cursor taken() {
    return taken;
  }

  /** The cursor from which to read; null to read everything. */
  @Nullable Cursor resumeCursor() {
    return taken != null ? taken : resume;
  }

  /** Whether the send queue has taken this update, or a later state. */
  boolean hasReached(Cursor cursor) {
    return taken != null && taken.covers(cursor);
  }

  /** Whether the kernel has accepted this update, or a later state. */
  boolean hasFlushed(Cursor cursor) {
    return taken != null && taken.isComparable(cursor) && flushed >= cursor.sequence();
  }

  /** Whether this update is the next one. */
  boolean isNext(Cursor cursor) {
    return taken != null && cursor.follows(taken);
  }

  /** The send queue has taken the next update. */
  void advance(Cursor cursor) {
    taken = cursor;
  }

  /**
   * Enters the term of a read.
   *
   * @param continues whether the client continues; if not, its state is replaced
   * @return the sequence after which the client needs the updates of the read
   */
  long enter(Delta delta, boolean continues) {
    Cursor resumed = resumeCursor();
    long reached = continues && resumed != null ? resumed.sequence() : 0;
    if (!continues && resumed != null) {
      flushed = 0;
    }
    if (taken == null || !taken.epoch().equals(delta.epoch())) {
      continuedFrom = -1;
    } else if (!continues || !taken.isComparable(delta.headCursor())) {
      continuedFrom = reached;
    }
    return reached;
  }

  /** The send queue has taken the updates of a read up to this sequence. */
  void reached(Delta delta, long sequence) {
    taken = delta.reached(sequence);
  }

  /** The kernel has accepted an update; returns false if there is a gap before it. */
  boolean accepted(Update update) {
    Cursor cursor = update.cursor();
    if (taken == null || !cursor.isComparable(taken)) {
      return true;
    }
    boolean covered = taken.covers(cursor);
    if (covered) {
      flushed = Math.max(flushed, cursor.sequence());
    }
    return covered;
  }

  /**
   * What the kernel has accepted.
   *
   * @param all whether nothing waits in the send queue
   */
  Flush flush(boolean all, List<Update> afterGap) {
    if (taken == null) {
      return new Flush(null, -1, afterGap);
    }
    if (all) {
      flushed = taken.sequence();
    }
    return new Flush(taken.at(flushed), continuedFrom, afterGap);
  }
}
