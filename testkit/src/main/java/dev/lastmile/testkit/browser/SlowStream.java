package dev.lastmile.testkit.browser;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** A stream whose reader takes a few bytes at a time, or none after {@code ready}. */
public final class SlowStream implements AutoCloseable {
  private static final int TICKS_PER_SECOND = 20;

  private final Socket socket;
  private final int bytesPerSecond;
  private final AtomicLong bytes = new AtomicLong();

  private SlowStream(Socket socket, int bytesPerSecond) {
    this.socket = socket;
    this.bytesPerSecond = bytesPerSecond;
  }

  /**
   * Opens a stream and waits for its first bytes.
   *
   * @param bytesPerSecond what is read of it after that; 0 for nothing
   */
  public static SlowStream connect(URI replica, String cookie, int bytesPerSecond) {
    return connect(replica, cookie, bytesPerSecond, Map.of());
  }

  /**
   * As above.
   *
   * @param headers further headers of the request
   */
  public static SlowStream connect(
      URI replica, String cookie, int bytesPerSecond, Map<String, String> headers) {
    StringBuilder request =
        new StringBuilder("GET /api/stream HTTP/1.1\r\nHost: ")
            .append(replica.getAuthority())
            .append("\r\nCookie: ")
            .append(cookie)
            .append("\r\n");
    headers.forEach((name, value) -> request.append(name + ": " + value + "\r\n"));
    Socket socket = new Socket();
    try {
      socket.setReceiveBufferSize(4_096);
      socket.connect(new InetSocketAddress(replica.getHost(), replica.getPort()), 5_000);
      socket.setSoTimeout(5_000);
      socket.getOutputStream().write(request.append("\r\n").toString().getBytes(UTF_8));
      SlowStream reader = new SlowStream(socket, bytesPerSecond);
      reader.take(512);
      socket.setSoTimeout(0);
      if (bytesPerSecond > 0) {
        Thread.ofVirtual().start(reader::read);
      }
      return reader;
    } catch (IOException e) {
      close(socket);
      throw new UncheckedIOException(e);
    }
  }

  private void read() {
    try {
      while (take(bytesPerSecond / TICKS_PER_SECOND)) {
        LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(1) / TICKS_PER_SECOND);
      }
    } catch (IOException e) {
      // Closed by either side.
    }
  }

  private boolean take(int most) throws IOException {
    InputStream in = socket.getInputStream();
    int taken = in.read(new byte[most]);
    bytes.addAndGet(Math.max(0, taken));
    return taken >= 0;
  }

  /** What was read so far. */
  public long bytes() {
    return bytes.get();
  }

  @Override
  public void close() {
    close(socket);
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
