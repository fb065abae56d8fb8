package dev.lastmile.updates;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A position in the updates of one channel: everything up to {@code sequence} is known.
 *
 * <p>Its text is {@code <epoch>-<sequence>}. Sequences of different epochs are never compared.
 *
 * @param epoch 16 hexadecimal digits; changes when the partition's data was lost
 * @param sequence 0 (before the first update) or higher
 */
public record Cursor(String epoch, long sequence) {
  private static final Pattern FORM = Pattern.compile("([0-9a-f]{16})-(0|[1-9][0-9]{0,15})");

  public Cursor {
    if (sequence < 0) {
      throw new IllegalArgumentException("sequence " + sequence);
    }
  }

  /**
   * Parses a cursor from a request.
   *
   * @param field the field or header that contained it, for the problem detail
   * @throws InvalidValueException if the text does not have the form of a cursor
   */
  public static Cursor parse(String field, String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new InvalidValueException(
          field, "a cursor <epoch>-<sequence>, as in the id of an update");
    }
    return new Cursor(matcher.group(1), Long.parseLong(matcher.group(2)));
  }

  @Override
  public String toString() {
    return epoch + "-" + sequence;
  }
}
