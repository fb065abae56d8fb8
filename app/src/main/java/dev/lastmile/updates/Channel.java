package dev.lastmile.updates;

import java.util.regex.Pattern;

/**
 * A stable audience: the streams and operations of one user.
 *
 * <p>Its value is derived from the user's identity by a one-way function, so keys and messages may
 * contain it. It is never taken from a URL.
 *
 * @param value 32 lower-case hexadecimal digits; the first one selects the partition
 */
public record Channel(String value) {
  private static final Pattern FORM = Pattern.compile("[0-9a-f]{32}");

  public Channel {
    if (!FORM.matcher(value).matches()) {
      throw new IllegalArgumentException("not a channel: " + value);
    }
  }

  /** The partition of this channel's keys. */
  public Partition partition() {
    return Partition.ofDigit(value.charAt(0));
  }

  @Override
  public String toString() {
    return value;
  }
}
