package dev.lastmile.streams;

import dev.lastmile.streams.DeliveryLedger.End;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delivery;
import dev.lastmile.updates.Update;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * The deliveries that this replica has received as an owner and not yet flushed.
 *
 * <p>A flush settles every delivery up to its sequence. {@link #check} decides about each one that
 * is older than {@code lastmile.stream.settle-after}:
 *
 * <ul>
 *   <li>no connection left: {@code client_gone}, or {@code slow_consumer} if the last connection
 *       was closed as one
 *   <li>no progress of the sockets during several checks: {@code slow_consumer}
 *   <li>otherwise this replica is slow: the delivery stays until {@code
 *       lastmile.stream.forget-after}, and then only in the ledger
 * </ul>
 *
 * <p>The rule counts checks instead of seconds. So the first check after a pause of this process
 * does not count the pause against a client.
 *
 * <p>Any thread. If {@code lastmile.stream.expectations} deliveries are pending, a further one is
 * counted and not kept; the ledger sends it again.
 */
@Component
final class PendingDeliveries {
  /** Checks without progress until a socket counts as blocked. */
  private static final int BLOCKED_CHECKS = 4;

  /**
   * Consecutive checks that find a write in progress until a socket counts as too slow. The writer
   * starts the next write as soon as one ends, so only the socket can delay it.
   */
  private static final int BUSY_CHECKS = 20;

  /** One delivery and the state of its channel's sockets at the last check. */
  private static final class Pending {
    final Delivery delivery;
    final @Nullable ChannelStreams group;
    final long receivedNanos;
    long progress = -1;
    int blockedChecks;
    int busyChecks;

    Pending(Delivery delivery, @Nullable ChannelStreams group, long receivedNanos) {
      this.delivery = delivery;
      this.group = group;
      this.receivedNanos = receivedNanos;
    }
  }

  /**
   * Pending deliveries by channel and sequence. The inner maps are accessed under the outer map's
   * lock only.
   */
  private final ConcurrentHashMap<String, NavigableMap<Long, Pending>> channels =
      new ConcurrentHashMap<>();

  private final AtomicInteger count = new AtomicInteger();
  private final StreamRegistry registry;
  private final DeliveryLedger ledger;
  private final StreamProperties properties;
  private final Counter overflow;

  PendingDeliveries(
      StreamRegistry registry,
      DeliveryLedger ledger,
      StreamProperties properties,
      MeterRegistry meters) {
    this.registry = registry;
    this.ledger = ledger;
    this.properties = properties;
    this.overflow = Metric.PENDING_OVERFLOW.counter(meters);
    Metric.PENDING.gauge(meters, count::get);
  }

  /**
   * Adds a delivery that is expected of this replica. Called before the update is offered to the
   * connections.
   *
   * @param group the connections of the channel at this moment; null if there are none
   */
  void expect(Delivery delivery, @Nullable ChannelStreams group, long nowNanos) {
    if (count.get() >= properties.expectations()) {
      overflow.increment();
      return;
    }
    channels.compute(
        delivery.channel().value(),
        (_, present) -> {
          NavigableMap<Long, Pending> waiting = present == null ? new TreeMap<>() : present;
          Pending entry = new Pending(delivery, group, nowNanos);
          Pending before = waiting.get(delivery.sequence());
          if (before == null) {
            count.incrementAndGet();
            waiting.put(delivery.sequence(), entry);
          } else if (!before.delivery.cursor().equals(delivery.cursor())) {
            // The older one is of another term: its update was lost, or is delivered again.
            waiting.put(delivery.sequence(), entry);
          }
          return waiting;
        });
  }

  /** Settles the deliveries that a flush of a connection covers. */
  void flushed(ChannelStreams group, StreamPosition.Flush flush) {
    Cursor upTo = flush.upTo();
    if (upTo != null) {
      long after = group.advance(upTo, flush.continuedFrom());
      if (after < upTo.sequence()) {
        settleUpTo(group.channel(), after, upTo);
      }
    }
    for (Update update : flush.afterGap()) {
      settleOne(group.channel(), update.cursor());
    }
  }

  /**
   * @param after the sequence that the channel's connections had flushed before; -1 if it is
   *     unknown
   */
  private void settleUpTo(Channel channel, long after, Cursor upTo) {
    List<Delivery> done = new ArrayList<>(1);
    channels.computeIfPresent(
        channel.value(),
        (_, waiting) -> {
          // One of an earlier term is settled with the range, if its update was not lost, or is
          // redelivered. One of a later term is not flushed yet.
          Collection<Pending> covered = waiting.headMap(upTo.sequence(), true).values();
          covered.removeIf(entry -> {
            boolean flushed = entry.delivery.cursor().isComparable(upTo);
            if (flushed) {
              done.add(entry.delivery);
            }
            return flushed;
          });
          count.addAndGet(-done.size());
          return waiting.isEmpty() ? null : waiting;
        });
    long inRange = 0;
    for (Delivery delivery : done) {
      ledger.settle(delivery, End.FLUSHED);
      inRange += delivery.sequence() > after ? 1 : 0;
    }
    if (after >= 0 && inRange < upTo.sequence() - after) {
      ledger.settleRange(channel, after, upTo);
    }
  }

  /** Settles this update only; earlier ones stay pending. */
  void settleOne(Channel channel, Cursor cursor) {
    List<Delivery> done = new ArrayList<>(1);
    channels.computeIfPresent(
        channel.value(),
        (_, waiting) -> {
          Pending entry = waiting.get(cursor.sequence());
          if (entry != null && entry.delivery.cursor().equals(cursor)) {
            waiting.remove(cursor.sequence());
            done.add(entry.delivery);
            count.decrementAndGet();
          }
          return waiting.isEmpty() ? null : waiting;
        });
    done.forEach(delivery -> ledger.settle(delivery, End.FLUSHED));
  }

  /** Settles deliveries that can no longer be flushed. Called every 100 ms; one call at a time. */
  void check(long nowNanos) {
    channels.forEach((channel, _) -> {
      List<Delivery> slow = new ArrayList<>(0);
      List<Delivery> gone = new ArrayList<>(0);
      channels.computeIfPresent(
          channel,
          (_, waiting) -> {
            settleUndeliverable(waiting, registry.find(channel), nowNanos, slow, gone);
            return waiting.isEmpty() ? null : waiting;
          });
      slow.forEach(delivery -> ledger.settle(delivery, End.SLOW_CONSUMER));
      gone.forEach(delivery -> ledger.settle(delivery, End.CLIENT_GONE));
    });
  }

  private void settleUndeliverable(
      NavigableMap<Long, Pending> waiting,
      @Nullable ChannelStreams group,
      long nowNanos,
      List<Delivery> slow,
      List<Delivery> gone) {
    StreamConnection[] connections = group == null ? new StreamConnection[0] : group.connections();
    long progress = 0;
    boolean blocked = true;
    for (StreamConnection connection : connections) {
      progress += connection.writesEnded();
      blocked &= connection.isWriting();
    }
    Iterator<Pending> i = waiting.values().iterator();
    while (i.hasNext()) {
      Pending entry = i.next();
      entry.blockedChecks = blocked && progress == entry.progress ? entry.blockedChecks + 1 : 0;
      entry.progress = progress;
      entry.busyChecks = blocked ? entry.busyChecks + 1 : 0;
      long age = nowNanos - entry.receivedNanos;
      if (age < properties.settleAfter().toNanos()) {
        continue;
      }
      if (connections.length == 0) {
        boolean wasSlow = entry.group != null && entry.group.slow;
        (wasSlow ? slow : gone).add(entry.delivery);
      } else if (entry.blockedChecks >= BLOCKED_CHECKS || entry.busyChecks >= BUSY_CHECKS) {
        slow.add(entry.delivery);
      } else if (age < properties.forgetAfter().toNanos()) {
        continue;
      }
      i.remove();
      count.decrementAndGet();
    }
  }

  /** The number of pending deliveries. */
  int size() {
    return count.get();
  }
}
