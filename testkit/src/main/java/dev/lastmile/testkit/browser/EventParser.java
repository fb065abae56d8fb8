package dev.lastmile.testkit.browser;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import java.util.Locale;

/**
 * Parses one HTTP/1.1 answer with server-sent events as its bytes arrive: head, chunks, lines and
 * events (<a
 * href="https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation">HTML
 * standard</a>). One thread.
 *
 * <p>An event that lies as a whole in the bytes of one call is not copied.
 */
public final class EventParser {
  /** Takes what was parsed, on the thread that feeds the parser. */
  public interface Events {
    /**
     * An event with data. Its values are those of the parser during this call.
     *
     * @param bytes contains the data from {@code from} to before {@code to}; not to be kept
     */
    void event(EventParser event, byte[] bytes, int from, int to);

    /** A comment line. */
    default void comment() {}
  }

  private static final byte[] NEW_LINE = {'\n'};

  private enum State {
    HEAD,
    CHUNK_SIZE,
    CHUNK_END,
    BODY,
    ENDED
  }

  /** Bytes that are kept from one call to the next, or joined from several lines. */
  private static final class Bytes {
    byte[] array = new byte[0];
    int length;

    void append(byte[] bytes, int from, int to) {
      int added = to - from;
      if (array.length < length + added) {
        array = Arrays.copyOf(array, Math.max(length + added, 2 * array.length));
      }
      System.arraycopy(bytes, from, array, length, added);
      length += added;
    }

    boolean is(String text) {
      return length == text.length() && starts(array, 0, length, text);
    }
  }

  private final Events events;
  private final StringBuilder head = new StringBuilder();
  private final Bytes line = new Bytes();
  private final Bytes name = new Bytes();
  private final Bytes id = new Bytes();
  private final Bytes data = new Bytes();
  private State state = State.HEAD;
  private int status;
  private boolean chunked;
  private int chunk;
  private volatile long retryMillis = -1;

  /** Where the data of the event is: in the bytes of the current call, or kept; null for none. */
  private byte[] dataBytes;

  private int dataFrom;
  private int dataTo;
  private boolean isKept;

  public EventParser(Events events) {
    this.events = events;
  }

  /** The status of the answer; 0 before it is known. */
  public int status() {
    return status;
  }

  /** The status line and the headers, as far as they were read. */
  public String head() {
    return head.toString();
  }

  /** Whether the head was read to its end. */
  public boolean hasHead() {
    return state != State.HEAD;
  }

  /** Whether the answer is chunked and its last chunk was read. */
  public boolean isEnded() {
    return state == State.ENDED;
  }

  /** Whether the answer ends with a last chunk, so that without it the stream was cut. */
  public boolean isChunked() {
    return chunked;
  }

  /** The last reconnection time that the server gave; negative if it gave none. Any thread. */
  public long retryMillis() {
    return retryMillis;
  }

  /** Whether the event has this name; {@code message} is the name of an event without one. */
  public boolean isNamed(String text) {
    return name.length == 0 ? text.equals("message") : name.is(text);
  }

  /** The name of the event. */
  public String name() {
    return name.length == 0 ? "message" : new String(name.array, 0, name.length, UTF_8);
  }

  /** Whether the event has an id. */
  public boolean hasId() {
    return id.length > 0;
  }

  /** The id of the event; empty if it has none. */
  public String id() {
    return new String(id.array, 0, id.length, UTF_8);
  }

  /** Parses the next bytes of the answer. */
  public void feed(byte[] bytes, int length) {
    int at = 0;
    while (at < length && state != State.ENDED) {
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
        case ENDED -> {}
      }
    }
    keepData();
  }

  /** The line before a chunk, or the end of the line after one. */
  private int frame(byte[] bytes, int from, int to) {
    for (int at = from; at < to; at++) {
      byte next = bytes[at];
      if (next == '\n') {
        boolean isSize = state == State.CHUNK_SIZE;
        state = isSize ? (chunk == 0 ? State.ENDED : State.BODY) : State.CHUNK_SIZE;
        return at + 1;
      }
      int digit = state == State.CHUNK_SIZE ? Character.digit(next, 16) : -1;
      if (digit >= 0) {
        chunk = chunk * 16 + digit;
      }
    }
    return to;
  }

  /** Takes whole lines while the state is the same; returns where it stopped. */
  private int lines(byte[] bytes, int from, int to) {
    int start = from;
    State before = state;
    for (int at = from; at < to; at++) {
      if (bytes[at] == '\n') {
        if (line.length > 0) {
          line.append(bytes, start, at);
          int length = line.length;
          line.length = 0;
          line(line.array, 0, length);
          // The next line that is kept would overwrite it.
          keepData();
        } else {
          line(bytes, start, at);
        }
        start = at + 1;
        if (state != before) {
          return start;
        }
      }
    }
    line.append(bytes, start, to);
    return to;
  }

  private void line(byte[] bytes, int from, int end) {
    int to = end > from && bytes[end - 1] == '\r' ? end - 1 : end;
    if (state == State.HEAD) {
      head(new String(bytes, from, to - from, ISO_8859_1));
    } else if (from == to) {
      dispatch();
    } else if (bytes[from] == ':') {
      events.comment();
    } else {
      int colon = from;
      while (colon < to && bytes[colon] != ':') {
        colon++;
      }
      int value = Math.min(to, colon + 1);
      field(bytes, from, colon, value < to && bytes[value] == ' ' ? value + 1 : value, to);
    }
  }

  private void head(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    if (text.isEmpty()) {
      state = chunked ? State.CHUNK_SIZE : State.BODY;
    } else {
      head.append(text).append('\n');
      if (lower.startsWith("http/1.1 ")) {
        status = Integer.parseInt(text, 9, 12, 10);
      } else if (lower.startsWith("transfer-encoding:")) {
        chunked = lower.contains("chunked");
      }
    }
  }

  private void field(byte[] bytes, int from, int colon, int value, int to) {
    if (isField(bytes, from, colon, "data")) {
      data(bytes, value, to);
    } else if (isField(bytes, from, colon, "event")) {
      name.length = 0;
      name.append(bytes, value, to);
    } else if (isField(bytes, from, colon, "id")) {
      id.length = 0;
      id.append(bytes, value, to);
    } else if (isField(bytes, from, colon, "retry")) {
      String millis = new String(bytes, value, to - value, ISO_8859_1);
      // The standard ignores everything but digits.
      retryMillis = millis.matches("[0-9]{1,18}") ? Long.parseLong(millis) : retryMillis;
    }
  }

  private void data(byte[] bytes, int from, int to) {
    if (dataBytes == null) {
      dataBytes = bytes;
      dataFrom = from;
      dataTo = to;
      isKept = false;
    } else {
      keepData();
      data.append(NEW_LINE, 0, 1);
      data.append(bytes, from, to);
      dataIsKept();
    }
  }

  /** Copies the data of an event that is not complete, before its bytes are overwritten. */
  private void keepData() {
    if (dataBytes != null && !isKept) {
      data.length = 0;
      data.append(dataBytes, dataFrom, dataTo);
      dataIsKept();
    }
  }

  private void dataIsKept() {
    dataBytes = data.array;
    dataFrom = 0;
    dataTo = data.length;
    isKept = true;
  }

  private void dispatch() {
    if (dataBytes != null) {
      events.event(this, dataBytes, dataFrom, dataTo);
    }
    dataBytes = null;
    name.length = 0;
    id.length = 0;
  }

  private static boolean isField(byte[] bytes, int from, int to, String field) {
    return to - from == field.length() && starts(bytes, from, to, field);
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
