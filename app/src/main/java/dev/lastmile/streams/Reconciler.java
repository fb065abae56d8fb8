package dev.lastmile.streams;

import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import dev.lastmile.updates.Delta.ResetReason;
import dev.lastmile.updates.Partition;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads state for held connections until they can continue with live updates.
 *
 * <p>One read serves all held connections of a channel, from the lowest position among them. Only
 * one worker reads a channel at a time, so a connection never receives an older read after a newer
 * one. Each partition has workers of its own ({@code lastmile.stream.readers}), so a primary that
 * does not answer delays no reads from another one. A channel is in a queue at most once, so the
 * number of channels bounds the queues.
 */
final class Reconciler implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Reconciler.class);

  private final Dispatcher.StateReader stateReader;
  private final StreamRegistry registry;
  private final Presence presence;
  private final PendingDeliveries pending;
  private final Dispatcher dispatcher;
  private final StreamProperties properties;
  private final StreamMemory memory;

  /** The channels that wait for a read, by the index of their partition. */
  private final List<LinkedBlockingQueue<ChannelStreams>> waiting =
      Stream.generate(LinkedBlockingQueue<ChannelStreams>::new).limit(Partition.COUNT).toList();

  private final List<Thread> workers = new ArrayList<>();
  private final ScheduledExecutorService scheduler;
  private final Counter read;
  private final Counter failed;
  private final Counter postponed;
  private final Metric.Counters<ResetReason> resets;

  Reconciler(
      Dispatcher.StateReader stateReader,
      StreamRegistry registry,
      Presence presence,
      PendingDeliveries pending,
      Dispatcher dispatcher,
      StreamProperties properties,
      StreamMemory memory,
      ScheduledExecutorService scheduler,
      MeterRegistry meters) {
    this.stateReader = stateReader;
    this.registry = registry;
    this.presence = presence;
    this.pending = pending;
    this.dispatcher = dispatcher;
    this.properties = properties;
    this.memory = memory;
    this.scheduler = scheduler;
    this.read = Metric.READS.counter(meters);
    this.failed = Metric.READS_FAILED.counter(meters);
    this.postponed = Metric.READS_POSTPONED.counter(meters);
    this.resets = Metric.RESETS.counters(meters, EnumSet.allOf(ResetReason.class));
  }

  void start() {
    for (LinkedBlockingQueue<ChannelStreams> queue : waiting) {
      for (int i = 0; i < properties.readers(); i++) {
        workers.add(
            Thread.ofVirtual().name("reader-", workers.size()).start(() -> readFrom(queue)));
      }
    }
  }

  /** Requests a read for the held connections of a channel. Returns at once. Any thread. */
  void request(ChannelStreams group) {
    if (group.readRequests.getAndIncrement() == 0) {
      queue(group).add(group);
    }
  }

  private LinkedBlockingQueue<ChannelStreams> queue(ChannelStreams group) {
    return waiting.get(group.channel().partition().index());
  }

  private void readFrom(LinkedBlockingQueue<ChannelStreams> queue) {
    while (!Thread.currentThread().isInterrupted()) {
      ChannelStreams group;
      try {
        group = queue.take();
      } catch (InterruptedException e) {
        return;
      }
      int answered = group.readRequests.get();
      try {
        read(group);
      } catch (RuntimeException e) {
        LOG.atError().setCause(e).log("reconcile_failed");
        handleFailure(group, List.of(group.connections()));
      }
      if (group.readRequests.addAndGet(-answered) != 0) {
        queue.add(group);
      }
    }
  }

  private void read(ChannelStreams group) {
    List<StreamConnection> held =
        Arrays.stream(group.connections()).filter(StreamConnection::awaitsRead).toList();
    if (held.isEmpty()) {
      return;
    }
    if (memory.isFull()) {
      postponed.increment();
      held.forEach(StreamConnection::discardHeld);
      handleFailure(group, held);
      return;
    }
    Delta delta;
    try {
      announce(group);
      read.increment();
      // For those that do not continue a page, catchUp checks their own cursor.
      boolean paging = held.stream().anyMatch(StreamConnection::isPaging);
      delta = stateReader.read(group.channel(), lowest(held), paging);
    } catch (RuntimeException e) {
      failed.increment();
      LOG.atDebug().setCause(e).log("read_failed");
      handleFailure(group, held);
      return;
    }
    List<Frame> frames = SseEncoder.updates(delta);
    boolean repair = dispatcher.repairsGaps();
    for (StreamConnection connection : held) {
      try {
        StreamConnection.Progress progress = connection.catchUp(delta, frames, repair);
        count(connection.takeReset());
        connection.writer().flush();
        if (progress == StreamConnection.Progress.AGAIN) {
          request(group);
        }
        flushed(connection, connection.flushed());
      } catch (RuntimeException e) {
        LOG.atError().setCause(e).log("catch_up_failed");
        registry.close(connection, CloseReason.ERROR);
      }
    }
  }

  private void count(@Nullable ResetReason reason) {
    if (reason != null) {
      resets.increment(reason);
    }
  }

  /**
   * Announces the channel before the read, so that updates after the read are expected of this
   * replica.
   */
  private void announce(ChannelStreams group) {
    if (!group.isAnnouncedAs(presence.incarnation(group.channel()))) {
      group.announced = true;
      group.announcedAs = presence.announce(group.channel(), group.generation());
      if (group.retired) {
        // The last connection closed during the announcement, so its close did not withdraw the
        // channel.
        presence.withdraw(group.channel(), group.generation());
      }
    }
  }

  /** Settles the deliveries that a flush covers, and requests the next page if one is due. */
  void flushed(StreamConnection connection, StreamPosition.Flush flush) {
    try {
      pending.flushed(connection.group(), flush);
    } finally {
      if (connection.awaitsPage()) {
        request(connection.group());
      }
    }
  }

  /**
   * Handles a failed or postponed read: streams that have not started are rejected. Started ones
   * keep holding updates until the retry after {@code lastmile.stream.read-retry}.
   */
  private void handleFailure(ChannelStreams group, List<StreamConnection> held) {
    boolean wait = false;
    for (StreamConnection connection : held) {
      if (connection.isOpened()) {
        wait = true;
      } else {
        registry.close(connection, CloseReason.UNAVAILABLE);
      }
    }
    if (wait) {
      retry(group);
    }
  }

  /** Requests a read after {@code lastmile.stream.read-retry}. */
  private void retry(ChannelStreams group) {
    if (group.retryScheduled.compareAndSet(false, true)) {
      var _ =
          scheduler.schedule(
              () -> {
                group.retryScheduled.set(false);
                request(group);
              },
              properties.readRetry().toMillis(),
              TimeUnit.MILLISECONDS);
    }
  }

  /** The cursor from which one read serves all of them; null to read everything. */
  private static @Nullable Cursor lowest(List<StreamConnection> held) {
    Cursor lowest = null;
    for (StreamConnection connection : held) {
      Cursor from = connection.readFrom();
      if (from == null || (lowest != null && !lowest.isComparable(from))) {
        return null;
      }
      if (lowest == null || from.sequence() < lowest.sequence()) {
        lowest = from;
      }
    }
    return lowest;
  }

  @Override
  public void close() {
    workers.forEach(Thread::interrupt);
  }
}
