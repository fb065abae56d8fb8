package dev.lastmile.connections;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends all streams in small batches in random order.
 *
 * <p>A channel is withdrawn before its streams end: what is published from then on is not expected
 * of this replica, though its streams still get it.
 */
final class Evacuation implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Evacuation.class);
  private static final long TICK_MILLIS = 50;

  /** Channels per tick at least, so that few are gone at once. */
  private static final int SMALLEST_BATCH = 25;

  private final Registry registry;
  private final Presence presence;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("evacuation").daemon().factory());

  /** The one under way; replaced by the next one. */
  private volatile CompletableFuture<Void> current = CompletableFuture.completedFuture(null);

  Evacuation(Registry registry, Presence presence) {
    this.registry = registry;
    this.presence = presence;
  }

  /**
   * Begins; returns at once.
   *
   * @param within the longest that it may take
   * @return completes when all streams that were open at the start have been ended
   */
  CompletableFuture<Void> start(DisconnectReason reason, Duration within) {
    stop();
    List<ChannelConnections> groups = new ArrayList<>(registry.all());
    Collections.shuffle(groups);
    long ticks = Math.max(1, within.toMillis() / TICK_MILLIS);
    int batch = Math.max(SMALLEST_BATCH, Math.ceilDiv(groups.size(), (int) ticks));
    CompletableFuture<Void> done = new CompletableFuture<>();
    current = done;
    next(groups, 0, batch, reason, done);
    return done;
  }

  private void next(
      List<ChannelConnections> groups,
      int from,
      int batch,
      DisconnectReason reason,
      CompletableFuture<Void> done) {
    if (from >= groups.size()) {
      done.complete(null);
    }
    if (done.isDone()) {
      return;
    }
    int to = Math.min(groups.size(), from + batch);
    try {
      thread.execute(() -> {
        for (ChannelConnections group : groups.subList(from, to)) {
          end(group, reason);
        }
      });
      var _ =
          thread.schedule(
              () -> next(groups, to, batch, reason, done), TICK_MILLIS, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // Closed: the process ends.
      done.cancel(false);
    }
  }

  private void end(ChannelConnections group, DisconnectReason reason) {
    try {
      if (group.announcedAs() != null) {
        presence.withdraw(group.channel(), group.generation());
      }
      for (Connection connection : group.connections()) {
        registry.close(connection, reason);
      }
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).log("evacuation_failed");
    }
  }

  /** Stops the one under way, if any. */
  void stop() {
    current.cancel(false);
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
