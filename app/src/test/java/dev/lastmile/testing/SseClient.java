package dev.lastmile.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.awaitility.Awaitility;

/**
 * A browser's EventSource for tests, on a bare socket, so that it can stop reading, go silent or
 * vanish. It does not reconnect.
 */
public final class SseClient implements AutoCloseable {
  /** One event; data is the joined lines, id is empty if it had none. */
  public record Event(String name, String id, String data) {}

  private final Socket socket;
  private final List<Event> events = new CopyOnWriteArrayList<>();
  private final Consumer<Event> listener;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final StringBuilder head = new StringBuilder();
  private volatile int status;
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile boolean paused;
  private volatile String retry = "";

  private SseClient(Socket socket, Consumer<Event> listener) {
    this.socket = socket;
    this.listener = listener;
  }

  /**
   * Connects and reads on a thread of its own.
   *
   * @param cookie value of the Cookie header
   * @param lastEventId empty for none
   */
  public static SseClient connect(URI replica, String cookie, String lastEventId) {
    return connect(replica, cookie, lastEventId, _ -> {}, 0);
  }

  /**
   * As above.
   *
   * @param listener gets each event on the reading thread
   * @param receiveBuffer bytes of the socket's receive buffer; 0 for the system's choice
   */
  public static SseClient connect(
      URI replica, String cookie, String lastEventId, Consumer<Event> listener, int receiveBuffer) {
    try {
      Socket socket = new Socket();
      if (receiveBuffer > 0) {
        socket.setReceiveBufferSize(receiveBuffer);
      }
      socket.connect(new InetSocketAddress(replica.getHost(), replica.getPort()), 5_000);
      String request =
          "GET /api/stream HTTP/1.1\r\nHost: "
              + replica.getAuthority()
              + "\r\nAccept: text/event-stream\r\nCookie: "
              + cookie
              + "\r\n"
              + (lastEventId.isEmpty() ? "" : "Last-Event-ID: " + lastEventId + "\r\n")
              + "\r\n";
      socket.getOutputStream().write(request.getBytes(UTF_8));
      SseClient client = new SseClient(socket, listener);
      Thread.ofVirtual().start(client::read);
      return client;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void read() {
    try (InputStream in = new BufferedInputStream(socket.getInputStream())) {
      readHead(in);
      boolean chunked = head.toString().toLowerCase(Locale.ROOT).contains("chunked");
      InputStream body = chunked ? new Chunks(in) : in;
      String name = "message";
      String id = "";
      StringBuilder data = new StringBuilder();
      while (true) {
        if (paused) {
          closed.await();
        }
        String line = line(body);
        if (line == null) {
          return;
        }
        if (line.isEmpty()) {
          if (!data.isEmpty()) {
            Event event = new Event(name, id, data.toString());
            events.add(event);
            listener.accept(event);
          }
          name = "message";
          id = "";
          data.setLength(0);
        } else if (line.startsWith("data: ")) {
          data.append(data.isEmpty() ? "" : "\n").append(line.substring(6));
        } else if (line.startsWith("event: ")) {
          name = line.substring(7);
        } else if (line.startsWith("id: ")) {
          id = line.substring(4);
        } else if (line.startsWith("retry: ")) {
          retry = line.substring(7);
        }
      }
    } catch (IOException e) {
      // Cut: the end, as far as a test is concerned.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      ended.countDown();
    }
  }

  private void readHead(InputStream in) throws IOException {
    String line = line(in);
    status = line == null ? -1 : Integer.parseInt(line.split(" ")[1]);
    while (line != null && !line.isEmpty()) {
      head.append(line).append('\n');
      line = line(in);
    }
  }

  private static String line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    while (true) {
      int b = in.read();
      if (b < 0) {
        return null;
      }
      if (b == '\n') {
        String text = line.toString(UTF_8);
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
      }
      line.write(b);
    }
  }

  /** Everything that has come so far. */
  public List<Event> events() {
    return events;
  }

  /** The updates that have come so far. */
  public List<Event> updates() {
    return events.stream().filter(event -> event.name().equals("update")).toList();
  }

  /** The first event that fits, waiting for it. */
  public Event await(String what, Predicate<Event> wanted) {
    return Awaitility.await(what)
        .atMost(20, TimeUnit.SECONDS)
        .pollInterval(5, TimeUnit.MILLISECONDS)
        .until(() -> events.stream().filter(wanted).findFirst(), java.util.Optional::isPresent)
        .orElseThrow();
  }

  /** Waits for {@code ready}. */
  public Event awaitReady() {
    return await("ready", event -> event.name().equals("ready"));
  }

  /** Stops reading until it is closed, as a sleeping laptop does; the socket stays open. */
  public SseClient pause() {
    paused = true;
    return this;
  }

  /** Whether the answer has ended or was cut. */
  public boolean isEnded() {
    return ended.getCount() == 0;
  }

  /** The answer's status; 0 before it has come. */
  public int status() {
    return status;
  }

  public String head() {
    return head.toString();
  }

  /** The last reconnection time that the server gave, in milliseconds. */
  public String retry() {
    return retry;
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
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
      if (left == 0 && !last) {
        // The line end after a chunk may come with the next chunk only (Jetty): read it then.
        String size = line(in);
        if (size != null && size.isEmpty()) {
          size = line(in);
        }
        if (size == null) {
          throw new EOFException();
        }
        left = Long.parseLong(size.strip(), 16);
        last = left == 0;
      }
      if (last) {
        return -1;
      }
      int b = in.read();
      left--;
      return b;
    }
  }
}
