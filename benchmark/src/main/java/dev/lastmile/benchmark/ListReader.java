package dev.lastmile.benchmark;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A client that reads a list again and again, and keeps none of it. One virtual thread.
 *
 * <p>It reads as fast as it can, or so few bytes per second that the server has to wait for it. A
 * refused list is asked for again when {@code Retry-After} says.
 */
final class ListReader implements Runnable {
  private static final int PATIENCE_MILLIS = 120_000;
  private static final int BUFFER = 16_384;
  private static final int SLOW_BUFFER = 1_024;
  private static final int SLOW_RECEIVE_BUFFER = 4_096;
  private static final int STATUS_AT = 9;
  private static final long SPREAD_MILLIS = 1_000;
  private static final Duration SLOW_PAUSE = Duration.ofMillis(100);

  private static final Pattern RETRY_AFTER = Pattern.compile("Retry-After: (\\d+)");

  /** The end of the document; the connection ends after it. */
  private static final byte[] END = "]}".getBytes(US_ASCII);

  /** What became of all lists. */
  static final class Tally {
    final AtomicInteger whole = new AtomicInteger();
    final AtomicInteger refused = new AtomicInteger();
    final AtomicInteger cut = new AtomicInteger();

    void reset() {
      whole.set(0);
      refused.set(0);
      cut.set(0);
    }
  }

  private final Request request;
  private final boolean slow;
  private final Duration pause;
  private final Tally tally;
  private int retryAfterSeconds;
  private volatile boolean ended;
  private volatile Socket socket = new Socket();

  /**
   * @param request with {@code Connection: close}
   * @param slow whether it reads 10 KB per second
   * @param pause between two lists, and up to a second more, at random
   */
  ListReader(Request request, boolean slow, Duration pause, Tally tally) {
    this.request = request;
    this.slow = slow;
    this.pause = pause;
    this.tally = tally;
  }

  @Override
  public void run() {
    while (!ended) {
      Duration wait = pause;
      try {
        if (read()) {
          tally.whole.incrementAndGet();
        } else {
          tally.refused.incrementAndGet();
          wait = Duration.ofSeconds(retryAfterSeconds);
        }
      } catch (IOException e) {
        if (!ended) {
          tally.cut.incrementAndGet();
        }
      }
      if (!ended) {
        long millis = wait.toMillis();
        Ticker.pause(
            Duration.ofMillis(millis + ThreadLocalRandom.current().nextLong(SPREAD_MILLIS)));
      }
    }
  }

  /** Returns false if the list was refused. */
  private boolean read() throws IOException {
    try (Socket connection = new Socket()) {
      socket = connection;
      if (slow) {
        connection.setReceiveBufferSize(SLOW_RECEIVE_BUFFER);
      }
      connection.setSoTimeout(PATIENCE_MILLIS);
      connection.connect(request.to(), PATIENCE_MILLIS);
      connection.getOutputStream().write(request.bytes());
      return read(connection.getInputStream());
    }
  }

  private boolean read(InputStream in) throws IOException {
    byte[] buffer = new byte[slow ? SLOW_BUFFER : BUFFER];
    byte[] last = new byte[END.length];
    int status = 0;
    retryAfterSeconds = 1;
    for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
      if (status == 0) {
        status = Integer.parseInt(new String(buffer, STATUS_AT, 3, US_ASCII));
        Matcher after = RETRY_AFTER.matcher(new String(buffer, 0, read, US_ASCII));
        retryAfterSeconds = after.find() ? Integer.parseInt(after.group(1)) : 1;
      }
      keepLast(last, buffer, read);
      if (slow) {
        Ticker.pause(SLOW_PAUSE);
      }
    }
    if (status == 429 || status == 503) {
      return false;
    }
    if (status != 200 || !Arrays.equals(last, END)) {
      throw new IOException("status " + status + ", or half a list");
    }
    return true;
  }

  /** Keeps the last bytes of what was read so far. */
  private static void keepLast(byte[] last, byte[] read, int length) {
    int fresh = Math.min(length, last.length);
    System.arraycopy(last, fresh, last, 0, last.length - fresh);
    System.arraycopy(read, length - fresh, last, last.length - fresh, fresh);
  }

  /** Ends it; a list that is being read does not count. */
  void end() {
    ended = true;
    try {
      socket.close();
    } catch (IOException e) {
      // It is gone either way.
    }
  }
}
