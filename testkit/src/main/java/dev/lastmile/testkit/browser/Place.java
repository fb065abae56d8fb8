package dev.lastmile.testkit.browser;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A cursor: a position in the updates of a channel.
 *
 * @param check what follows the term in the cursor; begins with p within a read of state
 */
record Place(String epoch, long sequence, String term, String check) {
  private static final Pattern CURSOR =
      Pattern.compile("([0-9a-f]{16})-([0-9]+)-([0-9a-f]+)(p?\\..*)");

  static Place of(String cursor) {
    Matcher parts = CURSOR.matcher(cursor);
    if (!parts.matches()) {
      throw new IllegalArgumentException("not a cursor: " + cursor);
    }
    return new Place(
        parts.group(1), Long.parseLong(parts.group(2)), parts.group(3), parts.group(4));
  }

  boolean isAfter(Place other) {
    return epoch.equals(other.epoch) && term.equals(other.term) && sequence > other.sequence;
  }

  boolean covers(Place other) {
    return epoch.equals(other.epoch) && sequence >= other.sequence;
  }

  @Override
  public String toString() {
    return epoch + "-" + sequence + "-" + term + check;
  }
}
