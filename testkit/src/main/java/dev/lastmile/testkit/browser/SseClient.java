package dev.lastmile.testkit.browser;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.awaitility.Awaitility;

/**
 * The EventSource of a browser for tests. It keeps all events, can stop reading, and does not
 * reconnect.
 */
public final class SseClient implements AutoCloseable {
  /** One event; data is the joined lines, id is empty if the event had none. */
  public record Event(String name, String id, String data) {}

  private static final Duration CONNECT = Duration.ofSeconds(5);

  private final EventStream stream = new EventStream();
  private final List<Event> events = new CopyOnWriteArrayList<>();
  private final Consumer<Event> listener;
  private final CountDownLatch headRead = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile boolean paused;

  private SseClient(Consumer<Event> listener) {
    this.listener = listener;
  }

  /**
   * Connects, and reads on a thread of its own.
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
    SseClient client = new SseClient(listener);
    try {
      client.stream.request(replica, cookie, lastEventId, receiveBuffer, CONNECT);
      client.stream.allowSilence(Duration.ZERO);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(client::read);
    return client;
  }

  private void read() {
    try (stream) {
      try {
        stream.readHead();
      } finally {
        headRead.countDown();
      }
      while (true) {
        if (paused) {
          closed.await();
        }
        Event event = stream.next();
        if (event == null) {
          return;
        }
        events.add(event);
        listener.accept(event);
      }
    } catch (IOException e) {
      // The stream was rejected or cut: for a test it has ended.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      ended.countDown();
    }
  }

  /** All events so far. */
  public List<Event> events() {
    return events;
  }

  /** All updates so far. */
  public List<Event> updates() {
    return events.stream().filter(event -> event.name().equals("update")).toList();
  }

  /** Waits for the first event that fulfils a condition. */
  public Event await(String what, Predicate<Event> wanted) {
    return Awaitility.await(what)
        .atMost(20, TimeUnit.SECONDS)
        .pollInterval(5, TimeUnit.MILLISECONDS)
        .until(() -> events.stream().filter(wanted).findFirst(), Optional::isPresent)
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

  /** The status of the answer; 0 before the head was read. */
  public int status() {
    return headRead.getCount() > 0 ? 0 : stream.status();
  }

  /** The status line and the headers of the answer; empty before the head was read. */
  public String head() {
    return headRead.getCount() > 0 ? "" : stream.head();
  }

  /** The last reconnection time that the server gave, in milliseconds; empty for none. */
  public String retry() {
    return stream.retryMillis() < 0 ? "" : Long.toString(stream.retryMillis());
  }

  @Override
  public void close() {
    closed.countDown();
    stream.close();
  }
}
