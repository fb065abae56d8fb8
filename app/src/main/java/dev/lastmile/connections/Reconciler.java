package dev.lastmile.connections;

import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import dev.lastmile.updates.Update;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads state for connections that are held, and brings them to where live updates go on.
 *
 * <p>One read serves all held connections of a channel, from the lowest position among them; a
 * channel is read by one worker at a time, so a connection never gets an older read after a newer
 * one. The number of workers bounds the reads under way; a channel waits at most once in their
 * queue, so that is bounded by the number of channels.
 */
final class Reconciler implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Reconciler.class);

  private final DeltaReads reads;
  private final Registry registry;
  private final Presence presence;
  private final Expectations expectations;
  private final Dispatcher dispatcher;
  private final StreamProperties properties;
  private final LinkedBlockingQueue<ChannelConnections> waiting = new LinkedBlockingQueue<>();
  private final List<Thread> workers = new ArrayList<>();
  private final ScheduledExecutorService retries =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("read-retry").daemon().factory());
  private final Counter read;
  private final Counter failed;

  Reconciler(
      DeltaReads reads,
      Registry registry,
      Presence presence,
      Expectations expectations,
      Dispatcher dispatcher,
      StreamProperties properties,
      MeterRegistry meters) {
    this.reads = reads;
    this.registry = registry;
    this.presence = presence;
    this.expectations = expectations;
    this.dispatcher = dispatcher;
    this.properties = properties;
    this.read = Metric.READS.counter(meters);
    this.failed = Metric.READS_FAILED.counter(meters);
  }

  void start() {
    for (int i = 0; i < properties.readers(); i++) {
      workers.add(Thread.ofVirtual().name("reader-", i).start(this::work));
    }
  }

  /** Asks for a read for the held connections of a channel. Any thread; returns at once. */
  void request(ChannelConnections group) {
    if (group.readRequests.getAndIncrement() == 0) {
      waiting.add(group);
    }
  }

  private void work() {
    while (!Thread.currentThread().isInterrupted()) {
      ChannelConnections group;
      try {
        group = waiting.take();
      } catch (InterruptedException e) {
        return;
      }
      int answered = group.readRequests.get();
      try {
        read(group);
      } catch (RuntimeException e) {
        LOG.atError().setCause(e).log("read_broke");
        failed(group, List.of(group.connections()));
      }
      if (group.readRequests.addAndGet(-answered) != 0) {
        waiting.add(group);
      }
    }
  }

  private void read(ChannelConnections group) {
    List<Connection> held = new ArrayList<>();
    for (Connection connection : group.connections()) {
      if (connection.awaitsRead()) {
        held.add(connection);
      }
    }
    if (held.isEmpty()) {
      return;
    }
    Delta delta;
    try {
      announce(group);
      read.increment();
      delta = reads.read(group.channel(), lowest(held), anyPaging(held));
    } catch (RuntimeException e) {
      failed.increment();
      LOG.atDebug().setCause(e).log("read_failed");
      failed(group, held);
      return;
    }
    List<Frame> frames = new ArrayList<>(delta.updates().size());
    for (Update update : delta.updates()) {
      frames.add(SseEncoder.update(update));
    }
    boolean repair = dispatcher.repairsHoles();
    for (Connection connection : held) {
      try {
        bring(delta, frames, repair, connection, group);
      } catch (RuntimeException e) {
        LOG.atError().setCause(e).log("catch_up_failed");
        registry.close(connection, DisconnectReason.ERROR);
      }
    }
  }

  /** Before the read: what is published after it is then expected of us. */
  private void announce(ChannelConnections group) {
    if (!presence.incarnation().equals(group.announcedAs())) {
      group.announcing();
      group.announcedAs(presence.announce(group.channel(), group.generation()));
      if (group.isRetired()) {
        // Its last connection went while we announced it, so nobody else withdraws it.
        presence.withdraw(group.channel(), group.generation());
      }
    }
  }

  private void bring(
      Delta delta,
      List<Frame> frames,
      boolean repair,
      Connection connection,
      ChannelConnections group) {
    switch (connection.catchUp(delta, frames, repair)) {
      case LIVE, PAGE -> connection.writer().flush();
      case AGAIN -> {
        connection.writer().flush();
        request(group);
      }
    }
    expectations.flushed(group, connection.flushed());
    if (connection.awaitsPage()) {
      request(group);
    }
  }

  /** A stream that has not begun is refused; one that has waits, and holds what comes. */
  private void failed(ChannelConnections group, List<Connection> held) {
    boolean wait = false;
    for (Connection connection : held) {
      if (connection.isOpened()) {
        wait = true;
      } else {
        registry.close(connection, DisconnectReason.UNAVAILABLE);
      }
    }
    if (wait && group.retryScheduled.compareAndSet(false, true)) {
      var _ =
          retries.schedule(
              () -> {
                group.retryScheduled.set(false);
                request(group);
              },
              properties.readRetry().toMillis(),
              TimeUnit.MILLISECONDS);
    }
  }

  /** Others of the channel, whose cursor does not fit, find that out by themselves. */
  private static boolean anyPaging(List<Connection> held) {
    return held.stream().anyMatch(Connection::isPaging);
  }

  /** Where the read has to begin so that it serves them all; null for everything. */
  private static @Nullable Cursor lowest(List<Connection> held) {
    Cursor lowest = null;
    for (Connection connection : held) {
      Cursor from = connection.readFrom();
      if (from == null || (lowest != null && !lowest.epoch().equals(from.epoch()))) {
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
    retries.shutdownNow();
  }
}
