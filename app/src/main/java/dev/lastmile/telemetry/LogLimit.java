package dev.lastmile.telemetry;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.event.KeyValuePair;
import org.springframework.boot.convert.DurationStyle;

/**
 * Limits how often the same event of a logger is written in an interval. Otherwise repeated events,
 * for example while Redis is unreachable, hide the line with the cause.
 *
 * <p>The first event after an interval with suppressed events carries their number as {@code
 * suppressed}. Events below INFO are not limited, because they are written only if an operator has
 * enabled them. Any thread.
 */
public final class LogLimit extends Filter<ILoggingEvent> {
  /**
   * Limit of distinct events, for libraries that log texts instead of event names; above it no
   * event is limited.
   */
  private static final int MAX_EVENTS = 1_024;

  private final Map<String, Window> windows = new ConcurrentHashMap<>();
  private final LongAdder suppressed = new LongAdder();
  private int burst = 20;
  private long intervalMillis = 10_000;

  /** The number of times that one event was logged since the start of its interval. */
  private static final class Window {
    private long sinceMillis;
    private final AtomicInteger seen = new AtomicInteger();
  }

  /** Number of times that the same event is written in an interval. */
  public void setBurst(int burst) {
    this.burst = burst;
  }

  /** The interval, as Spring writes durations. */
  public void setInterval(String interval) {
    this.intervalMillis = DurationStyle.detectAndParse(interval).toMillis();
  }

  /** Number of events suppressed since the start. */
  long suppressed() {
    return suppressed.sum();
  }

  @Override
  public FilterReply decide(ILoggingEvent event) {
    if (!event.getLevel().isGreaterOrEqual(Level.INFO) || windows.size() > MAX_EVENTS) {
      return FilterReply.NEUTRAL;
    }
    Window window = windows.computeIfAbsent(key(event), _ -> new Window());
    int before = 0;
    synchronized (window) {
      if (event.getTimeStamp() - window.sinceMillis >= intervalMillis) {
        window.sinceMillis = event.getTimeStamp();
        before = window.seen.getAndSet(0) - burst;
      }
    }
    if (window.seen.incrementAndGet() > burst) {
      suppressed.increment();
      return FilterReply.DENY;
    }
    if (before > 0 && event instanceof LoggingEvent writable) {
      writable.addKeyValuePair(new KeyValuePair("suppressed", before));
    }
    return FilterReply.NEUTRAL;
  }

  /** The logger and the name of the event; for a hop also the hop and its outcome. */
  private static String key(ILoggingEvent event) {
    StringBuilder key = new StringBuilder(event.getLoggerName()).append(' ');
    key.append(event.getMessage());
    if (event.getLoggerName().equals(HopRecorder.LOGGER) && event.getKeyValuePairs() != null) {
      for (KeyValuePair pair : event.getKeyValuePairs()) {
        if (pair.key.equals("hop") || pair.key.equals("outcome")) {
          key.append(' ').append(pair.value);
        }
      }
    }
    return key.toString();
  }
}
