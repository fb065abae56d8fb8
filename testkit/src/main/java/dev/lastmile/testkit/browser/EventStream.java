package dev.lastmile.testkit.browser;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * One stream of the service, read event by event on the thread of the caller. It keeps no events:
 * {@link SseClient} does.
 *
 * <p>Any thread may close it, which ends a read in progress.
 */
final class EventStream implements AutoCloseable {
  /** The answer had another status than 200. */
  static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1;
    private final int status;

    RefusedException(int status) {
      super("status " + status);
      this.status = status;
    }

    int status() {
      return status;
    }
  }

  private final Socket socket = new Socket();
  private final Deque<SseClient.Event> events = new ArrayDeque<>();
  private final EventParser parser =
      new EventParser((event, bytes, from, to) ->
          events.add(
              new SseClient.Event(
                  event.name(), event.id(), new String(bytes, from, to - from, UTF_8))));
  private final byte[] buffer = new byte[2_048];

  /**
   * Connects and sends the request.
   *
   * @param lastEventId empty for none
   * @param receiveBuffer bytes of the socket's receive buffer; 0 for the system's choice
   * @param timeout longest wait for the connection, and for each read until {@link #allowSilence}
   */
  void request(URI replica, String cookie, String lastEventId, int receiveBuffer, Duration timeout)
      throws IOException {
    int millis = Math.toIntExact(timeout.toMillis());
    if (receiveBuffer > 0) {
      socket.setReceiveBufferSize(receiveBuffer);
    }
    socket.connect(new InetSocketAddress(replica.getHost(), replica.getPort()), millis);
    socket.setSoTimeout(millis);
    String request =
        "GET /api/stream HTTP/1.1\r\nHost: "
            + replica.getAuthority()
            + "\r\nAccept: text/event-stream\r\nCookie: "
            + cookie
            + "\r\n"
            + (lastEventId.isEmpty() ? "" : "Last-Event-ID: " + lastEventId + "\r\n")
            + "\r\n";
    socket.getOutputStream().write(request.getBytes(UTF_8));
  }

  /** Reads the head of the answer. */
  void readHead() throws IOException {
    while (!parser.hasHead()) {
      if (!read()) {
        throw new EOFException();
      }
    }
    if (parser.status() != 200) {
      throw new RefusedException(parser.status());
    }
  }

  /** From now on, a read fails after a silence of this length; zero for never. */
  void allowSilence(Duration longest) throws IOException {
    socket.setSoTimeout(Math.toIntExact(longest.toMillis()));
  }

  /**
   * Waits for the next event; null when the answer has ended in order.
   *
   * @throws IOException if the stream was cut, closed, or silent for too long
   */
  SseClient.Event next() throws IOException {
    while (events.isEmpty() && !parser.isEnded()) {
      if (!read()) {
        if (parser.isChunked()) {
          throw new EOFException();
        }
        return null;
      }
    }
    return events.poll();
  }

  private boolean read() throws IOException {
    int length = socket.getInputStream().read(buffer);
    if (length < 0) {
      return false;
    }
    parser.feed(buffer, length);
    return true;
  }

  int status() {
    return parser.status();
  }

  String head() {
    return parser.head();
  }

  /** The last reconnection time that the server gave; negative if it gave none. */
  long retryMillis() {
    return parser.retryMillis();
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      // It is closed already.
    }
  }
}
