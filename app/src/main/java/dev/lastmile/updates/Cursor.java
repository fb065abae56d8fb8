package dev.lastmile.updates;

/**
 * A position in the updates of one channel: everything up to {@code sequence} is known.
 *
 * <p>Sequences of different epochs are never compared. Those of different terms need the heads that
 * the terms found, see {@link Delta#continues}. {@link ClientCursor} is its text for clients.
 *
 * @param epoch 16 hexadecimal digits; changes when the partition's data was lost
 * @param term names the time during which one Redis server was the primary, and in which this
 *     position was read or published; 12 hexadecimal digits
 * @param sequence 0 (before the first update) or higher
 * @param partial whether the position is within a read of state. A read has the newest update of
 *     each operation only, so an operation that comes later in it may be missing. Such a position
 *     is valid in its term only
 */
public record Cursor(String epoch, String term, long sequence, boolean partial) {
  public Cursor {
    if (sequence < 0) {
      throw new IllegalArgumentException("sequence " + sequence);
    }
  }

  /** A position up to which everything is known. */
  public Cursor(String epoch, String term, long sequence) {
    this(epoch, term, sequence, false);
  }

  /** Whether the sequences of both can be compared: no update was lost between them. */
  public boolean isComparable(Cursor other) {
    return epoch.equals(other.epoch) && term.equals(other.term);
  }

  /** Whether it is comparable with another one, and not below it. */
  public boolean covers(Cursor other) {
    return isComparable(other) && sequence >= other.sequence;
  }

  /** Whether it is the next one after another one, in the same term. */
  public boolean follows(Cursor other) {
    return isComparable(other) && sequence == other.sequence + 1;
  }

  /** Another position of the same term. */
  public Cursor at(long other) {
    return new Cursor(epoch, term, other);
  }

  /** This position within a read of state. */
  public Cursor within() {
    return new Cursor(epoch, term, sequence, true);
  }

  /** The term, followed by {@code p} if the position is partial. */
  public String termText() {
    return partial ? term + "p" : term;
  }

  /** {@code <epoch>-<sequence>-<term>}. */
  @Override
  public String toString() {
    return epoch + "-" + sequence + "-" + termText();
  }
}
