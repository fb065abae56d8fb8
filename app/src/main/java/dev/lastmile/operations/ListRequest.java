package dev.lastmile.operations;

import dev.lastmile.updates.Channel;
import dev.lastmile.updates.ClientCursor;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.InvalidValueException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a list of operations.
 *
 * @param from the cursor after which the list begins; null for all retained operations
 * @param shown the cursor of the newest operation that the client shows, if it is above {@code
 *     from} or of another term; null for none
 * @param head the head at the first page of a paged list, if this is not its first page; otherwise
 *     -1
 * @param limit the most operations in the answer; 0 for all
 */
record ListRequest(@Nullable Cursor from, @Nullable Cursor shown, long head, int limit) {
  private static final int MAX_LIMIT = 1_000;
  private static final Pattern NUMBER = Pattern.compile("[1-9][0-9]{0,15}");

  /** {@link #next}: the end of the previous page, and the head at the first page. */
  private static final Pattern NEXT = Pattern.compile("(.+)_(0|[1-9][0-9]{0,15})");

  /**
   * Parses the parameters; an empty one is absent. With {@code next}, {@code after} and {@code
   * shown} have no effect.
   *
   * @param channel the channel of the client
   * @throws InvalidValueException if one is invalid
   */
  static ListRequest parse(
      Channel channel,
      @Nullable String after,
      @Nullable String shown,
      @Nullable String next,
      @Nullable String limit) {
    int operations = limit == null || limit.isEmpty() ? 0 : limit(limit);
    if (next == null || next.isEmpty()) {
      return new ListRequest(
          cursor("after", after, channel), cursor("shown", shown, channel), -1, operations);
    }
    Matcher position = NEXT.matcher(next);
    Cursor reached =
        Optional.of(position)
            .filter(Matcher::matches)
            .flatMap(match -> ClientCursor.find(match.group(1), channel))
            .orElseThrow(() -> new InvalidValueException("next", "the next of an earlier page"));
    return new ListRequest(reached, null, Long.parseLong(position.group(2)), operations);
  }

  private static @Nullable Cursor cursor(String field, @Nullable String text, Channel channel) {
    return text == null || text.isEmpty() ? null : ClientCursor.parse(field, text, channel);
  }

  private static int limit(String text) {
    if (!NUMBER.matcher(text).matches() || Long.parseLong(text) > MAX_LIMIT) {
      throw new InvalidValueException("limit", "a whole number from 1 to " + MAX_LIMIT);
    }
    return Integer.parseInt(text);
  }

  /** Whether this is a later page of a list. */
  boolean continues() {
    return head >= 0;
  }

  /** Whether the answer ends after one page. */
  boolean paged() {
    return limit > 0;
  }

  /** The parameter {@code next} of the page after one that ended at a cursor. */
  static String next(Channel channel, Cursor reached, long head) {
    return ClientCursor.text(reached, channel) + "_" + head;
  }
}
