package dev.lastmile.testing;

import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/**
 * Browsers that behave as a good client does, each with an identity and books of its own, kept
 * outside the service: what they show is compared with authoritative state.
 *
 * <p>Each holds a stream at a random replica, comes back to another one when it ends or falls
 * silent, reconciles after each (re)connect and while something is not final, and acks. Browsers
 * are counted from 0. Any thread may call; closing ends all browsers.
 */
public final class Crowd implements AutoCloseable {
  private final List<CrowdBrowser> browsers = new ArrayList<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Queue<String> complaints = new ConcurrentLinkedQueue<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final ExecutorService answers = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient http;
  private final CrowdCheck check;

  private Crowd(Cluster cluster, int count, long seed, CrowdPace pace) {
    List<LastmileProcess> replicas = cluster.replicas();
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
          new CrowdBrowser(
              new CrowdRequests(name, replicas, http, pace, own, closed, complaints), pace));
    }
    check = new CrowdCheck(browsers, replicas, closed);
  }

  /** Starts so many browsers; returns when each has an identity and looks for a stream. */
  public static Crowd of(Cluster cluster, int browsers, long seed) {
    return of(cluster, browsers, seed, CrowdPace.USUAL);
  }

  /**
   * As above.
   *
   * @param seed of all that is random in the browsers' choices
   */
  public static Crowd of(Cluster cluster, int browsers, long seed, CrowdPace pace) {
    Crowd crowd = new Crowd(cluster, browsers, seed, pace);
    try {
      CompletableFuture<?>[] started =
          crowd.browsers.stream()
              .map(browser ->
                  CompletableFuture.runAsync(() -> browser.start(crowd.threads), crowd.threads))
              .toArray(CompletableFuture[]::new);
      CompletableFuture.allOf(started).join();
      return crowd;
    } catch (RuntimeException e) {
      crowd.close();
      throw e;
    }
  }

  /** Waits until every browser holds a stream. */
  public void awaitConnected(Duration atMost) {
    Awaitility.await("every browser to hold a stream")
        .atMost(atMost)
        .pollInterval(50, TimeUnit.MILLISECONDS)
        .until(() -> connected() == size());
  }

  public int size() {
    return browsers.size();
  }

  /** Browsers that hold a stream now. */
  public long connected() {
    return browsers.stream().filter(browser -> !browser.streamAt().equals("none")).count();
  }

  /**
   * Creates an operation whose simulated job takes an hour, so that a test calls back itself. Tried
   * at one replica after the other until one has it, once. The browser learns of its state as of
   * any other: by its stream or a poll.
   */
  public String create(int browser) {
    return create(browser, Map.of("durationMillis", 3_600_000));
  }

  /** Creates an operation with wishes for the simulated external system. */
  public String create(int browser, Map<String, ?> input) {
    return browsers.get(browser).create(input);
  }

  /** The operations that a browser shows, with their versions. */
  public Map<String, Long> shows(int browser) {
    return browsers.get(browser).page().shown().entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().version()));
  }

  /** Whether a browser shows that an operation has ended. */
  public boolean showsEnd(int browser, String operation) {
    Page.Shown shown = browsers.get(browser).page().shown().get(operation);
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
   * How often a stream or a list brought a version below one of the same epoch that the browser had
   * learned before it asked, or that the same stream had brought before. Has to be 0.
   */
  public long wentBack() {
    return sum(browser -> browser.page().counts().wentBack());
  }

  /** Acks that were answered with 4xx: 0 unless Redis has lost what was acked. */
  public long acksRefused() {
    return sum(CrowdBrowser::acksRefused);
  }

  /** What a correct service never does, as answers of 4xx or 500; at most the first 100. */
  public List<String> complaints() {
    return List.copyOf(complaints);
  }

  private long sum(ToLongFunction<CrowdBrowser> what) {
    return browsers.stream().mapToLong(what).sum();
  }

  /**
   * How many operations of how many browsers are not shown as they are: missing, too much, or of
   * another version or status. A browser whose state no replica tells counts as one.
   */
  public long wrong() {
    return check.wrong();
  }

  /**
   * Waits until every browser shows what is; how long that took. Meaningful when nothing changes
   * meanwhile: a browser that was found right is looked at again at the end only.
   *
   * @throws AssertionError with examples if it takes longer
   */
  public Duration awaitAllRight(Duration atMost) {
    try {
      return check.awaitAllRight(atMost);
    } catch (CrowdCheck.StillWrongException e) {
      throw new AssertionError(e.getMessage() + "\n  " + this + "\n  complaints " + complaints);
    }
  }

  /**
   * Lets a browser come back with a small receive buffer and then read no more, nor poll, nor ack,
   * as a laptop that fell asleep; its socket stays open. Returns when it sleeps.
   */
  public void stopReading(int browser) {
    browsers.get(browser).fallAsleep();
  }

  /** Wakes it: it reads on, and comes back if the service has closed its stream meanwhile. */
  public void resumeReading(int browser) {
    browsers.get(browser).wakeUp();
  }

  /** Ends a browser's stream from its side; it comes back as after any other end. */
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
    browsers.forEach(CrowdBrowser::wakeUp);
    browsers.forEach(CrowdBrowser::reconnect);
    threads.shutdownNow();
    http.shutdownNow();
    answers.shutdownNow();
  }
}
