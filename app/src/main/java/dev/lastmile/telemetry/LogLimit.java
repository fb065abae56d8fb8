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
 * Lets the same event through so many times in an interval, whoever logs it; a log that repeats
 * itself while Redis is away hides the line that matters.
 *
 * <p>The first one after an interval in which some were left out carries their number as {@code
 * suppressed}. What is below INFO is not limited: somebody has asked for it. Any thread.
 */
public final class LogLimit extends Filter<ILoggingEvent> {
  /** Names of events are few; this bounds what others log. */
  private static final int MOST_EVENTS = 1_024;

  private final Map<String, Window> windows = new ConcurrentHashMap<>();
  private final LongAdder suppressed = new LongAdder();
  private int burst = 20;
  private long intervalMillis = 10_000;

  /** What has been written of one event since a time. */
  private static final class Window {
    private long sinceMillis;
    private final AtomicInteger seen = new AtomicInteger();
  }

  /** How often the same event is written in an interval. */
  public void setBurst(int burst) {
    this.burst = burst;
  }

  /** The interval, as Spring writes durations. */
  public void setInterval(String interval) {
    this.intervalMillis = DurationStyle.detectAndParse(interval).toMillis();
  }

  /** How many events were left out since the start. */
  long suppressed() {
    return suppressed.sum();
  }

  @Override
  public FilterReply decide(ILoggingEvent event) {
    if (!event.getLevel().isGreaterOrEqual(Level.INFO) || windows.size() > MOST_EVENTS) {
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

  /** The event's name and who logs it; of a hop also which one and how it ended. */
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
