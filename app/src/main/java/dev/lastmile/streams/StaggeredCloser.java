package dev.lastmile.streams;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Closes all streams in small batches, in random order.
 *
 * <p>A channel is withdrawn from presence 50 ms before its streams close. Updates that are
 * published after the withdrawal are not expected of this replica, but its streams still receive
 * them. One batch at a time.
 */
@Component
final class StaggeredCloser {
  private static final Logger LOG = LoggerFactory.getLogger(StaggeredCloser.class);
  private static final long TICK_MILLIS = 50;

  /** Minimum number of channels per tick of 50 ms. */
  private static final int SMALLEST_BATCH = 25;

  /** One call of {@link #start}. */
  private record Run(CloseReason reason, int batch, CompletableFuture<Void> done) {}

  private final StreamRegistry registry;
  private final Presence presence;
  private final ScheduledExecutorService scheduler;

  StaggeredCloser(StreamRegistry registry, Presence presence, ScheduledExecutorService scheduler) {
    this.registry = registry;
    this.presence = presence;
    this.scheduler = scheduler;
  }

  /**
   * Starts closing. Returns at once.
   *
   * @param within the longest time for closing all streams
   * @return completes when every stream that was open at the start is closed. If it is cancelled,
   *     the remaining streams stay open.
   */
  CompletableFuture<Void> start(CloseReason reason, Duration within) {
    List<ChannelStreams> groups = new ArrayList<>(registry.all());
    Collections.shuffle(groups);
    long ticks = Math.max(1, within.toMillis() / TICK_MILLIS);
    int batch = Math.max(SMALLEST_BATCH, Math.ceilDiv(groups.size(), (int) ticks));
    Run run = new Run(reason, batch, new CompletableFuture<>());
    schedule(run, 0, List.of(), groups);
    return run.done();
  }

  private void schedule(
      Run run, long delayMillis, List<ChannelStreams> withdrawn, List<ChannelStreams> left) {
    try {
      var _ =
          scheduler.schedule(() -> next(run, withdrawn, left), delayMillis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The scheduler has been shut down.
      run.done().cancel(false);
    }
  }

  /** Closes the channels that were withdrawn one tick ago and withdraws the next batch. */
  private void next(Run run, List<ChannelStreams> withdrawn, List<ChannelStreams> left) {
    withdrawn.forEach(group -> close(group, run.reason()));
    if (left.isEmpty()) {
      run.done().complete(null);
    }
    if (run.done().isDone()) {
      return;
    }
    List<ChannelStreams> first = left.subList(0, Math.min(run.batch(), left.size()));
    first.forEach(group -> presence.withdraw(group.channel(), group.generation()));
    schedule(run, TICK_MILLIS, first, left.subList(first.size(), left.size()));
  }

  private void close(ChannelStreams group, CloseReason reason) {
    for (StreamConnection connection : group.connections()) {
      try {
        registry.close(connection, reason);
      } catch (RuntimeException e) {
        LOG.atError().setCause(e).log("staggered_close_failed");
      }
    }
  }
}
