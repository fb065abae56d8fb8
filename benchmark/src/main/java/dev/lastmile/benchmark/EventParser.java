package dev.lastmile.benchmark;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Arrays;
import java.util.Locale;

/**
 * Reads one answer with server-sent events, as it comes: head, chunks, lines. One thread. What lies
 * in the given bytes as a whole is not copied.
 *
 * <p>An event counts at its last line, its data; servers that put others after it do not occur
 * here.
 */
final class EventParser {
  /** What a stream brings. */
  enum Kind {
    /** It has begun: {@code event: ready}, or a comment of nchan's, which may come again. */
    READY,
    /** What came before is void. */
    RESET,
    UPDATE,
    HEARTBEAT
  }

  /** Takes events, in the reading thread. */
  @FunctionalInterface
  interface Events {
    /**
     * An event.
     *
     * @param hasId whether it is a place to resume from
     * @param bytes holds its data from {@code from} to before {@code to}; not to be kept
     */
    void event(Kind kind, boolean hasId, byte[] bytes, int from, int to);
  }

  private enum State {
    HEAD,
    CHUNK_SIZE,
    CHUNK_END,
    BODY
  }

  private static final byte[] NONE = new byte[0];

  private final Events events;
  private State state = State.HEAD;
  private byte[] rest = NONE;
  private int restLength;
  private int status;
  private boolean chunked;
  private int chunk;
  private Kind kind = Kind.UPDATE;
  private boolean hasId;

  EventParser(Events events) {
    this.events = events;
  }

  /** The answer's status; 0 before it is known. */
  int status() {
    return status;
  }

  void feed(byte[] bytes, int length) {
    int at = 0;
    while (at < length) {
      switch (state) {
        case HEAD -> at = lines(bytes, at, length);
        case CHUNK_SIZE, CHUNK_END -> at = frame(bytes, at, length);
        case BODY -> {
          int end = chunked ? Math.min(length, at + chunk) : length;
          lines(bytes, at, end);
          chunk -= end - at;
          at = end;
          if (chunked && chunk == 0) {
            state = State.CHUNK_END;
          }
        }
      }
    }
  }

  /** The line before a chunk, or the end of one before it. */
  private int frame(byte[] bytes, int from, int to) {
    for (int at = from; at < to; at++) {
      byte next = bytes[at];
      if (next == '\n') {
        state = state == State.CHUNK_END ? State.CHUNK_SIZE : State.BODY;
        return at + 1;
      }
      int digit = state == State.CHUNK_SIZE ? Character.digit(next, 16) : -1;
      if (digit >= 0) {
        chunk = chunk * 16 + digit;
      }
    }
    return to;
  }

  /** Takes whole lines, until the state is another one; where it stopped. */
  private int lines(byte[] bytes, int from, int to) {
    int start = from;
    State before = state;
    for (int at = from; at < to; at++) {
      if (bytes[at] == '\n') {
        if (restLength > 0) {
          keep(bytes, start, at);
          int length = restLength;
          restLength = 0;
          line(rest, 0, length);
        } else {
          line(bytes, start, at);
        }
        start = at + 1;
        if (state != before) {
          return start;
        }
      }
    }
    keep(bytes, start, to);
    return to;
  }

  private void keep(byte[] bytes, int from, int to) {
    int length = to - from;
    if (length == 0) {
      return;
    }
    if (rest.length < restLength + length) {
      rest = Arrays.copyOf(rest, restLength + length);
    }
    System.arraycopy(bytes, from, rest, restLength, length);
    restLength += length;
  }

  private void line(byte[] bytes, int from, int end) {
    int to = end > from && bytes[end - 1] == '\r' ? end - 1 : end;
    if (state == State.HEAD) {
      head(new String(bytes, from, to - from, US_ASCII).toLowerCase(Locale.ROOT));
    } else if (from == to) {
      kind = Kind.UPDATE;
      hasId = false;
    } else if (starts(bytes, from, to, "data:")) {
      events.event(kind, hasId, bytes, from + 5, to);
    } else if (starts(bytes, from, to, "event: ")) {
      kind = kind(bytes, from + 7, to);
    } else if (starts(bytes, from, to, "id: ")) {
      hasId = true;
    } else if (bytes[from] == ':') {
      events.event(Kind.READY, false, bytes, from, to);
    }
  }

  private void head(String line) {
    if (line.startsWith("http/1.1 ")) {
      status = Integer.parseInt(line, 9, 12, 10);
    } else if (line.startsWith("transfer-encoding:")) {
      chunked = line.contains("chunked");
    } else if (line.isEmpty()) {
      state = chunked ? State.CHUNK_SIZE : State.BODY;
    }
  }

  private static Kind kind(byte[] bytes, int from, int to) {
    if (starts(bytes, from, to, "update")) {
      return Kind.UPDATE;
    }
    if (starts(bytes, from, to, "ready")) {
      return Kind.READY;
    }
    return starts(bytes, from, to, "reset") ? Kind.RESET : Kind.HEARTBEAT;
  }

  private static boolean starts(byte[] bytes, int from, int to, String with) {
    if (to - from < with.length()) {
      return false;
    }
    for (int i = 0; i < with.length(); i++) {
      if (bytes[from + i] != with.charAt(i)) {
        return false;
      }
    }
    return true;
  }
}
