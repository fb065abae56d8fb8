package dev.lastmile.testkit.browser;

import dev.lastmile.testkit.browser.SimulatedPage.Question;
import dev.lastmile.testkit.browser.SimulatedPage.Shown;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * One browser of a {@link SimulatedBrowsers}: a page, and three virtual threads that read the
 * stream, poll and send acks.
 *
 * <p>It polls periodically and after each {@code ready}. It does not poll when sequences are
 * missing, because the service has to repair such gaps.
 */
final class SimulatedBrowser {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int NARROW_BYTES = 4_096;
  private static final int IDLE_ROUNDS = 6;

  private final SimulatedPage page = new SimulatedPage();
  private final BrowserRequests requests;
  private final BrowserPace pace;
  private final AckSender acks;
  private final Semaphore pollNow = new Semaphore(0);
  private final AtomicLong streams = new AtomicLong();

  /** The current or the last stream; guarded by this. */
  private EventStream stream;

  /** The last {@code retry:} of the server in ms, -1 for none. Used by the reading thread only. */
  private long retryMillis = -1;

  private volatile String streamAt = "none";

  /** Present while the browser is asleep; written under the lock of this. */
  private volatile CountDownLatch asleep;

  private volatile CountDownLatch fellAsleep = new CountDownLatch(1);

  SimulatedBrowser(BrowserRequests requests, BrowserPace pace) {
    this.requests = requests;
    this.pace = pace;
    this.acks = new AckSender(requests, page);
  }

  /**
   * Gets an identity, then begins.
   *
   * @param atMost longest wait for the identity
   */
  void start(ExecutorService threads, Duration atMost) {
    requests.identify(atMost);
    threads.execute(() -> requests.guard("reading", this::read));
    threads.execute(() -> requests.guard("polling", this::poll));
    threads.execute(
        () -> requests.guard("acking", () -> acks.send(pace.acks(), () -> asleep != null)));
  }

  SimulatedPage page() {
    return page;
  }

  BrowserRequests requests() {
    return requests;
  }

  /** Acks that were rejected with 4xx. They are not sent again. */
  long acksRefused() {
    return acks.refused();
  }

  /** Streams that became ready. */
  long streams() {
    return streams.get();
  }

  /** The replica that holds the stream; {@code none} if the browser has no stream. */
  String streamAt() {
    return streamAt;
  }

  private void read() throws InterruptedException {
    Target replica = null;
    while (true) {
      replica = requests.other(replica);
      EventStream fresh = new EventStream();
      CountDownLatch sleep = begin(fresh);
      try (fresh) {
        readOne(fresh, replica, sleep);
      } catch (EventStream.RefusedException e) {
        requests.refused(e.status(), "stream", "");
      } catch (IOException e) {
        // The connection broke, was closed, or was silent for too long.
      } finally {
        streamAt = "none";
      }
      retryMillis = fresh.retryMillis() < 0 ? retryMillis : fresh.retryMillis();
      boolean told = pace.obeysRetry() && retryMillis >= 0;
      requests.pause(told ? Duration.ofMillis(retryMillis) : null);
    }
  }

  private synchronized CountDownLatch begin(EventStream fresh) {
    stream = fresh;
    return asleep;
  }

  private void readOne(EventStream fresh, Target replica, CountDownLatch sleep)
      throws IOException, InterruptedException {
    Question question = page.askStream();
    int receiveBuffer = sleep == null ? 0 : NARROW_BYTES;
    fresh.request(
        replica.uri(), requests.cookie(), question.after(), receiveBuffer, pace.requestTimeout());
    fresh.readHead();
    for (SseClient.Event event = fresh.next(); event != null; event = fresh.next()) {
      JsonNode data = JSON.readTree(event.data());
      Place at = Place.of(data.required("cursor").stringValue());
      switch (event.name()) {
        case "ready" -> {
          page.ready(question, at);
          fresh.allowSilence(watchdog(data));
          streams.incrementAndGet();
          streamAt = replica.name();
          pollNow.release();
        }
        case "reset" -> page.reset(question, at);
        case "heartbeat" -> page.stands(at);
        case "update" -> {
          String operation = data.required("operationId").stringValue();
          Shown update = shown(data);
          String via = page.update(question, operation, update, !event.id().isEmpty());
          if (via != null) {
            acks.add(operation, update, via);
          }
        }
        default -> requests.complain("unknown event " + event);
      }
      if (page.hasClaim()) {
        pollNow.release();
      }
      if (sleep != null && event.name().equals("ready")) {
        fellAsleep.countDown();
        sleep.await();
      }
    }
  }

  private Duration watchdog(JsonNode ready) {
    double seconds = ready.required("heartbeatSeconds").doubleValue();
    return pace.watchdog().isZero()
        ? Duration.ofMillis(Math.round(3_000 * seconds))
        : pace.watchdog();
  }

  private static Shown shown(JsonNode operation) {
    return new Shown(
        Place.of(operation.required("cursor").stringValue()),
        operation.required("version").longValue(),
        operation.required("status").stringValue(),
        Instant.parse(operation.required("updatedAt").stringValue()));
  }

  private void poll() throws InterruptedException {
    int idle = 0;
    while (true) {
      boolean now = pollNow.tryAcquire(pace.reconcile().toMillis(), TimeUnit.MILLISECONDS);
      pollNow.drainPermits();
      idle++;
      if (asleep == null && (now || page.isPending() || idle >= IDLE_ROUNDS)) {
        idle = 0;
        Question question = page.ask();
        HttpResponse<String> answer =
            requests.ask(
                BrowserRequests.list(question.after(), question.shown()), BrowserRequests.FOR_EVER);
        if (requests.isTaken(answer, "list") && !learn(question, answer.body())) {
          pollNow.release();
        }
        if (page.takeReopen()) {
          reconnect();
        }
      }
    }
  }

  private boolean learn(Question question, String body) {
    JsonNode list = JSON.readTree(body);
    Place cursor = Place.of(list.required("cursor").stringValue());
    Map<String, Shown> operations = operations(list);
    Set<String> news =
        page.list(question, cursor, list.required("reset").booleanValue(), operations);
    if (news == null) {
      return false;
    }
    news.forEach(operation -> acks.add(operation, operations.get(operation), "poll"));
    return true;
  }

  /** The operations in the body of a list response. */
  static Map<String, Shown> operations(String body) {
    return operations(JSON.readTree(body));
  }

  private static Map<String, Shown> operations(JsonNode list) {
    Map<String, Shown> operations = new HashMap<>();
    for (JsonNode operation : list.required("operations")) {
      operations.put(operation.required("operationId").stringValue(), shown(operation));
    }
    return operations;
  }

  String create(Map<String, ?> input) {
    String body = JSON.writeValueAsString(Map.of("kind", "export", "input", input));
    String operation = requests.create(body);
    page.created(operation);
    return operation;
  }

  /** Closes the stream, as a change of network does. The browser reconnects. */
  synchronized void reconnect() {
    if (stream != null) {
      stream.close();
    }
  }

  /** Reconnects with a small receive buffer and stops reading after {@code ready}. */
  void fallAsleep() {
    CountDownLatch falling = new CountDownLatch(1);
    synchronized (this) {
      fellAsleep = falling;
      asleep = new CountDownLatch(1);
      reconnect();
    }
    requests.await(falling, "a stream that is not read");
  }

  /** Continues to read. */
  synchronized void wakeUp() {
    if (asleep != null) {
      asleep.countDown();
      asleep = null;
    }
  }
}
