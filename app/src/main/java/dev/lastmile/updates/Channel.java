package dev.lastmile.updates;

import java.util.regex.Pattern;

/**
 * A stable audience: the streams and operations of one user.
 *
 * <p>Its value is derived from the user's identity by a one-way function, so it may stand in keys
 * and messages. It never comes from a URL.
 *
 * @param value 32 lower-case hexadecimal digits; the first one is the partition
 */
public record Channel(String value) {
  private static final Pattern FORM = Pattern.compile("[0-9a-f]{32}");

  public Channel {
    if (!FORM.matcher(value).matches()) {
      throw new IllegalArgumentException("not a channel: " + value);
    }
  }

  /** Where the keys of this channel live. */
  public Partition partition() {
    return Partition.ofDigit(value.charAt(0));
  }

  @Override
  public String toString() {
    return value;
  }
}
