package dev.lastmile.connections;

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
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.context.ApplicationEventPublisher;

/**
 * How a replica stops without anybody missing anything.
 *
 * <p>Readiness goes off, and nothing else changes until the balancer has seen it. Then new streams
 * are refused and the open ones end, spread over some seconds, their presence withdrawn first. The
 * subscription stays until the ledger expects nothing of us any more; then we say goodbye and wait
 * for the scrape that sees the last figures. Runs before the application is closed, while every
 * port is still served.
 */
public final class Drain {
  private static final Logger LOG = LoggerFactory.getLogger(Drain.class);
  private static final long LOOK_NANOS = 50_000_000;

  private final Registry registry;
  private final BatchClose batchClose;
  private final Expectations expectations;
  private final Deliveries deliveries;
  private final Presence presence;
  private final DrainProperties properties;
  private final ApplicationEventPublisher events;
  private final LongSupplier nanos;

  /** How often our gauge was read, which only a scrape does. */
  private final AtomicLong scrapes = new AtomicLong();

  private volatile boolean draining;

  Drain(
      Registry registry,
      BatchClose batchClose,
      Expectations expectations,
      Deliveries deliveries,
      Presence presence,
      DrainProperties properties,
      ApplicationEventPublisher events,
      LongSupplier nanos,
      MeterRegistry meters) {
    this.registry = registry;
    this.batchClose = batchClose;
    this.expectations = expectations;
    this.deliveries = deliveries;
    this.presence = presence;
    this.properties = properties;
    this.events = events;
    this.nanos = nanos;
    Metric.DRAINING.gauge(meters, this::scraped);
  }

  private double scraped() {
    scrapes.incrementAndGet();
    return draining ? 1 : 0;
  }

  /** Runs all steps; takes as long as the properties allow, much less if nothing is open. */
  public void run() {
    draining = true;
    AvailabilityChangeEvent.publish(events, this, ReadinessState.REFUSING_TRAFFIC);
    LOG.atInfo().log("drain_started");
    await(properties.balancer(), () -> false);
    registry.refuse(Registry.Admission.SHUTTING_DOWN);
    endStreams();
    await(properties.settle(), this::isSettled);
    try {
      presence.leave();
    } catch (RuntimeException e) {
      // Without Redis nobody hears the goodbye; the lease will end by itself.
      LOG.atDebug().setCause(e).log("goodbye_not_heard");
    }
    // Something may have been expected of us up to the goodbye.
    boolean settled = await(properties.settle(), this::isSettled);
    long before = scrapes.get();
    boolean scraped = await(properties.scrape(), () -> scrapes.get() > before);
    LOG.atInfo()
        .addKeyValue("settled", settled)
        .addKeyValue("scraped", scraped)
        .log("drain_finished");
  }

  private void endStreams() {
    Duration within = properties.streams();
    try {
      batchClose
          .start(DisconnectReason.SHUTDOWN, within)
          .get(within.toMillis() + 1_000, TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException | CancellationException e) {
      LOG.atWarn().setCause(e).log("drain_incomplete");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean isSettled() {
    try {
      return expectations.size() == 0 && deliveries.outstanding() == 0;
    } catch (RuntimeException e) {
      return false;
    }
  }

  private boolean await(Duration atMost, BooleanSupplier condition) {
    long begun = nanos.getAsLong();
    while (nanos.getAsLong() - begun < atMost.toNanos()) {
      if (condition.getAsBoolean()) {
        return true;
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
    return condition.getAsBoolean();
  }
}
