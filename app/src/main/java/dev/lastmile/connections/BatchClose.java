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
 * <p>A channel is withdrawn a moment before its streams end: what is published from then on is not
 * expected of this replica, though its streams still get it.
 */
final class BatchClose implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BatchClose.class);
  private static final long TICK_MILLIS = 50;

  /** Channels per tick at least, so that few are gone at once. */
  private static final int SMALLEST_BATCH = 25;

  private final Registry registry;
  private final Presence presence;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("batch-close").daemon().factory());

  BatchClose(Registry registry, Presence presence) {
    this.registry = registry;
    this.presence = presence;
  }

  /**
   * Begins; returns at once.
   *
   * @param within the longest that it may take
   * @return completes when all streams that were open at the start have been ended; cancelling it
   *     leaves the others open
   */
  CompletableFuture<Void> start(DisconnectReason reason, Duration within) {
    List<ChannelConnections> groups = new ArrayList<>(registry.all());
    Collections.shuffle(groups);
    long ticks = Math.max(1, within.toMillis() / TICK_MILLIS);
    int batch = Math.max(SMALLEST_BATCH, Math.ceilDiv(groups.size(), (int) ticks));
    CompletableFuture<Void> done = new CompletableFuture<>();
    next(List.of(), groups, batch, reason, done);
    return done;
  }

  /** Closes what was withdrawn a tick ago, and withdraws the next. */
  private void next(
      List<ChannelConnections> withdrawn,
      List<ChannelConnections> left,
      int batch,
      DisconnectReason reason,
      CompletableFuture<Void> done) {
    try {
      thread.execute(() -> {
        withdrawn.forEach(group -> close(group, reason));
        if (left.isEmpty()) {
          done.complete(null);
        }
        if (done.isDone()) {
          return;
        }
        List<ChannelConnections> first = left.subList(0, Math.min(batch, left.size()));
        first.forEach(group -> presence.withdraw(group.channel(), group.generation()));
        List<ChannelConnections> rest = left.subList(first.size(), left.size());
        var _ =
            thread.schedule(
                () -> next(first, rest, batch, reason, done), TICK_MILLIS, TimeUnit.MILLISECONDS);
      });
    } catch (RejectedExecutionException e) {
      // The process ends.
      done.cancel(false);
    }
  }

  private void close(ChannelConnections group, DisconnectReason reason) {
    for (Connection connection : group.connections()) {
      try {
        registry.close(connection, reason);
      } catch (RuntimeException e) {
        LOG.atError().setCause(e).log("batch_close_failed");
      }
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
