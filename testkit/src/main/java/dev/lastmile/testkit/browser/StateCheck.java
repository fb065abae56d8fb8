package dev.lastmile.testkit.browser;

import dev.lastmile.testkit.browser.SimulatedPage.Shown;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Compares what the browsers of a {@link SimulatedBrowsers} show with what a replica reads from
 * Redis.
 */
final class StateCheck {
  private static final int AT_ONCE = 32;
  private static final Duration BETWEEN_ROUNDS = Duration.ofMillis(150);

  static final class StillWrongException extends RuntimeException {
    private static final long serialVersionUID = 1;

    StillWrongException(String message) {
      super(message);
    }
  }

  private final List<SimulatedBrowser> browsers;
  private final List<Target> targets;
  private final CountDownLatch closed;

  /** The replica that told state last: one that hangs is not asked again and again. */
  private volatile Target authority;

  StateCheck(List<SimulatedBrowser> browsers, List<Target> targets, CountDownLatch closed) {
    this.browsers = browsers;
    this.targets = targets;
    this.closed = closed;
    this.authority = targets.getFirst();
  }

  long wrong() {
    return wrong(browsers).values().stream().mapToLong(List::size).sum();
  }

  Duration awaitAllRight(Duration atMost) {
    long began = System.nanoTime();
    Collection<SimulatedBrowser> left = browsers;
    while (true) {
      Map<Integer, List<String>> wrong = wrong(left);
      Duration took = Duration.ofNanos(System.nanoTime() - began);
      if (wrong.isEmpty() && left.size() < browsers.size()) {
        wrong = wrong(browsers);
      }
      boolean late = took.compareTo(atMost) > 0;
      if (wrong.isEmpty() && !late) {
        return took;
      }
      if (late) {
        throw new StillWrongException(
            "%d of %d browsers are wrong after %s%s"
                .formatted(wrong.size(), browsers.size(), took, examples(wrong)));
      }
      left = wrong.keySet().stream().map(browsers::get).toList();
      pause();
    }
  }

  /**
   * Reads the state of every browser, then waits until its page shows at least that. Unlike {@link
   * #awaitAllRight}, it may be used while the state changes.
   */
  SimulatedBrowsers.CaughtUp catchUp(Duration atMost) {
    long began = System.nanoTime();
    long rightNanos = began;
    int unknown = 0;
    Map<SimulatedBrowser, Map<String, Shown>> behind = new HashMap<>();
    for (SimulatedBrowser browser : browsers) {
      try {
        behind.put(browser, authoritative(browser));
      } catch (IOException | RuntimeException e) {
        unknown++;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }
    while (true) {
      if (behind.entrySet().removeIf(entry -> entry.getKey().page().shows(entry.getValue()))) {
        rightNanos = System.nanoTime();
      }
      if (behind.isEmpty() || System.nanoTime() - began > atMost.toNanos()) {
        return new SimulatedBrowsers.CaughtUp(
            behind.size() + unknown, Duration.ofNanos(rightNanos - began));
      }
      pause();
    }
  }

  private void pause() {
    try {
      if (closed.await(BETWEEN_ROUNDS.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IllegalStateException("closed");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private String examples(Map<Integer, List<String>> wrong) {
    return wrong.entrySet().stream()
        .limit(10)
        .map(entry ->
            "\n  browser %d, stream at %s: %s"
                .formatted(
                    entry.getKey(),
                    browsers.get(entry.getKey()).streamAt(),
                    entry.getValue().stream().limit(3).toList()))
        .collect(Collectors.joining());
  }

  /** What is wrong, by the browser's number; browsers that are right are not in it. */
  private Map<Integer, List<String>> wrong(Collection<SimulatedBrowser> checked) {
    Map<Integer, List<String>> wrong = new ConcurrentSkipListMap<>();
    List<Future<?>> all = new ArrayList<>();
    try (ExecutorService checks =
        Executors.newFixedThreadPool(AT_ONCE, Thread.ofVirtual().factory())) {
      for (SimulatedBrowser browser : checked) {
        all.add(
            checks.submit(() -> {
              List<String> differences = differences(browser);
              if (!differences.isEmpty()) {
                wrong.put(browsers.indexOf(browser), differences);
              }
            }));
      }
    }
    // A check that failed has shown nothing.
    all.forEach(Future::resultNow);
    return new TreeMap<>(wrong);
  }

  private List<String> differences(SimulatedBrowser browser) {
    Map<String, Shown> authoritative;
    try {
      authoritative = authoritative(browser);
    } catch (RuntimeException | IOException e) {
      return List.of("its state is not known: " + e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return List.of("its state is not known: " + e);
    }
    Map<String, Shown> shown = browser.page().confirmed();
    List<String> differences = new ArrayList<>();
    TreeSet<String> operations = new TreeSet<>(shown.keySet());
    operations.addAll(authoritative.keySet());
    Function<Shown, String> text =
        state -> state == null ? "nothing" : "v" + state.version() + " " + state.status();
    for (String operation : operations) {
      String shows = text.apply(shown.get(operation));
      String is = text.apply(authoritative.get(operation));
      if (!shows.equals(is)) {
        differences.add(operation + " shows " + shows + ", is " + is);
      }
    }
    return differences;
  }

  private Map<String, Shown> authoritative(SimulatedBrowser browser)
      throws IOException, InterruptedException {
    IOException last = null;
    for (Target replica :
        Stream.concat(Stream.of(authority), targets.stream()).distinct().toList()) {
      try {
        HttpResponse<String> answer =
            browser.requests().once(BrowserRequests.list("", ""), replica);
        if (answer.statusCode() == 200) {
          authority = replica;
          return SimulatedBrowser.operations(answer.body());
        }
        last = new IOException(replica.name() + " answered " + answer.statusCode());
      } catch (IOException e) {
        last = e;
      }
    }
    throw last;
  }
}
