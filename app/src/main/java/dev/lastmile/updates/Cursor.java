package dev.lastmile.updates;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A place in the updates of one channel: everything up to {@code sequence} is known.
 *
 * <p>Written {@code <epoch>-<sequence>}. Sequences of different epochs are never compared.
 *
 * @param epoch 16 hexadecimal digits, one life of the data behind a partition
 * @param sequence 0 (nothing yet) or higher
 */
public record Cursor(String epoch, long sequence) {
  private static final Pattern FORM = Pattern.compile("([0-9a-f]{16})-(0|[1-9][0-9]{0,15})");

  public Cursor {
    if (sequence < 0) {
      throw new IllegalArgumentException("sequence " + sequence);
    }
  }

  /**
   * Reads a cursor that came from outside.
   *
   * @param field where it stood, for the problem's text
   * @throws InvalidValueException if no cursor of ours looks like this
   */
  public static Cursor parse(String field, String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new InvalidValueException(
          field, "a cursor as the id of an update carries it: <epoch>-<sequence>");
    }
    return new Cursor(matcher.group(1), Long.parseLong(matcher.group(2)));
  }

  @Override
  public String toString() {
    return epoch + "-" + sequence;
  }
}
