package dev.lastmile.demo.page;

import dev.lastmile.testkit.browser.SlowReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Server;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Plays a browser that stops to read: takes an identity of this replica, opens a stream, starts an
 * operation with many reports, and reads nothing. After a while it goes away.
 *
 * <p>A page cannot do that itself: the browser reads ahead into half a megabyte of its own, and the
 * two kernels into some more. So this is a bare socket with a small receive buffer, and the replica
 * gives it a small send buffer, as on the far side of a slow network: it fills after a few dozen
 * updates.
 *
 * <p>One at a time per replica; any thread.
 */
final class SlowStreamReader implements AutoCloseable {
  /** What a replica calls it among its faults; it is none that could be switched off. */
  static final String WIRE_NAME = "slow-reader";

  private static final Logger LOG = LoggerFactory.getLogger(SlowStreamReader.class);
  private static final String HEADER = "Lastmile-Slow-Reader";
  private static final int BUFFER_BYTES = 4_096;
  private static final Duration STAYS = Duration.ofSeconds(25);
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final AtomicBoolean busy = new AtomicBoolean();
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile int port;

  /** Gives streams that ask for it a small send buffer. */
  static void serve(Server server) {
    for (Connector connector : server.getConnectors()) {
      HttpConnectionFactory http = connector.getConnectionFactory(HttpConnectionFactory.class);
      if (http != null) {
        HttpConfiguration.Customizer small =
            (request, headers) -> {
              if (request.getHeaders().contains(HEADER)) {
                narrow(request);
              }
              return request;
            };
        http.getHttpConfiguration().addCustomizer(small);
      }
    }
  }

  private static void narrow(Request request) {
    Object transport = request.getConnectionMetaData().getConnection().getEndPoint().getTransport();
    if (transport instanceof SocketChannel socket) {
      try {
        socket.setOption(StandardSocketOptions.SO_SNDBUF, BUFFER_BYTES);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Where this replica listens. */
  void readAt(int port) {
    this.port = port;
  }

  /** Whether one is at it. */
  boolean isBusy() {
    return busy.get();
  }

  /** Begins; false if one is at it, or nothing listens yet. Returns at once. */
  boolean begin() {
    if (port == 0 || !busy.compareAndSet(false, true)) {
      return false;
    }
    var _ = Thread.ofVirtual().name("slow-reader").start(this::play);
    return true;
  }

  private void play() {
    URI replica = URI.create("http://127.0.0.1:" + port);
    try (SlowReader reader = SlowReader.open(replica, replica, Map.of(HEADER, "yes"), TIMEOUT)) {
      reader.create("report", Map.of("steps", 100, "durationMillis", 8_000, "fail", false));
      LOG.atInfo().log("slow_reader_begun");
      var _ = closed.await(STAYS.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      LOG.atWarn().setCause(e).log("slow_reader_failed");
    } finally {
      busy.set(false);
    }
  }

  @Override
  public void close() {
    closed.countDown();
  }
}
