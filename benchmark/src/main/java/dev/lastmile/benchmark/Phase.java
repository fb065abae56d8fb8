package dev.lastmile.benchmark;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntUnaryOperator;
import org.HdrHistogram.AtomicHistogram;
import org.HdrHistogram.Histogram;

/**
 * Counts and times the deliveries of one phase. Any thread.
 *
 * <p>Latencies count from the instant at which an update was due to leave, in microseconds.
 */
final class Phase {
  private static final long LONGEST_MICROS = 60_000_000;
  private static final int DIGITS = 3;

  private final int first;
  private final int recipients;
  private final IntUnaryOperator channels;

  /** The last number of each stream, if every update goes to all streams; else empty. */
  private final AtomicIntegerArray latest;

  private final AtomicIntegerArray arrived;
  private final Runnable whenComplete;
  private final AtomicHistogram latency = new AtomicHistogram(LONGEST_MICROS, DIGITS);
  private final AtomicHistogram fanOut = new AtomicHistogram(LONGEST_MICROS, DIGITS);
  private final LongAdder received = new LongAdder();
  private final LongAdder strays = new LongAdder();
  private volatile long lastNanos;

  /**
   * Begins.
   *
   * @param first number of its first update
   * @param most updates that it may have
   * @param recipients streams that each update reaches: all, or the one of its channel's number
   * @param channels channel of an update, by its number
   * @param whenComplete run when an update has reached all of them
   */
  Phase(int first, int most, int recipients, IntUnaryOperator channels, Runnable whenComplete) {
    this.first = first;
    this.recipients = recipients;
    this.channels = channels;
    this.latest = new AtomicIntegerArray(recipients > 1 ? recipients : 0);
    this.whenComplete = whenComplete;
    arrived = new AtomicIntegerArray(most);
  }

  /** An update has reached a stream. Those of earlier phases do not count. */
  void arrived(int stream, int number, long instantNanos, long nowNanos) {
    int index = number - first;
    if (index < 0 || index >= arrived.length()) {
      return;
    }
    long micros = Math.clamp((nowNanos - instantNanos) / 1_000, 0, LONGEST_MICROS);
    if (!isDue(stream, number)) {
      strays.increment();
      return;
    }
    int streams = arrived.incrementAndGet(index);
    if (streams > recipients) {
      strays.increment();
      return;
    }
    received.increment();
    latency.recordValue(micros);
    if (streams == recipients) {
      fanOut.recordValue(micros);
      lastNanos = nowNanos;
      whenComplete.run();
    }
  }

  /** Whether the update belongs to this stream and arrives for the first time. */
  private boolean isDue(int stream, int number) {
    if (recipients == 1) {
      return channels.applyAsInt(number) == stream;
    }
    // Published in order, over one connection.
    return latest.getAndUpdate(stream, before -> Math.max(before, number)) < number;
  }

  long received() {
    return received.sum();
  }

  /** Deliveries that arrived twice, or on another channel's stream. */
  long strays() {
    return strays.sum();
  }

  /** When the last complete update became complete. */
  long lastNanos() {
    return lastNanos;
  }

  /** Of each delivery. */
  Histogram latency() {
    return latency.copy();
  }

  /** Of the last delivery of each update. */
  Histogram fanOut() {
    return fanOut.copy();
  }
}
