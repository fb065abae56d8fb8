package dev.lastmile.updates;

/**
 * A position in the updates of one channel: everything up to {@code sequence} is known.
 *
 * <p>Sequences of different epochs are never compared. {@link ClientCursor} is its text for
 * clients.
 *
 * @param epoch 16 hexadecimal digits; changes when the partition's data was lost
 * @param sequence 0 (before the first update) or higher
 */
public record Cursor(String epoch, long sequence) {
  public Cursor {
    if (sequence < 0) {
      throw new IllegalArgumentException("sequence " + sequence);
    }
  }

  /** {@code <epoch>-<sequence>}, for logs. */
  @Override
  public String toString() {
    return epoch + "-" + sequence;
  }
}
