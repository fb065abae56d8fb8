package dev.lastmile.demo.load;

import dev.lastmile.testkit.browser.SlowReader;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client that opens a stream, does not read it, and creates operations with large results. When
 * the service closes the stream, it starts again.
 */
final class SlowLoadReader implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(SlowLoadReader.class);

  /** Redis keeps a result of this size for each of the last 200 operations of a channel. */
  private static final int RESULT_BYTES = 30_000;

  private static final int PAUSE_MILLIS = 200;

  /** More than the queue of the stream and the buffers of both sockets take. */
  private static final int CREATIONS = 75;

  /** After this time the service has closed the stream, because the write did not end. */
  private static final int GIVEN_UP_MILLIS = 10_000;

  private final LoadProperties properties;

  SlowLoadReader(LoadProperties properties) {
    this.properties = properties;
  }

  /** Runs until the thread is interrupted, with one identity. */
  @Override
  public void run() {
    @Nullable SlowReader reader = null;
    try {
      while (true) {
        try {
          if (reader == null) {
            reader = open();
          } else {
            reader.reopen();
          }
          createMany(reader);
        } catch (RuntimeException e) {
          LOG.atDebug().setCause(e).log("load_failed");
        }
        TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
      }
    } catch (InterruptedException e) {
      // The end of this client.
    } finally {
      if (reader != null) {
        reader.close();
      }
    }
  }

  private SlowReader open() {
    return SlowReader.open(properties.url(), properties.slowUrl(), Map.of(), properties.timeout());
  }

  private static void createMany(SlowReader reader) throws InterruptedException {
    for (int i = 0; i < CREATIONS; i++) {
      reader.create(
          "export",
          Map.of("steps", 1, "durationMillis", 0, "fail", false, "resultBytes", RESULT_BYTES));
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
    }
    TimeUnit.MILLISECONDS.sleep(GIVEN_UP_MILLIS);
  }
}
