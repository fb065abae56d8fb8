package dev.lastmile.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** A stream whose reader takes a few bytes at a time, or none after {@code ready}. */
public final class SlowReader implements AutoCloseable {
  private static final int TICKS_PER_SECOND = 20;

  private final Socket socket;
  private final int bytesPerSecond;
  private final AtomicLong bytes = new AtomicLong();

  private SlowReader(Socket socket, int bytesPerSecond) {
    this.socket = socket;
    this.bytesPerSecond = bytesPerSecond;
  }

  /**
   * Opens a stream and waits for its first bytes.
   *
   * @param bytesPerSecond what is read of it after that; 0 for nothing
   */
  public static SlowReader connect(URI replica, String cookie, int bytesPerSecond) {
    try {
      Socket socket = new Socket();
      socket.setReceiveBufferSize(4_096);
      socket.connect(new InetSocketAddress(replica.getHost(), replica.getPort()), 5_000);
      socket
          .getOutputStream()
          .write(
              ("GET /api/stream HTTP/1.1\r\nHost: "
                      + replica.getAuthority()
                      + "\r\nCookie: "
                      + cookie
                      + "\r\n\r\n")
                  .getBytes(UTF_8));
      SlowReader reader = new SlowReader(socket, bytesPerSecond);
      reader.take(512);
      if (bytesPerSecond > 0) {
        Thread.ofVirtual().start(reader::read);
      }
      return reader;
    } catch (IOException e) {
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
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
