package dev.lastmile.connections;

import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.Channel;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All streams of this replica, by channel.
 *
 * <p>A stream is counted once when it is added and once when it is closed, for one reason: opened =
 * closed + connections. Removal is by object, so a late close never takes a newer stream of the
 * same client away. Any thread.
 */
final class Registry {
  /** Whether a stream may begin. */
  enum Admission {
    ADMITTED,
    IDENTITY_FULL,
    ADDRESS_FULL,
    REPLICA_FULL,
    DEAF,
    SHUTTING_DOWN
  }

  private static final Logger LOG = LoggerFactory.getLogger(Registry.class);

  private final ConcurrentHashMap<String, ChannelConnections> channels = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, Integer> addresses = new ConcurrentHashMap<>();
  private final AtomicInteger count = new AtomicInteger();
  private final AtomicLong generations = new AtomicLong();
  private final Presence presence;
  private final StreamProperties properties;
  private final Counter opened;
  private final Map<DisconnectReason, Counter> closed = new EnumMap<>(DisconnectReason.class);
  private final Map<Admission, Counter> refused = new EnumMap<>(Admission.class);
  private final LongSupplier nanos;

  /** Why no new streams are taken; null if they are. */
  private volatile @Nullable Admission refusal;

  Registry(
      Presence presence, StreamProperties properties, LongSupplier nanos, MeterRegistry meters) {
    this.presence = presence;
    this.properties = properties;
    this.nanos = nanos;
    Metric.CONNECTIONS.gauge(meters, count::get);
    Metric.QUEUE.gauge(meters, this::queuedBytes);
    opened = Metric.OPENED.counter(meters);
    for (DisconnectReason reason : DisconnectReason.values()) {
      closed.put(reason, Metric.CLOSED.counter(meters, reason.wireName()));
    }
    for (Admission admission : Admission.values()) {
      if (admission != Admission.ADMITTED) {
        refused.put(
            admission,
            Metric.REFUSED.counter(meters, admission.name().toLowerCase(java.util.Locale.ROOT)));
      }
    }
  }

  /** Adds a stream unless a limit is reached. From then on it gets its channel's updates. */
  Admission add(Connection connection) {
    Admission admission = admit(connection);
    if (admission == Admission.ADMITTED) {
      opened.increment();
      Admission now = refusal;
      if (now != null) {
        // It slipped in while the others were being closed.
        close(
            connection, now == Admission.DEAF ? DisconnectReason.DEAF : DisconnectReason.SHUTDOWN);
      }
    } else {
      Counter counter = refused.get(admission);
      if (counter != null) {
        counter.increment();
      }
    }
    return admission;
  }

  private Admission admit(Connection connection) {
    Admission now = refusal;
    if (now != null) {
      return now;
    }
    if (count.incrementAndGet() > properties.maxConnections()) {
      count.decrementAndGet();
      return Admission.REPLICA_FULL;
    }
    if (addresses.merge(connection.address(), 1, Integer::sum)
        > properties.maxConnectionsPerAddress()) {
      leave(connection);
      return Admission.ADDRESS_FULL;
    }
    boolean[] added = new boolean[1];
    channels.compute(
        connection.channel().value(),
        (_, present) -> {
          ChannelConnections group =
              present == null
                  ? new ChannelConnections(connection.channel(), generations.incrementAndGet())
                  : present;
          if (group.connections().length < properties.maxConnectionsPerIdentity()) {
            connection.join(group);
            group.add(connection);
            added[0] = true;
          }
          return group;
        });
    if (!added[0]) {
      leave(connection);
      return Admission.IDENTITY_FULL;
    }
    return Admission.ADMITTED;
  }

  /** Gives back what {@link #admit} took. */
  private void leave(Connection connection) {
    count.decrementAndGet();
    addresses.computeIfPresent(connection.address(), (_, n) -> n == 1 ? null : n - 1);
  }

  /** The streams of a channel; null if there are none. */
  @Nullable ChannelConnections find(String channel) {
    return channels.get(channel);
  }

  /** All channels with streams, as they are while one goes through them. */
  Collection<ChannelConnections> all() {
    return Collections.unmodifiableCollection(channels.values());
  }

  /** Ends a stream, for the first reason given; later calls do nothing. */
  void close(Connection connection, DisconnectReason reason) {
    if (!connection.close(reason)) {
      return;
    }
    boolean begun = connection.isOpened();
    channels.computeIfPresent(
        connection.channel().value(),
        (_, group) -> {
          if (group.remove(connection)) {
            group.closedFor(reason);
            leave(connection);
          }
          if (group.connections().length > 0) {
            return group;
          }
          group.retire();
          return null;
        });
    ChannelConnections group = connection.group();
    if (group.isRetired() && group.mayBeAnnounced()) {
      presence.withdraw(group.channel(), group.generation());
    }
    Counter counter = closed.get(reason);
    if (counter != null) {
      counter.increment();
    }
    LOG.atDebug()
        .addKeyValue("reason", reason.wireName())
        .addKeyValue("channel", connection.channel())
        .log("stream_closed");
    if (!begun && (reason.isOurs() || reason == DisconnectReason.UNAVAILABLE)) {
      connection.writer().refuse();
    } else if (reason.isOurs() && !connection.isStalled(nanos.getAsLong())) {
      long retry = properties.retry().toMillis();
      connection.farewell(SseEncoder.retry(ThreadLocalRandom.current().nextLong(retry, retry * 2)));
      connection.writer().end();
    } else {
      connection.writer().abort();
    }
  }

  /**
   * Takes no new streams, or takes them again ({@code null}).
   *
   * @return false if this replica stops: then it stays so
   */
  synchronized boolean refuse(@Nullable Admission why) {
    if (refusal == Admission.SHUTTING_DOWN) {
      return false;
    }
    refusal = why;
    return true;
  }

  /** Something is expected of us for a channel without connections: withdraws it, once more. */
  void withdrawStray(Channel channel) {
    channels.compute(
        channel.value(),
        (_, present) -> {
          if (present == null) {
            // Whoever comes next gets a higher generation.
            presence.withdraw(channel, generations.get());
          }
          return present;
        });
  }

  /** Refuses new streams and ends all others; each is told when to come back. */
  void shutDown() {
    refuse(Admission.SHUTTING_DOWN);
    for (ChannelConnections group : channels.values()) {
      for (Connection connection : group.connections()) {
        close(connection, DisconnectReason.SHUTDOWN);
      }
    }
  }

  private double queuedBytes() {
    long bytes = 0;
    for (ChannelConnections group : channels.values()) {
      for (Connection connection : group.connections()) {
        bytes += connection.queuedBytes();
      }
    }
    return bytes;
  }
}
