package dev.lastmile.connections;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at every stream about once a second, and several times a second at what is expected and not
 * flushed, on one thread: heartbeats, slow consumers, clients that are gone.
 */
final class Heartbeats implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Heartbeats.class);

  private static final long EXPECTATIONS_MILLIS = 100;

  private final Registry registry;
  private final Expectations expectations;
  private final LongSupplier nanos;
  private final long intervalMillis;

  /** When the last look was; used by the one thread. */
  private long lookedNanos;

  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("heartbeats").daemon().factory());

  Heartbeats(
      Registry registry,
      Expectations expectations,
      StreamProperties properties,
      LongSupplier nanos) {
    this.registry = registry;
    this.expectations = expectations;
    this.nanos = nanos;
    this.intervalMillis = Math.clamp(properties.heartbeat().toMillis() / 10, 10, 1_000);
  }

  void start() {
    lookedNanos = nanos.getAsLong();
    var _ =
        thread.scheduleWithFixedDelay(
            this::look, intervalMillis, intervalMillis, TimeUnit.MILLISECONDS);
    var _ =
        thread.scheduleWithFixedDelay(
            this::judge, EXPECTATIONS_MILLIS, EXPECTATIONS_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void judge() {
    try {
      expectations.look(nanos.getAsLong());
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).log("expectations_failed");
    }
  }

  private void look() {
    long now = nanos.getAsLong();
    long paused =
        Math.max(0, now - lookedNanos - 2 * TimeUnit.MILLISECONDS.toNanos(intervalMillis));
    lookedNanos = now;
    for (ChannelConnections group : registry.all()) {
      for (Connection connection : group.connections()) {
        try {
          switch (connection.pulse(now, paused)) {
            case HEARTBEAT -> connection.writer().flush();
            case SLOW -> registry.close(connection, DisconnectReason.SLOW_CONSUMER);
            case NOTHING -> {}
          }
        } catch (RuntimeException e) {
          LOG.atError().setCause(e).log("heartbeat_failed");
        }
      }
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
