package dev.lastmile.connections;

import dev.lastmile.connections.Deliveries.End;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delivery;
import dev.lastmile.updates.Update;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What is expected of this replica and not settled: received, with us as an owner, and not yet
 * flushed.
 *
 * <p>A flush settles all up to its sequence at once. What is left after {@code settle-after} is
 * judged at each {@link #look}: no connection any more means {@code client_gone}; sockets that took
 * no bytes, or too few, during several looks mean {@code slow_consumer}; anything else is our own
 * slowness and waits. Looks are counted, not seconds: after a pause of this process the first look
 * must not blame a client for it.
 *
 * <p>Any thread. One that finds no room is not remembered here; the ledger asks again for it.
 */
final class Expectations {
  /** Looks without progress until a socket counts as one that takes no bytes. */
  private static final int BLOCKED_LOOKS = 4;

  /**
   * Looks that all find a write under way, until a socket counts as one that is too slow: our
   * writer begins the next write when one ends, so only the socket can be what it waits for.
   */
  private static final int BUSY_LOOKS = 20;

  /** One delivery and what was seen of its channel's sockets. */
  private static final class Expected {
    final Delivery delivery;
    final @Nullable ChannelConnections group;
    final long receivedNanos;
    long progress = -1;
    int blockedLooks;
    int busyLooks;

    Expected(Delivery delivery, @Nullable ChannelConnections group, long receivedNanos) {
      this.delivery = delivery;
      this.group = group;
      this.receivedNanos = receivedNanos;
    }
  }

  /** Per channel, by sequence; the inner maps are touched only under the outer one's lock. */
  private final ConcurrentHashMap<String, NavigableMap<Long, Expected>> channels =
      new ConcurrentHashMap<>();

  private final AtomicInteger count = new AtomicInteger();
  private final Registry registry;
  private final Deliveries deliveries;
  private final StreamProperties properties;
  private final Counter overflow;

  Expectations(
      Registry registry, Deliveries deliveries, StreamProperties properties, MeterRegistry meters) {
    this.registry = registry;
    this.deliveries = deliveries;
    this.properties = properties;
    this.overflow = Metric.EXPECTATIONS_OVERFLOW.counter(meters);
    Metric.EXPECTATIONS.gauge(meters, count::get);
  }

  /**
   * Remembers a delivery that is expected of us, before it is offered to the connections.
   *
   * @param group the connections of the channel at this moment; null if there are none
   */
  void expect(Delivery delivery, @Nullable ChannelConnections group, long nowNanos) {
    if (count.get() >= properties.expectations()) {
      overflow.increment();
      return;
    }
    channels.compute(
        delivery.channel().value(),
        (_, present) -> {
          NavigableMap<Long, Expected> waiting = present == null ? new TreeMap<>() : present;
          Expected expected = new Expected(delivery, group, nowNanos);
          Expected before = waiting.get(delivery.sequence());
          if (before == null) {
            count.incrementAndGet();
            waiting.put(delivery.sequence(), expected);
          } else if (!before.delivery.cursor().equals(delivery.cursor())) {
            // Of another epoch: its entry is gone.
            waiting.put(delivery.sequence(), expected);
          }
          return waiting;
        });
  }

  /** A connection of the group has flushed. */
  void flushed(ChannelConnections group, Connection.Flush flush) {
    long after = group.advance(flush.epoch(), flush.upTo());
    if (after < flush.upTo()) {
      settleUpTo(group.channel(), flush.epoch(), after, flush.upTo());
    }
    for (Update update : flush.alone()) {
      flushedAlone(group.channel(), update.cursor());
    }
  }

  /**
   * @param after up to where the channel's connections had flushed before; -1 if that is unknown
   */
  private void settleUpTo(Channel channel, String epoch, long after, long upTo) {
    List<Delivery> done = new ArrayList<>(1);
    channels.computeIfPresent(
        channel.value(),
        (_, waiting) -> {
          Iterator<Expected> i = waiting.headMap(upTo, true).values().iterator();
          while (i.hasNext()) {
            done.add(i.next().delivery);
            i.remove();
            count.decrementAndGet();
          }
          return waiting.isEmpty() ? null : waiting;
        });
    long inRange = 0;
    for (Delivery delivery : done) {
      // One of another epoch cannot be flushed any more; its entry is gone.
      if (delivery.cursor().epoch().equals(epoch)) {
        deliveries.settle(delivery, End.FLUSHED);
        inRange += delivery.sequence() > after ? 1 : 0;
      }
    }
    if (after >= 0 && inRange < upTo - after) {
      deliveries.settleRange(channel, epoch, after, upTo);
    }
  }

  /** Exactly this update was flushed; nothing is said of those before it. */
  void flushedAlone(Channel channel, Cursor cursor) {
    List<Delivery> done = new ArrayList<>(1);
    channels.computeIfPresent(
        channel.value(),
        (_, waiting) -> {
          Expected expected = waiting.get(cursor.sequence());
          if (expected != null && expected.delivery.cursor().equals(cursor)) {
            waiting.remove(cursor.sequence());
            done.add(expected.delivery);
            count.decrementAndGet();
          }
          return waiting.isEmpty() ? null : waiting;
        });
    done.forEach(delivery -> deliveries.settle(delivery, End.FLUSHED));
  }

  /** Judges what is left; called several times a second by one thread. */
  void look(long nowNanos) {
    channels.forEach((channel, _) -> {
      List<Delivery> slow = new ArrayList<>(0);
      List<Delivery> gone = new ArrayList<>(0);
      channels.computeIfPresent(
          channel,
          (_, waiting) -> {
            judge(waiting, registry.find(channel), nowNanos, slow, gone);
            return waiting.isEmpty() ? null : waiting;
          });
      slow.forEach(delivery -> deliveries.settle(delivery, End.SLOW_CONSUMER));
      gone.forEach(delivery -> deliveries.settle(delivery, End.CLIENT_GONE));
    });
  }

  private void judge(
      NavigableMap<Long, Expected> waiting,
      @Nullable ChannelConnections group,
      long nowNanos,
      List<Delivery> slow,
      List<Delivery> gone) {
    Connection[] connections = group == null ? new Connection[0] : group.connections();
    long progress = 0;
    boolean blocked = true;
    for (Connection connection : connections) {
      progress += connection.writesEnded();
      blocked &= connection.isWriting();
    }
    Iterator<Expected> i = waiting.values().iterator();
    while (i.hasNext()) {
      Expected expected = i.next();
      expected.blockedLooks =
          blocked && progress == expected.progress ? expected.blockedLooks + 1 : 0;
      expected.progress = progress;
      expected.busyLooks = blocked ? expected.busyLooks + 1 : 0;
      long age = nowNanos - expected.receivedNanos;
      if (age < properties.settleAfter().toNanos()) {
        continue;
      }
      if (connections.length == 0) {
        boolean wasSlow = expected.group != null && expected.group.closedSlow();
        (wasSlow ? slow : gone).add(expected.delivery);
      } else if (expected.blockedLooks >= BLOCKED_LOOKS || expected.busyLooks >= BUSY_LOOKS) {
        slow.add(expected.delivery);
      } else if (age < properties.forgetAfter().toNanos()) {
        continue;
      }
      i.remove();
      count.decrementAndGet();
    }
  }

  /** How many are not settled. */
  int size() {
    return count.get();
  }
}
