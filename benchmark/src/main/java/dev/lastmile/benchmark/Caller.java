package dev.lastmile.benchmark;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Sends requests that are answered at once, over one connection per address that it keeps. One
 * thread; blocks for at most {@value #PATIENCE_MILLIS} ms per read.
 *
 * <p>Ours, since a general client costs as much per request as the servers that are measured.
 */
final class Caller implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 10_000;

  /** Servers end idle connections; one that may have been is not used again. */
  private static final long FRESH_NANOS = 5_000_000_000L;

  private static final int LONGEST_LINE = 8_192;

  private final Map<InetSocketAddress, Kept> connections = new HashMap<>();
  private final byte[] line = new byte[LONGEST_LINE];

  record Answer(int status, String body) {
    boolean isGood() {
      return status >= 200 && status < 300;
    }
  }

  private static final class Kept {
    final Socket socket = new Socket();
    final InputStream in;
    long usedAtNanos = Ticker.nanos();

    Kept(InetSocketAddress to) throws IOException {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(PATIENCE_MILLIS);
      socket.connect(to, PATIENCE_MILLIS);
      in = new BufferedInputStream(socket.getInputStream(), LONGEST_LINE);
    }
  }

  /**
   * Sends it and waits for the answer.
   *
   * @throws IOException if there is none: whether the request was taken is then unknown
   */
  Answer send(Request request) throws IOException {
    Kept kept = connections.get(request.to());
    if (kept == null || Ticker.nanos() - kept.usedAtNanos > FRESH_NANOS) {
      drop(request.to());
      kept = new Kept(request.to());
      connections.put(request.to(), kept);
    }
    try {
      kept.socket.getOutputStream().write(request.bytes());
      Answer answer = read(kept, request.to());
      kept.usedAtNanos = Ticker.nanos();
      return answer;
    } catch (IOException e) {
      drop(request.to());
      throw e;
    }
  }

  private Answer read(Kept kept, InetSocketAddress from) throws IOException {
    String status = line(kept.in);
    if (!status.startsWith("HTTP/1.1 ")) {
      throw new IOException("not HTTP/1.1: " + status);
    }
    int code = Integer.parseInt(status.substring(9, 12));
    long length = 0;
    boolean chunked = false;
    boolean last = false;
    for (String line = line(kept.in); !line.isEmpty(); line = line(kept.in)) {
      String header = line.toLowerCase(Locale.ROOT);
      if (header.startsWith("content-length:")) {
        length = Long.parseLong(header.substring(15).strip());
      } else if (header.startsWith("transfer-encoding:")) {
        chunked = header.contains("chunked");
      } else if (header.startsWith("connection:")) {
        last = header.contains("close");
      }
    }
    byte[] body = chunked ? chunks(kept.in) : exactly(kept.in, length);
    if (last) {
      drop(from);
    }
    return new Answer(code, new String(body, UTF_8));
  }

  private byte[] chunks(InputStream in) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    while (true) {
      int length = Integer.parseInt(line(in), 16);
      body.write(exactly(in, length));
      line(in);
      if (length == 0) {
        return body.toByteArray();
      }
    }
  }

  private static byte[] exactly(InputStream in, long length) throws IOException {
    byte[] bytes = in.readNBytes(Math.toIntExact(length));
    if (bytes.length < length) {
      throw new EOFException("the answer ends early");
    }
    return bytes;
  }

  private String line(InputStream in) throws IOException {
    int length = 0;
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0 || length == LONGEST_LINE) {
        throw new EOFException(next < 0 ? "no answer" : "a line without an end");
      }
      line[length++] = (byte) next;
    }
    int end = length > 0 && line[length - 1] == '\r' ? length - 1 : length;
    return new String(line, 0, end, ISO_8859_1);
  }

  private void drop(InetSocketAddress address) {
    Kept kept = connections.remove(address);
    if (kept != null) {
      try {
        kept.socket.close();
      } catch (IOException e) {
        // It is gone either way.
      }
    }
  }

  @Override
  public void close() {
    List.copyOf(connections.keySet()).forEach(this::drop);
  }
}
