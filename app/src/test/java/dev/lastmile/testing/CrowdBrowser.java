package dev.lastmile.testing;

import dev.lastmile.testing.Page.Place;
import dev.lastmile.testing.Page.Question;
import dev.lastmile.testing.Page.Shown;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
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
 * One browser of a {@link Crowd}: a virtual thread that reads its stream, one that polls, one that
 * acks, and the page that they fill.
 *
 * <p>It polls by the clock and after each {@code ready}, not at a hole in the sequences: what a
 * hole hides is for the service to repair.
 */
final class CrowdBrowser {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int NARROW_BYTES = 4_096;
  private static final int IDLE_ROUNDS = 6;

  private final Page page = new Page();
  private final CrowdRequests requests;
  private final CrowdPace pace;
  private final CrowdAcks acks;
  private final Semaphore pollNow = new Semaphore(0);
  private final AtomicLong streams = new AtomicLong();

  /** The stream that is read, or was read last; guarded by this. */
  private EventStream stream;

  /** The last reconnection time that the server gave; the reading thread's. */
  private long retryMillis = -1;

  private volatile String streamAt = "none";

  /** Set while the browser is not to do anything; written under the lock of this. */
  private volatile CountDownLatch asleep;

  private volatile CountDownLatch fellAsleep = new CountDownLatch(1);

  CrowdBrowser(CrowdRequests requests, CrowdPace pace) {
    this.requests = requests;
    this.pace = pace;
    this.acks = new CrowdAcks(requests, page);
  }

  void start(ExecutorService threads) {
    requests.identify();
    threads.submit(() -> requests.guard("reading", this::read));
    threads.submit(() -> requests.guard("polling", this::poll));
    threads.submit(
        () -> requests.guard("acking", () -> acks.send(pace.acks(), () -> asleep != null)));
  }

  Page page() {
    return page;
  }

  CrowdRequests requests() {
    return requests;
  }

  /** Acks that were answered with 4xx, and so were given up. */
  long acksRefused() {
    return acks.refused();
  }

  /** Streams that became ready. */
  long streams() {
    return streams.get();
  }

  /** The replica that holds the stream; {@code none} while there is none. */
  String streamAt() {
    return streamAt;
  }

  private void read() throws InterruptedException {
    LastmileProcess replica = null;
    while (true) {
      replica = requests.other(replica);
      EventStream fresh = new EventStream();
      CountDownLatch sleep = begin(fresh);
      try (fresh) {
        readOne(fresh, replica, sleep);
      } catch (EventStream.RefusedException e) {
        requests.refused(e.status(), "stream", "");
      } catch (IOException e) {
        // Cut, closed, or silent for too long: each ends it.
      }
      streamAt = "none";
      retryMillis = fresh.retryMillis() < 0 ? retryMillis : fresh.retryMillis();
      boolean told = pace.obeysRetry() && retryMillis >= 0;
      requests.pause(told ? Duration.ofMillis(retryMillis) : null);
    }
  }

  private synchronized CountDownLatch begin(EventStream fresh) {
    stream = fresh;
    return asleep;
  }

  private void readOne(EventStream fresh, LastmileProcess replica, CountDownLatch sleep)
      throws IOException, InterruptedException {
    Question question = page.ask();
    fresh.open(
        replica.uri(),
        requests.cookie(),
        question.after(),
        sleep == null ? 0 : NARROW_BYTES,
        pace.requestTimeout());
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
        case "reset" -> page.reset(at);
        case "heartbeat" -> page.stands(at);
        case "update" -> {
          String operation = data.required("operationId").stringValue();
          Shown update = shown(at, data);
          String via = page.update(question, operation, update, !event.id().isEmpty());
          if (via != null) {
            acks.add(operation, update, via);
          }
        }
        default -> requests.complain("unknown event " + event);
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

  private static Shown shown(Place at, JsonNode operation) {
    return new Shown(
        at, operation.required("version").longValue(), operation.required("status").stringValue());
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
            requests.ask(CrowdRequests.list(question.after()), CrowdRequests.FOR_EVER);
        if (requests.isTaken(answer, "list") && !learn(question, answer.body())) {
          pollNow.release();
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

  /** The operations of a list. */
  static Map<String, Shown> operations(String body) {
    return operations(JSON.readTree(body));
  }

  private static Map<String, Shown> operations(JsonNode list) {
    Place cursor = Place.of(list.required("cursor").stringValue());
    Map<String, Shown> operations = new HashMap<>();
    for (JsonNode operation : list.required("operations")) {
      operations.put(operation.required("operationId").stringValue(), shown(cursor, operation));
    }
    return operations;
  }

  String create(Map<String, ?> input) {
    String body = JSON.writeValueAsString(Map.of("kind", "export", "input", input));
    String operation = requests.create(body);
    page.created(operation);
    return operation;
  }

  /** Ends the stream, as a network that changes does; the browser comes back. */
  synchronized void reconnect() {
    if (stream != null) {
      stream.close();
    }
  }

  /** Comes back with a small receive buffer, and reads no more after {@code ready}. */
  void fallAsleep() {
    CountDownLatch falling = new CountDownLatch(1);
    synchronized (this) {
      fellAsleep = falling;
      asleep = new CountDownLatch(1);
      reconnect();
    }
    requests.await(falling, "a stream that is not read");
  }

  /** Reads on, as if nothing had been. */
  synchronized void wakeUp() {
    if (asleep != null) {
      asleep.countDown();
      asleep = null;
    }
  }
}
