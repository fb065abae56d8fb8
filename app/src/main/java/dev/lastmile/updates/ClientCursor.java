package dev.lastmile.updates;

import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/**
 * The text of a cursor for clients: {@code <epoch>-<sequence>-<term>.<channel check>}.
 *
 * <p>The check names the channel. A browser may keep a cursor while its identity changes, and
 * positions of two channels of a partition could be confused otherwise. The term names the Redis
 * primary that served the partition. A {@code p} after it means that the position is partial.
 *
 * <p>To clients the text is opaque, except that cursors with the same epoch, term and check can be
 * compared by their sequences.
 */
public final class ClientCursor {
  /** The position of a client that has to begin anew: no channel continues it. */
  public static final Cursor NOWHERE = new Cursor("0".repeat(16), "0", 0);

  /** With a suffix, or without one: the form before channels were named. */
  private static final Pattern FORM =
      Pattern.compile("([0-9a-f]{16})-(0|[1-9][0-9]{0,15})(?:-([0-9a-z]{1,40})\\.([0-9a-f]{8}))?");

  private ClientCursor() {}

  /** The text of a position in a channel. */
  public static String text(Cursor cursor, Channel channel) {
    return cursor + "." + check(channel);
  }

  /**
   * Parses a cursor from a request.
   *
   * @param field the field or header that contained it, for the problem detail
   * @param channel the channel of the client
   * @return the position; {@link #NOWHERE} if it is one of another channel, or names no channel
   * @throws InvalidValueException if the text does not have the form of a cursor
   */
  public static Cursor parse(String field, String text, Channel channel) {
    return find(text, channel)
        .orElseThrow(() -> new InvalidValueException(field, "a cursor, as in the id of an update"));
  }

  /** As {@link #parse}; empty if the text does not have the form of a cursor. */
  public static Optional<Cursor> find(String text, Channel channel) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    return Optional.of(
        check(channel).equals(matcher.group(4))
            ? cursor(matcher.group(1), matcher.group(3), Long.parseLong(matcher.group(2)))
            : NOWHERE);
  }

  private static Cursor cursor(String epoch, String term, long sequence) {
    boolean partial = term.endsWith("p");
    String name = partial ? term.substring(0, term.length() - 1) : term;
    return new Cursor(epoch, name, sequence, partial);
  }

  private static String check(Channel channel) {
    CRC32 crc = new CRC32();
    for (int i = 0; i < channel.value().length(); i++) {
      crc.update(channel.value().charAt(i));
    }
    return HexFormat.of().toHexDigits((int) crc.getValue());
  }
}
