package dev.lastmile.benchmark;

import static java.nio.charset.StandardCharsets.US_ASCII;

/**
 * The mark that an update carries through every server: the instant at which it was due to leave,
 * and its number. As text {@code @<19 digits> <9 digits> xxx…}; nothing else in any server's frames
 * has an {@code @}.
 */
final class Stamp {
  private static final byte MARK = '@';
  private static final int INSTANT_DIGITS = 19;
  private static final int NUMBER_DIGITS = 9;
  private static final int NUMBER_AT = 1 + INSTANT_DIGITS + 1;

  /** Characters without filler. */
  static final int LENGTH = NUMBER_AT + NUMBER_DIGITS;

  private static final int NUMBERS = 1_000_000_000;

  private Stamp() {}

  /** So many characters, at least {@link #LENGTH}. */
  static String text(long instantNanos, int number, int length) {
    byte[] text = new byte[length];
    text[0] = MARK;
    digits(instantNanos, text, 1, INSTANT_DIGITS);
    text[NUMBER_AT - 1] = ' ';
    digits(number % NUMBERS, text, NUMBER_AT, NUMBER_DIGITS);
    for (int i = LENGTH; i < length; i++) {
      text[i] = 'x';
    }
    return new String(text, US_ASCII);
  }

  private static void digits(long value, byte[] text, int at, int count) {
    long left = value;
    for (int i = at + count - 1; i >= at; i--) {
      text[i] = (byte) ('0' + left % 10);
      left /= 10;
    }
  }

  /** Where a stamp begins; -1 if there is none. */
  static int find(byte[] bytes, int from, int to) {
    for (int i = from; i <= to - LENGTH; i++) {
      if (bytes[i] == MARK) {
        return i;
      }
    }
    return -1;
  }

  static long instantNanos(byte[] bytes, int at) {
    return value(bytes, at + 1, INSTANT_DIGITS);
  }

  static int number(byte[] bytes, int at) {
    return (int) value(bytes, at + NUMBER_AT, NUMBER_DIGITS);
  }

  private static long value(byte[] bytes, int at, int count) {
    long value = 0;
    for (int i = at; i < at + count; i++) {
      value = value * 10 + bytes[i] - '0';
    }
    return value;
  }
}
