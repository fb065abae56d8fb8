package dev.lastmile.benchmark;

import java.util.Locale;
import java.util.stream.Collectors;
import org.HdrHistogram.Histogram;

/**
 * The figures of one phase.
 *
 * @param published updates that were accepted
 * @param errors updates that were refused, or had no response
 * @param expected deliveries that the accepted updates require
 * @param received deliveries that arrived
 * @param strays deliveries that arrived twice, or on another channel's stream
 * @param seconds from the first update to the end of the last delivery
 * @param lag delay of updates after the instant at which they were due to leave
 * @param latency of each delivery, from the instant at which its update was due to leave
 * @param fanOut of the last delivery of each update
 * @param usage CPU time from before the phase until after it
 */
record Figures(
    long published,
    long errors,
    long expected,
    long received,
    long strays,
    double seconds,
    Histogram lag,
    Histogram latency,
    Histogram fanOut,
    Usage usage) {
  private static final double PERCENT = 100;

  long lost() {
    return Math.max(0, expected - received);
  }

  double deliveredPerSecond() {
    return received / seconds;
  }

  /** CPU time of all parts per delivery, in microseconds: seconds per million deliveries. */
  double microsPerDelivery() {
    return (double) usage.all() / received;
  }

  /** CPU time of a part per update, in microseconds. */
  double microsPerUpdate(String part) {
    return (double) usage.of(part) / published;
  }

  /** CPU time of all parts per update, in microseconds. */
  double microsPerUpdate() {
    return (double) usage.all() / published;
  }

  static double millis(Histogram histogram, double percentile) {
    return histogram.getValueAtPercentile(percentile) / 1e3;
  }

  /**
   * Updates refused, and deliveries lost, made twice or to another channel: 0 if each update
   * reached each of its streams once.
   */
  long wrong() {
    return errors + lost() + strays;
  }

  /** One line of progress. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%,d updates, %,.0f/s delivered, p50 %.2f p99 %.2f p99.9 %.2f ms, fan-out p50 %.2f, lag p99 %.2f,"
            + " errors %d, lost %d, stray %d, CPU µs/update %s = %.0f, client %.0f, others %.0f %%, steal %.0f %%",
        published,
        deliveredPerSecond(),
        millis(latency, 50),
        millis(latency, 99),
        millis(latency, 99.9),
        millis(fanOut, 50),
        millis(lag, 99),
        errors,
        lost(),
        strays,
        usage.micros().keySet().stream()
            .map(part -> "%s %.0f".formatted(part, microsPerUpdate(part)))
            .collect(Collectors.joining(" + ")),
        microsPerUpdate(),
        (double) usage.clientMicros() / published,
        usage.others() * PERCENT,
        usage.steal() * PERCENT);
  }
}
