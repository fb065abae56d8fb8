package dev.lastmile.connections;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks at every stream about once a second, on one thread: heartbeats and slow consumers. */
final class Heartbeats implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Heartbeats.class);

  private final Registry registry;
  private final LongSupplier nanos;
  private final long intervalMillis;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("heartbeats").daemon().factory());

  Heartbeats(Registry registry, StreamProperties properties, LongSupplier nanos) {
    this.registry = registry;
    this.nanos = nanos;
    this.intervalMillis = Math.clamp(properties.heartbeat().toMillis() / 10, 10, 1_000);
  }

  void start() {
    var _ =
        thread.scheduleWithFixedDelay(
            this::look, intervalMillis, intervalMillis, TimeUnit.MILLISECONDS);
  }

  private void look() {
    long now = nanos.getAsLong();
    for (ChannelConnections group : registry.all()) {
      for (Connection connection : group.connections()) {
        try {
          switch (connection.pulse(now)) {
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
