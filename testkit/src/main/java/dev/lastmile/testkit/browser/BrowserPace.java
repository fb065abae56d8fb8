package dev.lastmile.testkit.browser;

import java.time.Duration;

/**
 * How patient the browsers of a {@link SimulatedBrowsers} are.
 *
 * @param watchdog longest silence of a stream; zero for three of the heartbeats that {@code ready}
 *     tells
 * @param reconcile pause between polls while something is not final; six of them otherwise
 * @param acks pause between two batches of acks
 * @param requestTimeout for an answer, and for a stream's {@code ready}
 * @param pauseLeast least pause before anything is tried again
 * @param pauseMost most pause; each is a random time between the two
 * @param obeysRetry whether a stream comes back after the server's {@code retry:} instead
 */
public record BrowserPace(
    Duration watchdog,
    Duration reconcile,
    Duration acks,
    Duration requestTimeout,
    Duration pauseLeast,
    Duration pauseMost,
    boolean obeysRetry) {
  /** As the page that comes with the service does it. */
  public static final BrowserPace USUAL =
      new BrowserPace(
          Duration.ofSeconds(25),
          Duration.ofSeconds(10),
          Duration.ofMillis(500),
          Duration.ofSeconds(5),
          Duration.ofMillis(200),
          Duration.ofSeconds(1),
          true);

  /** Another longest silence. */
  public BrowserPace withWatchdog(Duration longest) {
    return new BrowserPace(
        longest, reconcile, acks, requestTimeout, pauseLeast, pauseMost, obeysRetry);
  }

  /** Another pause between polls. */
  public BrowserPace withReconcile(Duration pause) {
    return new BrowserPace(
        watchdog, pause, acks, requestTimeout, pauseLeast, pauseMost, obeysRetry);
  }

  /** Another pause between two batches of acks. */
  public BrowserPace withAcks(Duration pause) {
    return new BrowserPace(
        watchdog, reconcile, pause, requestTimeout, pauseLeast, pauseMost, obeysRetry);
  }

  /** Another limit for an answer. */
  public BrowserPace withRequestTimeout(Duration limit) {
    return new BrowserPace(watchdog, reconcile, acks, limit, pauseLeast, pauseMost, obeysRetry);
  }

  /** Comes back after a random time between these, whatever {@code retry:} says. */
  public BrowserPace withPause(Duration least, Duration most) {
    return new BrowserPace(watchdog, reconcile, acks, requestTimeout, least, most, false);
  }
}
