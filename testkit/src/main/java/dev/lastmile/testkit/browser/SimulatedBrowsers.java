package dev.lastmile.testkit.browser;

import dev.lastmile.testkit.cluster.Cluster;
import java.net.http.HttpClient;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiFunction;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/**
 * A set of browsers that follow the rules of the protocol, each with an identity of its own. Their
 * pages are compared with the authoritative state, independently of the service.
 *
 * <p>Each browser holds a stream at a random replica. It reconnects to another replica when the
 * stream ends or is silent for too long. It polls after each (re)connect and while an operation is
 * not final, and it sends acks. Browsers are counted from 0. All methods can be called from any
 * thread. {@link #close} ends all browsers.
 */
public final class SimulatedBrowsers implements AutoCloseable {
  private final List<SimulatedBrowser> browsers = new ArrayList<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Queue<String> complaints = new ConcurrentLinkedQueue<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final ExecutorService answers = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient http;
  private final StateCheck check;

  private SimulatedBrowsers(List<Target> targets, int count, long seed, BrowserPace pace) {
    http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(pace.requestTimeout())
            .executor(answers)
            .build();
    Random seeds = new Random(seed);
    for (int i = 0; i < count; i++) {
      Random own = new Random(seeds.nextLong());
      String name = "browser " + i;
      browsers.add(
          new SimulatedBrowser(
              new BrowserRequests(name, targets, http, pace, own, closed, complaints), pace));
    }
    check = new StateCheck(browsers, targets, closed);
  }

  /** Starts browsers; returns when each has an identity and has begun to connect. */
  public static SimulatedBrowsers of(Cluster cluster, int browsers, long seed) {
    return of(cluster, browsers, seed, BrowserPace.USUAL);
  }

  /**
   * As above.
   *
   * @param seed seed of all random choices of the browsers
   */
  public static SimulatedBrowsers of(Cluster cluster, int browsers, long seed, BrowserPace pace) {
    List<Target> targets =
        cluster.replicas().stream()
            .map(replica -> new Target(replica.name(), replica.uri()))
            .toList();
    SimulatedBrowsers crowd = new SimulatedBrowsers(targets, browsers, seed, pace);
    try {
      crowd.begin().join();
      return crowd;
    } catch (RuntimeException e) {
      crowd.close();
      throw e;
    }
  }

  /** Starts browsers and returns at once: the targets need not be there yet. */
  public static SimulatedBrowsers start(List<Target> targets, int browsers, BrowserPace pace) {
    SimulatedBrowsers crowd =
        new SimulatedBrowsers(targets, browsers, new Random().nextLong(), pace);
    for (SimulatedBrowser browser : crowd.browsers) {
      crowd.threads.execute(() ->
          browser
              .requests()
              .guard("starting", () -> browser.start(crowd.threads, BrowserRequests.FOR_EVER)));
    }
    return crowd;
  }

  private CompletableFuture<Void> begin() {
    return CompletableFuture.allOf(
        browsers.stream()
            .map(browser ->
                CompletableFuture.runAsync(
                    () -> browser.start(threads, BrowserRequests.PATIENCE), threads))
            .toArray(CompletableFuture[]::new));
  }

  /** Waits until every browser holds a stream. */
  public void awaitConnected(Duration atMost) {
    long until = System.nanoTime() + atMost.toNanos();
    while (connected() < size()) {
      if (System.nanoTime() > until) {
        throw new IllegalStateException("not every browser holds a stream: " + this);
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
    }
  }

  public int size() {
    return browsers.size();
  }

  /** Browsers that hold a stream now. */
  public long connected() {
    return browsers.stream().filter(browser -> !browser.streamAt().equals("none")).count();
  }

  /**
   * Creates an operation whose simulated job takes an hour, so that the test can send the
   * callbacks. The request is sent to one replica after the other, with one idempotency key, until
   * one accepts it. The browser learns the state only by its stream or a poll.
   */
  public String create(int browser) {
    return create(browser, Map.of("durationMillis", 3_600_000));
  }

  /** Creates an operation with this input for the simulated external system. */
  public String create(int browser, Map<String, ?> input) {
    return browsers.get(browser).create(input);
  }

  /** The versions that a browser shows, by operation. */
  public Map<String, Long> shows(int browser) {
    return browsers.get(browser).page().shown().entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().version()));
  }

  /** Whether a browser shows that an operation has ended. */
  public boolean showsEnd(int browser, String operation) {
    SimulatedPage.Shown shown = browsers.get(browser).page().shown().get(operation);
    return shown != null && shown.isFinal();
  }

  /** Versions that browsers learned by a stream, above the cursor of its {@code ready}. */
  public long learnedLive() {
    return sum(browser -> browser.page().counts().live());
  }

  /** Versions that browsers learned by a stream, up to the cursor of its {@code ready}. */
  public long learnedReplay() {
    return sum(browser -> browser.page().counts().replay());
  }

  /** Versions that browsers learned by a list. */
  public long learnedPoll() {
    return sum(browser -> browser.page().counts().poll());
  }

  /** Streams that became ready after each browser's first one. */
  public long reconnects() {
    return sum(browser -> Math.max(0, browser.streams() - 1));
  }

  /**
   * Regressions: how often a stream or a list delivered a version older than one of the same epoch
   * that the browser knew before the request, or that the same stream delivered before. Always 0
   * for a correct service.
   */
  public long wentBack() {
    return sum(browser -> browser.page().counts().wentBack());
  }

  /** How often the state of a browser was replaced by a reset. */
  public long resets(int browser) {
    return browsers.get(browser).page().resets();
  }

  /**
   * The versions that a browser has ever received.
   *
   * @param published when the version was published, of any of that number
   * @return those that were not published at that time: another version has taken their number
   */
  public Set<String> receivedAndLost(int browser, BiFunction<String, Long, Instant> published) {
    return browsers.get(browser).page().received().stream()
        .filter(it -> !it.updatedAt().equals(published.apply(it.operation(), it.version())))
        .map(it -> it.operation() + " v" + it.version())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Acks that were rejected with 4xx. 0 unless Redis lost an acked operation. */
  public long acksRefused() {
    return sum(SimulatedBrowser::acksRefused);
  }

  /** The first 100 protocol violations, for example responses of 4xx or 500. */
  public List<String> complaints() {
    return List.copyOf(complaints);
  }

  private long sum(ToLongFunction<SimulatedBrowser> what) {
    return browsers.stream().mapToLong(what).sum();
  }

  /**
   * The number of operations, over all browsers, whose page differs from the state: missing, not in
   * the state, or of another version or status. A browser whose state no replica returns counts as
   * one.
   */
  public long wrong() {
    return check.wrong();
  }

  /**
   * Waits until the page of every browser equals the state, and returns the time that this took.
   * Nothing may change meanwhile: a browser that was found correct is checked again only at the
   * end.
   *
   * @throws AssertionError with examples if it takes longer
   */
  public Duration awaitAllRight(Duration atMost) {
    try {
      return check.awaitAllRight(atMost);
    } catch (StateCheck.StillWrongException e) {
      throw new AssertionError(e.getMessage() + "\n  " + this + "\n  complaints " + complaints);
    }
  }

  /**
   * The result of {@link #catchUp}.
   *
   * @param wrong browsers that did not show it in time, or whose state could not be read
   * @param took until the last of the others showed it
   */
  public record CaughtUp(int wrong, Duration took) {}

  /**
   * Reads the state of every browser, then waits until its page shows at least that. The state may
   * change meanwhile.
   */
  public CaughtUp catchUp(Duration atMost) {
    return check.catchUp(atMost);
  }

  /**
   * Lets a browser reconnect with a small receive buffer and then stop reading, polling and sending
   * acks, as on a laptop in standby. Its socket stays open. Returns when it has stopped.
   */
  public void stopReading(int browser) {
    browsers.get(browser).fallAsleep();
  }

  /** Lets a browser continue. It reconnects if the service has closed its stream meanwhile. */
  public void resumeReading(int browser) {
    browsers.get(browser).wakeUp();
  }

  /** Closes a browser's stream on the client side. The browser reconnects. */
  public void reconnect(int browser) {
    browsers.get(browser).reconnect();
  }

  @Override
  public String toString() {
    return "browsers=%d connected=%d live=%d replay=%d poll=%d reconnects=%d wentBack=%d acksRefused=%d"
        .formatted(
            size(),
            connected(),
            learnedLive(),
            learnedReplay(),
            learnedPoll(),
            reconnects(),
            wentBack(),
            acksRefused());
  }

  @Override
  public void close() {
    closed.countDown();
    browsers.forEach(SimulatedBrowser::wakeUp);
    browsers.forEach(SimulatedBrowser::reconnect);
    threads.shutdownNow();
    http.shutdownNow();
    answers.shutdownNow();
  }
}
