package dev.lastmile.updates;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;

/**
 * The format of messages in Redis Pub/Sub. The first byte is the type.
 *
 * <p>An update is one header line, followed by the operation's JSON object without its end:
 *
 * <pre>
 * 5 TAB owners TAB channel TAB operationId TAB epoch TAB term TAB sequence TAB version TAB
 *   correlationId TAB traceparent TAB tracestate TAB publishedAtMicros LF state
 * </pre>
 *
 * <p>The scripts {@code create.lua} and {@code change.lua} write it, store it as the operation's
 * newest state, and publish the same bytes. The owners are incarnations, separated by commas. A
 * replica that is not an owner and holds no connection of the channel drops the message without
 * decoding it. No field can contain a tab or a line break.
 *
 * <p>A redelivery ({@link Delivery#decodeRedelivery}) is a header alone: {@code 6 TAB owner TAB
 * channel TAB ...}.
 */
public final class Envelope {
  /** The first field of an update's header; another value means another format. */
  private static final char FORMAT = '5';

  private static final char REDELIVERY = '6';

  private static final int OWNERS = 1;
  private static final int CHANNEL = 2;
  private static final int FIELDS = 12;

  private Envelope() {}

  /**
   * The channel of an update or a redelivery, without decoding the rest.
   *
   * @throws IllegalArgumentException if the bytes are neither
   */
  public static String channelOf(byte[] message) {
    boolean known = message.length > 1 && (message[0] == FORMAT || message[0] == REDELIVERY);
    if (!known || message[1] != '\t') {
      throw new IllegalArgumentException("not an envelope of format " + FORMAT);
    }
    return field(message, CHANNEL);
  }

  /** Whether the message is a redelivery, see {@link Delivery#decodeRedelivery}. */
  public static boolean isRedelivery(byte[] message) {
    return message[0] == REDELIVERY;
  }

  /** The owners of an update or a redelivery, separated by commas; empty if there is none. */
  public static String ownersOf(byte[] message) {
    return field(message, OWNERS);
  }

  private static String field(byte[] message, int number) {
    int start = 0;
    for (int field = 0; field < number; field++) {
      start = after('\t', message, start);
    }
    int end = after('\t', message, start) - 1;
    return new String(message, start, end - start, UTF_8);
  }

  /**
   * Decodes a whole envelope.
   *
   * @throws IllegalArgumentException if the bytes are not an envelope of this format
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
        new Cursor(header[4], header[5], Long.parseLong(header[6])),
        Long.parseLong(header[7]),
        new CorrelationId(header[8]),
        header[9],
        header[10],
        Long.parseLong(header[11]),
        Arrays.copyOfRange(envelope, end, envelope.length));
  }

  private static int after(char mark, byte[] bytes, int from) {
    for (int i = from; i < bytes.length; i++) {
      if (bytes[i] == mark) {
        return i + 1;
      }
    }
    throw new IllegalArgumentException("the envelope ends within its header");
  }
}
