package dev.lastmile.testkit.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a Redis says on one connection, frame by frame, in RESP2 or RESP3. It looks at every byte
 * always, so that it knows where a frame begins whenever messages are to be dropped. One thread.
 */
final class RespFrames {
  private static final List<byte[]> PUSHED_MESSAGE =
      bytes(">3\r\n$7\r\nmessage\r\n", ">3\r\n$8\r\nsmessage\r\n");
  private static final List<byte[]> MESSAGE =
      bytes("*3\r\n$7\r\nmessage\r\n", "*3\r\n$8\r\nsmessage\r\n");
  private static final List<byte[]> SUBSCRIBED =
      bytes("*3\r\n$9\r\nsubscribe\r\n", "*3\r\n$10\r\nssubscribe\r\n");

  private byte[] buffer = new byte[65_536];
  private int length;
  private long dropped;

  /** An ordinary RESP2 reply may look like a message; one to a subscriber is a message. */
  private boolean subscribed;

  private static List<byte[]> bytes(String... texts) {
    return Stream.of(texts).map(text -> text.getBytes(US_ASCII)).toList();
  }

  /** Takes what there is to read, at least a byte; false at the end. */
  boolean readFrom(InputStream in) throws IOException {
    if (length == buffer.length) {
      buffer = Arrays.copyOf(buffer, buffer.length * 2);
    }
    int read = in.read(buffer, length, buffer.length - length);
    length += Math.max(0, read);
    return read >= 0;
  }

  /** All frames that have come completely since the last call. */
  byte[] take(boolean dropMessages) {
    ByteArrayOutputStream complete = new ByteArrayOutputStream(length);
    int at = 0;
    for (int end = end(at); end >= 0; end = end(at)) {
      subscribed |= begins(SUBSCRIBED, at);
      if (dropMessages && isMessage(at)) {
        dropped++;
      } else {
        complete.write(buffer, at, end - at);
      }
      at = end;
    }
    System.arraycopy(buffer, at, buffer, 0, length - at);
    length -= at;
    return complete.toByteArray();
  }

  /** How many messages were dropped so far. */
  long dropped() {
    return dropped;
  }

  private boolean isMessage(int at) {
    return begins(PUSHED_MESSAGE, at) || (subscribed && begins(MESSAGE, at));
  }

  private boolean begins(List<byte[]> beginnings, int at) {
    return beginnings.stream()
        .anyMatch(beginning ->
            at + beginning.length <= length
                && Arrays.equals(
                    buffer, at, at + beginning.length, beginning, 0, beginning.length));
  }

  /** Where the frame that begins here ends; -1 if it is not complete. */
  private int end(int at) {
    int line = lineEnd(at);
    if (line < 0) {
      return -1;
    }
    return switch (buffer[at]) {
      case '$', '!', '=' -> {
        long end = line + Math.max(-2, count(at, line)) + 2;
        yield end <= length ? (int) end : -1;
      }
      case '*', '~', '>' -> elements(line, count(at, line));
      case '%' -> elements(line, 2 * count(at, line));
      // Attributes come before the value that they belong to.
      case '|' -> elements(line, 2 * count(at, line) + 1);
      default -> line;
    };
  }

  private int elements(int at, long count) {
    int end = at;
    for (long i = 0; i < count && end >= 0; i++) {
      end = end(end);
    }
    return end;
  }

  private int lineEnd(int at) {
    for (int i = at; i < length; i++) {
      if (buffer[i] == '\n') {
        return i + 1;
      }
    }
    return -1;
  }

  /** The number after the type; -1 stands for null, which has no body. */
  private long count(int at, int line) {
    return Long.parseLong(new String(buffer, at + 1, line - at - 3, US_ASCII));
  }
}
