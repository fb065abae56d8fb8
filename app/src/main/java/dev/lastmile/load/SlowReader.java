package dev.lastmile.load;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client that opens a stream with a small receive buffer, reads no more, and has operations with
 * large results made for it; when the service closes the stream it comes back.
 */
final class SlowReader implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(SlowReader.class);

  private static final int RECEIVE_BYTES = 4_096;

  /** All that Redis keeps of them is this for each of a channel's last 200 operations. */
  private static final int RESULT_BYTES = 30_000;

  private static final int PAUSE_MILLIS = 200;

  /** More than the stream's queue and the buffers on the way take. */
  private static final int CREATIONS = 75;

  /** By then the service has given up its write, and closed the stream. */
  private static final int GIVEN_UP_MILLIS = 10_000;

  private final Requests requests;
  private final LoadProperties properties;
  private final CountDownLatch stopped;

  SlowReader(Requests requests, LoadProperties properties, CountDownLatch stopped) {
    this.requests = requests;
    this.properties = properties;
    this.stopped = stopped;
  }

  /** Until the thread is interrupted or all is stopped. */
  @Override
  public void run() {
    try {
      while (true) {
        try {
          readSlowly(requests.identify());
        } catch (IOException e) {
          LOG.atDebug().addKeyValue("error", e.toString()).log("load_failed");
        }
        await(PAUSE_MILLIS);
      }
    } catch (InterruptedException e) {
      // It is to stop.
    }
  }

  private void readSlowly(String cookie) throws IOException, InterruptedException {
    try (Socket socket = new Socket()) {
      URI to = properties.slowUrl();
      socket.setReceiveBufferSize(RECEIVE_BYTES);
      socket.connect(
          new InetSocketAddress(to.getHost(), to.getPort()), (int) properties.timeout().toMillis());
      socket
          .getOutputStream()
          .write(
              ("GET /api/stream HTTP/1.1\r\nHost: "
                      + to.getAuthority()
                      + "\r\nCookie: "
                      + cookie
                      + "\r\n\r\n")
                  .getBytes(US_ASCII));
      for (int i = 0; i < CREATIONS; i++) {
        requests.create(
            Map.of("steps", 1, "durationMillis", 0, "fail", false, "resultBytes", RESULT_BYTES));
        await(PAUSE_MILLIS);
      }
      await(GIVEN_UP_MILLIS);
    }
  }

  private void await(long millis) throws InterruptedException {
    if (stopped.await(millis, TimeUnit.MILLISECONDS)) {
      throw new InterruptedException("stopped");
    }
  }
}
