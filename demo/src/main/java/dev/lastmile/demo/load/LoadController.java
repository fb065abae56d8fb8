package dev.lastmile.demo.load;

import dev.lastmile.testkit.browser.SimulatedBrowsers;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/**
 * The HTTP endpoints of the load generator: the totals of its clients, and whether their pages are
 * correct. The game day uses them.
 */
@RestController
class LoadController {
  private final Load load;
  private final LoadProperties properties;

  LoadController(Load load, LoadProperties properties) {
    this.load = load;
    this.properties = properties;
  }

  /**
   * The totals of all clients.
   *
   * @param connected browsers that hold a stream
   * @param reconnects streams after the first of each browser
   * @param refused creations that failed, also after a minute of further attempts
   * @param skipped creations that were due while too many were in progress
   * @param complaints the first 100 answers and failures that a correct service never causes
   */
  record Totals(
      int browsers,
      long connected,
      long reconnects,
      long created,
      long refused,
      long skipped,
      long live,
      long replay,
      long poll,
      int slowReaders,
      int complaints) {}

  @GetMapping("/books")
  Totals totals() {
    return new Totals(
        load.browsers().size(),
        load.browsers().connected(),
        load.browsers().reconnects(),
        load.created(),
        load.refused(),
        load.skipped(),
        load.browsers().learnedLive(),
        load.browsers().learnedReplay(),
        load.browsers().learnedPoll(),
        load.slowReaders(),
        load.browsers().complaints().size());
  }

  /**
   * The result of comparing all pages with the state.
   *
   * @param wrong browsers that do not show within the bound the state that was read first, or whose
   *     state could not be read
   * @param seconds time until the last of the other browsers showed it
   */
  record Verdict(int browsers, int wrong, double seconds) {}

  /**
   * Reads the state of every browser, then waits until their pages show it, at most for the bound.
   */
  @GetMapping("/verdict")
  Verdict verdict() {
    SimulatedBrowsers.CaughtUp result = load.browsers().catchUp(properties.bound());
    return new Verdict(load.browsers().size(), result.wrong(), result.took().toMillis() / 1_000.0);
  }

  /** Sets the number of clients that read slowly; 0 for none. */
  @PutMapping("/slow-readers/{count}")
  Totals slowReaders(@PathVariable("count") int count) {
    if (count < 0 || count > properties.slowReaders()) {
      throw new ResponseStatusException(
          HttpStatus.BAD_REQUEST, "slow readers must be 0 to " + properties.slowReaders());
    }
    load.slowReaders(count);
    return totals();
  }
}
