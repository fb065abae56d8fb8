package dev.lastmile.streams;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.telemetry.Metric;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.stereotype.Component;

/**
 * Stops a replica without losing an update.
 *
 * <p>Steps:
 *
 * <ol>
 *   <li>Readiness turns to {@code REFUSING_TRAFFIC}. Nothing else changes until the load balancer
 *       has reacted ({@code lastmile.drain.balancer}).
 *   <li>New streams are rejected. The open ones are closed in batches within {@code
 *       lastmile.drain.streams}; each channel is withdrawn from presence before its streams close.
 *   <li>The subscription stays until the ledger expects nothing of this replica, at most {@code
 *       lastmile.drain.settle}.
 *   <li>The lease is released, then the ledger is checked once more, with the same limit.
 *   <li>The replica waits for one more scrape, which reads the final values, at most {@code
 *       lastmile.drain.scrape}.
 * </ol>
 *
 * <p>Runs on the shutdown thread before the application context closes, while every port is still
 * served.
 */
@Component
public final class Drain {
  private static final Logger LOG = LoggerFactory.getLogger(Drain.class);
  private static final long CHECK_NANOS = 50_000_000;

  private final StreamRegistry registry;
  private final StaggeredCloser closer;
  private final PendingDeliveries pending;
  private final DeliveryLedger ledger;
  private final Presence presence;
  private final DrainProperties properties;
  private final ApplicationEventPublisher events;
  private final Ticker ticker;

  /** Reads of the draining gauge. Only a scrape reads it. */
  private final AtomicLong scrapes = new AtomicLong();

  private volatile boolean draining;

  Drain(
      StreamRegistry registry,
      StaggeredCloser closer,
      PendingDeliveries pending,
      DeliveryLedger ledger,
      Presence presence,
      DrainProperties properties,
      ApplicationEventPublisher events,
      Ticker ticker,
      MeterRegistry meters) {
    this.registry = registry;
    this.closer = closer;
    this.pending = pending;
    this.ledger = ledger;
    this.presence = presence;
    this.properties = properties;
    this.events = events;
    this.ticker = ticker;
    Metric.DRAINING.gauge(meters, this::scraped);
  }

  private double scraped() {
    scrapes.incrementAndGet();
    return draining ? 1 : 0;
  }

  /**
   * Runs all steps. Takes at most the sum of the configured limits, and much less if no stream is
   * open.
   */
  public void run() {
    draining = true;
    AvailabilityChangeEvent.publish(events, this, ReadinessState.REFUSING_TRAFFIC);
    LOG.atInfo().log("drain_started");
    await(properties.balancer(), () -> false);
    registry.reject(StreamRegistry.Admission.SHUTTING_DOWN);
    closeStreams();
    await(properties.settle(), this::isSettled);
    try {
      presence.leave();
    } catch (RuntimeException e) {
      // Redis is unavailable, so the lease cannot be released. It expires by itself.
      LOG.atDebug().setCause(e).log("lease_release_failed");
    }
    // Updates may have been published to this replica until the lease was released.
    boolean settled = await(properties.settle(), this::isSettled);
    long before = scrapes.get();
    boolean scraped = await(properties.scrape(), () -> scrapes.get() > before);
    LOG.atInfo()
        .addKeyValue("settled", settled)
        .addKeyValue("scraped", scraped)
        .log("drain_finished");
  }

  private void closeStreams() {
    Duration within = properties.streams();
    try {
      closer
          .start(CloseReason.SHUTDOWN, within)
          .get(within.toMillis() + 1_000, TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException | CancellationException e) {
      LOG.atWarn().setCause(e).log("drain_incomplete");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean isSettled() {
    try {
      return pending.size() == 0 && ledger.outstanding() == 0;
    } catch (RuntimeException e) {
      return false;
    }
  }

  private boolean await(Duration atMost, BooleanSupplier condition) {
    long begun = ticker.read();
    while (ticker.read() - begun < atMost.toNanos()) {
      if (condition.getAsBoolean()) {
        return true;
      }
      LockSupport.parkNanos(CHECK_NANOS);
    }
    return condition.getAsBoolean();
  }
}
