package dev.lastmile.load;

import java.io.IOException;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/** What the clients' side knows, for whoever breaks the other one. */
@RestController
class LoadController {
  private static final int LOOK_MILLIS = 200;

  private final Load load;
  private final LoadProperties properties;
  private final LongSupplier nanos;

  LoadController(Load load, LoadProperties properties, LongSupplier nanos) {
    this.load = load;
    this.properties = properties;
    this.nanos = nanos;
  }

  /**
   * The clients' books.
   *
   * @param connected browsers that hold a stream
   * @param reconnects streams after each browser's first
   * @param refused creations that failed
   * @param skipped creations that came due while too many were under way
   */
  record Books(
      int browsers,
      long connected,
      long reconnects,
      long created,
      long refused,
      long skipped,
      long live,
      long replay,
      long poll,
      int slowReaders) {}

  @GetMapping("/books")
  Books books() {
    return new Books(
        load.browsers().size(),
        sum(browser -> browser.isConnected() ? 1 : 0),
        sum(browser -> Math.max(0, browser.streams() - 1)),
        load.created(),
        load.refused(),
        load.skipped(),
        sum(browser -> browser.page().learned(Page.Via.LIVE)),
        sum(browser -> browser.page().learned(Page.Via.REPLAY)),
        sum(browser -> browser.page().learned(Page.Via.POLL)),
        load.slowReaders());
  }

  private long sum(ToLongFunction<LoadBrowser> what) {
    return load.browsers().stream().mapToLong(what).sum();
  }

  /**
   * Who is wrong.
   *
   * @param wrong browsers that do not show, after the bound, what state said at its beginning, or
   *     whose state nobody told
   * @param seconds until the last of the others showed it
   */
  record Verdict(int browsers, int wrong, double seconds) {}

  /** Reads the state of every browser, then gives their pages time to show it; answers then. */
  @GetMapping("/verdict")
  Verdict verdict() throws InterruptedException {
    Map<LoadBrowser, Map<String, Page.Shown>> behind = new HashMap<>();
    int unknown = 0;
    long began = nanos.getAsLong();
    for (LoadBrowser browser : load.browsers()) {
      try {
        behind.put(browser, browser.requests().list("").operations());
      } catch (IOException e) {
        unknown++;
      }
    }
    long rightNanos = began;
    while (true) {
      for (Iterator<Map.Entry<LoadBrowser, Map<String, Page.Shown>>> left =
              behind.entrySet().iterator();
          left.hasNext(); ) {
        Map.Entry<LoadBrowser, Map<String, Page.Shown>> next = left.next();
        if (next.getKey().page().behind(next.getValue()) == 0) {
          left.remove();
          rightNanos = nanos.getAsLong();
        }
      }
      if (behind.isEmpty() || nanos.getAsLong() - began > properties.bound().toNanos()) {
        return new Verdict(
            load.browsers().size(), behind.size() + unknown, (rightNanos - began) / 1e9);
      }
      load.await(LOOK_MILLIS);
    }
  }

  /** Lets so many clients read slowly; 0 ends it. */
  @PutMapping("/slow-readers/{count}")
  Books slowReaders(@PathVariable("count") int count) {
    if (count < 0 || count > properties.slowReaders()) {
      throw new ResponseStatusException(
          HttpStatus.BAD_REQUEST, "slow readers must be 0 to " + properties.slowReaders());
    }
    load.slowReaders(count);
    return books();
  }
}
