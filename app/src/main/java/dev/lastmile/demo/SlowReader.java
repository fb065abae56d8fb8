package dev.lastmile.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Server;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

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
final class SlowReader implements AutoCloseable {
  /** What a replica calls it among its faults; it is none that could be switched off. */
  static final String WIRE_NAME = "slow-reader";

  private static final Logger LOG = LoggerFactory.getLogger(SlowReader.class);
  private static final String HEADER = "Lastmile-Slow-Reader";
  private static final int BUFFER_BYTES = 4_096;
  private static final Duration STAYS = Duration.ofSeconds(25);
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final Map<String, ?> WORK =
      Map.of(
          "kind", "report", "input", Map.of("steps", 100, "durationMillis", 8_000, "fail", false));

  private final JsonMapper mapper;
  private final AtomicBoolean busy = new AtomicBoolean();
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(PATIENCE).build();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("slow-reader").daemon().factory());
  private volatile int port;

  SlowReader(JsonMapper mapper) {
    this.mapper = mapper;
  }

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
    timer.execute(this::open);
    return true;
  }

  private void open() {
    Socket socket = new Socket();
    try {
      String cookie = identity();
      socket.setReceiveBufferSize(BUFFER_BYTES);
      socket.setSoTimeout((int) PATIENCE.toMillis());
      socket.connect(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), port), (int) PATIENCE.toMillis());
      String request =
          "GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nCookie: %s\r\n%s: yes\r\n\r\n"
              .formatted(port, cookie, HEADER);
      socket.getOutputStream().write(request.getBytes(UTF_8));
      // The stream has begun: from now on something is expected of it.
      var _ = socket.getInputStream().read(new byte[512]);
      ask("/api/operations", cookie, mapper.writeValueAsString(WORK));
      LOG.atInfo().log("slow_reader_begun");
    } catch (IOException e) {
      LOG.atWarn().setCause(e).log("slow_reader_failed");
      end(socket);
      return;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      end(socket);
      return;
    }
    var _ = timer.schedule(() -> end(socket), STAYS.toMillis(), TimeUnit.MILLISECONDS);
  }

  private String identity() throws IOException, InterruptedException {
    String cookie =
        ask("/api/identity", "", "").headers().firstValue("Set-Cookie").orElse("").split(";", 2)[0];
    if (cookie.isEmpty()) {
      throw new IOException("no identity");
    }
    return cookie;
  }

  private HttpResponse<Void> ask(String path, String cookie, String body)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
            .timeout(PATIENCE)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body));
    if (!cookie.isEmpty()) {
      request.header("Cookie", cookie);
    }
    HttpResponse<Void> answer = http.send(request.build(), HttpResponse.BodyHandlers.discarding());
    if (answer.statusCode() >= 400) {
      throw new IOException(path + ": " + answer.statusCode());
    }
    return answer;
  }

  private void end(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      LOG.atDebug().setCause(e).log("slow_reader_failed");
    }
    busy.set(false);
  }

  @Override
  public void close() {
    timer.shutdownNow();
    http.close();
  }
}
