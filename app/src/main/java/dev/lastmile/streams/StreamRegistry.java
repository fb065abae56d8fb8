package dev.lastmile.streams;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.Channel;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * All streams of this replica, by channel.
 *
 * <p>Each stream is counted once when it is added and once when it is closed, with one reason:
 * opened = closed + connections. Streams are removed by object identity, so a late close never
 * removes a newer stream of the same client. Any thread.
 */
@Component
final class StreamRegistry {
  /** The decision about a new stream. */
  enum Admission {
    ADMITTED,
    IDENTITY_FULL,
    ADDRESS_FULL,
    REPLICA_FULL,
    STALLED,
    SHUTTING_DOWN
  }

  private static final Logger LOG = LoggerFactory.getLogger(StreamRegistry.class);

  private final ConcurrentHashMap<String, ChannelStreams> channels = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, Integer> addresses = new ConcurrentHashMap<>();
  private final AtomicInteger count = new AtomicInteger();
  private final AtomicLong generations = new AtomicLong();
  private final Presence presence;
  private final StreamProperties properties;
  private final Counter opened;
  private final Metric.Counters<CloseReason> closed;
  private final Metric.Counters<Admission> rejected;
  private final Ticker ticker;

  /** The reason for rejecting new streams; null while they are admitted. */
  private volatile @Nullable Admission rejection;

  StreamRegistry(
      Presence presence, StreamProperties properties, Ticker ticker, MeterRegistry meters) {
    this.presence = presence;
    this.properties = properties;
    this.ticker = ticker;
    Metric.CONNECTIONS.gauge(meters, count::get);
    Metric.QUEUE.gauge(meters, this::queuedBytes);
    opened = Metric.OPENED.counter(meters);
    closed = Metric.CLOSED.counters(meters, EnumSet.allOf(CloseReason.class));
    rejected =
        Metric.STREAMS_REJECTED.counters(
            meters, EnumSet.complementOf(EnumSet.of(Admission.ADMITTED)));
  }

  /** Adds a stream unless a limit is reached. From then on it receives its channel's updates. */
  Admission add(StreamConnection connection) {
    Admission admission = admit(connection);
    if (admission == Admission.ADMITTED) {
      opened.increment();
      Admission now = rejection;
      if (now != null) {
        // Rejection began after {@code admit} had checked for it.
        close(connection, now == Admission.STALLED ? CloseReason.STALLED : CloseReason.SHUTDOWN);
      }
    } else {
      rejected.increment(admission);
    }
    return admission;
  }

  private Admission admit(StreamConnection connection) {
    Admission now = rejection;
    if (now != null) {
      return now;
    }
    if (count.incrementAndGet() > properties.maxConnections()) {
      count.decrementAndGet();
      return Admission.REPLICA_FULL;
    }
    if (addresses.merge(connection.address(), 1, Integer::sum)
        > properties.maxConnectionsPerAddress()) {
      release(connection);
      return Admission.ADDRESS_FULL;
    }
    boolean[] added = new boolean[1];
    channels.compute(
        connection.channel().value(),
        (_, present) -> {
          ChannelStreams group =
              present == null
                  ? new ChannelStreams(connection.channel(), generations.incrementAndGet())
                  : present;
          if (group.connections().length < properties.maxConnectionsPerIdentity()) {
            connection.join(group);
            group.add(connection);
            added[0] = true;
          }
          return group;
        });
    if (!added[0]) {
      release(connection);
      return Admission.IDENTITY_FULL;
    }
    return Admission.ADMITTED;
  }

  /** Releases the counts that {@link #admit} took. */
  private void release(StreamConnection connection) {
    count.decrementAndGet();
    addresses.computeIfPresent(connection.address(), (_, n) -> n == 1 ? null : n - 1);
  }

  /** The streams of a channel; null if there are none. */
  @Nullable ChannelStreams find(String channel) {
    return channels.get(channel);
  }

  /** A live view of all channels with streams. */
  Collection<ChannelStreams> all() {
    return Collections.unmodifiableCollection(channels.values());
  }

  /** Closes a stream with the first reason given; later calls have no effect. */
  void close(StreamConnection connection, CloseReason reason) {
    if (!connection.close(reason)) {
      return;
    }
    boolean begun = connection.isOpened();
    channels.computeIfPresent(
        connection.channel().value(),
        (_, group) -> {
          if (group.remove(connection)) {
            group.slow = reason == CloseReason.SLOW_CONSUMER;
            release(connection);
          }
          if (group.connections().length > 0) {
            return group;
          }
          group.retired = true;
          return null;
        });
    ChannelStreams group = connection.group();
    if (group.retired && group.announced) {
      presence.withdraw(group.channel(), group.generation());
    }
    closed.increment(reason);
    LOG.atDebug()
        .addKeyValue("reason", reason.wireName())
        .addKeyValue("channel", connection.channel())
        .log("stream_closed");
    if (!begun && (reason.isOurs() || reason == CloseReason.UNAVAILABLE)) {
      connection.writer().reject();
    } else if (reason.isOurs() && !connection.isStalled(ticker.read())) {
      long retry = properties.retry().toMillis();
      connection.enqueueFinal(
          SseEncoder.retry(ThreadLocalRandom.current().nextLong(retry, retry * 2)));
      connection.writer().end();
    } else {
      connection.writer().abort();
    }
  }

  /**
   * Rejects new streams for a reason, or admits them again ({@code null}).
   *
   * @return false if this replica is shutting down, which cannot be undone
   */
  synchronized boolean reject(@Nullable Admission why) {
    if (rejection == Admission.SHUTTING_DOWN) {
      return false;
    }
    rejection = why;
    return true;
  }

  /**
   * Withdraws a channel without connections again, because the ledger still expects its deliveries
   * here.
   */
  void withdrawWithoutStreams(Channel channel) {
    channels.compute(
        channel.value(),
        (_, present) -> {
          if (present == null) {
            // The next connection gets a higher generation, which this call does not withdraw.
            presence.withdraw(channel, generations.get());
          }
          return present;
        });
  }

  /** Rejects new streams and closes all others; each client gets its own reconnection time. */
  void shutDown() {
    reject(Admission.SHUTTING_DOWN);
    for (ChannelStreams group : channels.values()) {
      for (StreamConnection connection : group.connections()) {
        close(connection, CloseReason.SHUTDOWN);
      }
    }
  }

  private double queuedBytes() {
    long bytes = 0;
    for (ChannelStreams group : channels.values()) {
      for (StreamConnection connection : group.connections()) {
        bytes += connection.queuedBytes();
      }
    }
    return bytes;
  }
}
