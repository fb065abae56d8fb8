package dev.lastmile.streams;

import com.github.benmanes.caffeine.cache.Ticker;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Runs the periodic checks of all streams.
 *
 * <p>Every {@code lastmile.stream.heartbeat / 10}, between 10 ms and 1 s, it sends due heartbeats
 * and closes streams whose write has timed out. Every 100 ms it checks the pending deliveries for
 * clients that are gone or slow.
 */
@Component
final class Heartbeats {
  private static final Logger LOG = LoggerFactory.getLogger(Heartbeats.class);
  private static final long PENDING_MILLIS = 100;

  private final StreamRegistry registry;
  private final PendingDeliveries pending;
  private final Ticker ticker;
  private final ScheduledExecutorService scheduler;
  private final List<Future<?>> checks = new ArrayList<>();
  private final long intervalMillis;

  /** Time of the last check of the streams. Checks run one after the other. */
  private long lastCheckNanos;

  Heartbeats(
      StreamRegistry registry,
      PendingDeliveries pending,
      StreamProperties properties,
      Ticker ticker,
      ScheduledExecutorService scheduler) {
    this.registry = registry;
    this.pending = pending;
    this.ticker = ticker;
    this.scheduler = scheduler;
    this.intervalMillis = Math.clamp(properties.heartbeat().toMillis() / 10, 10, 1_000);
  }

  void start() {
    lastCheckNanos = ticker.read();
    every(intervalMillis, this::checkStreams);
    every(PENDING_MILLIS, this::checkPending);
  }

  private void every(long millis, Runnable check) {
    checks.add(scheduler.scheduleWithFixedDelay(check, millis, millis, TimeUnit.MILLISECONDS));
  }

  private void checkPending() {
    try {
      pending.check(ticker.read());
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).log("pending_check_failed");
    }
  }

  private void checkStreams() {
    long now = ticker.read();
    long paused =
        Math.max(0, now - lastCheckNanos - 2 * TimeUnit.MILLISECONDS.toNanos(intervalMillis));
    lastCheckNanos = now;
    for (ChannelStreams group : registry.all()) {
      for (StreamConnection connection : group.connections()) {
        try {
          switch (connection.tick(now, paused)) {
            case HEARTBEAT -> connection.writer().flush();
            case SLOW -> registry.close(connection, CloseReason.SLOW_CONSUMER);
            case NOTHING -> {}
          }
        } catch (RuntimeException e) {
          LOG.atError().setCause(e).log("heartbeat_failed");
        }
      }
    }
  }

  void stop() {
    checks.forEach(check -> check.cancel(true));
    checks.clear();
  }
}
