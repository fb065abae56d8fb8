package dev.lastmile.updates;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;

/**
 * The message that travels over Redis: one header line, then the payload.
 *
 * <pre>
 * 1 TAB owners TAB channel TAB operationId TAB epoch TAB sequence TAB version TAB
 *   correlationId TAB traceparent TAB tracestate TAB publishedAtMicros TAB
 *   operationLength LF payload
 * </pre>
 *
 * <p>The script {@code apply.lua} writes it and stores it as the operation's newest state; the same
 * bytes are published. A replica that holds no connection of the channel looks at {@link
 * #channelOf} and drops the rest unread. No field can hold a tab or a line break.
 */
public final class Envelope {
  /** First field of the header; another one means a newer writer. */
  private static final char FORMAT = '1';

  private static final int CHANNEL = 2;
  private static final int FIELDS = 12;

  private Envelope() {}

  /**
   * The channel, without reading the rest.
   *
   * @throws IllegalArgumentException if the bytes are no envelope of this format
   */
  public static String channelOf(byte[] envelope) {
    if (envelope.length < 2 || envelope[0] != FORMAT || envelope[1] != '\t') {
      throw new IllegalArgumentException("not an envelope of format " + FORMAT);
    }
    int start = 0;
    for (int field = 0; field < CHANNEL; field++) {
      start = after('\t', envelope, start);
    }
    int end = after('\t', envelope, start) - 1;
    return new String(envelope, start, end - start, UTF_8);
  }

  /**
   * Reads a whole envelope.
   *
   * @throws IllegalArgumentException if the bytes are no envelope of this format
   */
  public static Update decode(byte[] envelope) {
    int end = after('\n', envelope, 0);
    String[] header = new String(envelope, 0, end - 1, UTF_8).split("\t", -1);
    if (header.length != FIELDS || header[0].length() != 1 || header[0].charAt(0) != FORMAT) {
      throw new IllegalArgumentException("not an envelope of format " + FORMAT);
    }
    return new Update(
        new Channel(header[CHANNEL]),
        new OperationId(header[3]),
        new Cursor(header[4], Long.parseLong(header[5])),
        Long.parseLong(header[6]),
        new CorrelationId(header[7]),
        header[8],
        header[9],
        Long.parseLong(header[10]),
        Integer.parseInt(header[11]),
        Arrays.copyOfRange(envelope, end, envelope.length));
  }

  private static int after(char mark, byte[] bytes, int from) {
    for (int i = from; i < bytes.length; i++) {
      if (bytes[i] == mark) {
        return i + 1;
      }
    }
    throw new IllegalArgumentException("envelope ends before its header does");
  }
}
