package dev.lastmile.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.Locale;

/**
 * One SSE stream, read event by event on the caller's thread. It keeps nothing, so that a test can
 * have a thousand of them; {@link SseClient} is the one that remembers.
 *
 * <p>Any thread may close it, which ends a read under way.
 */
final class EventStream implements AutoCloseable {
  /** The answer was another status than 200. */
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
  private BufferedReader lines;
  private long retryMillis = -1;

  /**
   * Asks for the stream and reads the head of the answer.
   *
   * @param lastEventId empty for none
   * @param receiveBuffer bytes of the socket's receive buffer; 0 for the system's choice
   * @param patience how long to wait for the connection, and for each read until {@link
   *     #allowSilence}
   */
  void open(URI replica, String cookie, String lastEventId, int receiveBuffer, Duration patience)
      throws IOException {
    int millis = Math.toIntExact(patience.toMillis());
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
    InputStream in = new BufferedInputStream(socket.getInputStream(), 2_048);
    int status = Integer.parseInt(line(in).split(" ")[1]);
    boolean chunked = false;
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      chunked |= line.toLowerCase(Locale.ROOT).matches("transfer-encoding:.*chunked");
    }
    if (status != 200) {
      throw new RefusedException(status);
    }
    lines = new BufferedReader(new InputStreamReader(chunked ? new Chunks(in) : in, UTF_8), 2_048);
  }

  /** From now on, a read fails when nothing has come for so long. */
  void allowSilence(Duration longest) throws IOException {
    socket.setSoTimeout(Math.toIntExact(longest.toMillis()));
  }

  /**
   * The next event that has data, waiting for it; null when the answer has ended in order.
   *
   * @throws IOException if the stream was cut, closed, or silent for too long
   */
  SseClient.Event next() throws IOException {
    String name = "message";
    String id = "";
    StringBuilder data = new StringBuilder();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.isEmpty()) {
        if (!data.isEmpty()) {
          return new SseClient.Event(name, id, data.toString());
        }
        name = "message";
        id = "";
        continue;
      }
      int colon = line.indexOf(':');
      String field = colon < 0 ? line : line.substring(0, colon);
      String value = colon < 0 ? "" : line.substring(colon + 1).replaceFirst("^ ", "");
      switch (field) {
        case "event" -> name = value;
        case "id" -> id = value;
        case "data" -> data.append(data.isEmpty() ? "" : "\n").append(value);
        case "retry" -> retryMillis = Long.parseLong(value);
        default -> {}
      }
    }
    return null;
  }

  /** The last reconnection time that the server gave; negative if it gave none. */
  long retryMillis() {
    return retryMillis;
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      // It is closed already.
    }
  }

  private static String line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new EOFException();
      }
      line.write(b);
    }
    return line.toString(ISO_8859_1).strip();
  }

  private static final class Chunks extends InputStream {
    private final InputStream in;
    private long left;
    private boolean last;

    Chunks(InputStream in) {
      this.in = in;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int from, int length) throws IOException {
      if (left == 0 && !last) {
        // The line end after a chunk may come with the next chunk only: read it then.
        String size = line(in);
        left = Long.parseLong(size.isEmpty() ? line(in) : size, 16);
        last = left == 0;
      }
      if (last) {
        return -1;
      }
      int read = in.read(bytes, from, (int) Math.min(length, left));
      if (read < 0) {
        throw new EOFException();
      }
      left -= read;
      return read;
    }
  }
}
