package dev.lastmile.streams;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delivery;
import dev.lastmile.updates.Delta;
import dev.lastmile.updates.Envelope;
import dev.lastmile.updates.Partition;
import dev.lastmile.updates.Update;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Dispatches envelopes from Redis to the connections of this replica.
 *
 * <p>{@link #receive} runs on the subscriber's event loop. It drops an envelope for which this
 * replica has no connection and is not an owner. It puts every other envelope into the queue of one
 * of a few {@linkplain DispatchWorker workers}. The channel selects the worker, so the order within
 * a channel is kept. If the queue is full, the envelope is counted and dropped, and the state of
 * its channel is read again at once.
 *
 * <p>An expected delivery is added to {@link PendingDeliveries} before the update is offered, so it
 * is there before the flush. A redelivery means that the ledger still expects the delivery. If the
 * update was flushed here, it is settled again. Otherwise the connections of the channel have a gap
 * and the state is read.
 *
 * <p>Counters: received = dispatched + no_audience + dropped.
 */
@Component
public final class Dispatcher implements AutoCloseable {
  /**
   * Reads the authoritative state to start streams and to repair gaps. Implemented by {@code
   * store}.
   */
  public interface StateReader {
    /**
     * Reads the changes after a cursor, at most one page. For null, or a cursor that cannot be
     * continued, it reads all retained state. May block the calling thread; throws if the state
     * cannot be read.
     *
     * @param paging whether the cursor is the end of a page; such a cursor stays valid below
     *     deleted sequences
     */
    Delta read(Channel channel, @Nullable Cursor after, boolean paging);
  }

  private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);

  private final StreamRegistry registry;
  private final Presence presence;
  private final PendingDeliveries pending;
  private final DeliveryLedger ledger;
  private final Ticker ticker;
  private final Reconciler reconciler;
  private final PresenceCheck presenceCheck;
  private final List<DispatchWorker> workers = new ArrayList<>();
  private final Counter received;
  private final Counter dispatched;
  private final Counter noAudience;
  private final Counter dropped;
  private volatile boolean repairsGaps = true;

  Dispatcher(
      StreamRegistry registry,
      StateReader stateReader,
      Presence presence,
      PendingDeliveries pending,
      DeliveryLedger ledger,
      StreamProperties properties,
      StreamMemory memory,
      Ticker ticker,
      ScheduledExecutorService scheduler,
      MeterRegistry meters) {
    this.registry = registry;
    this.presence = presence;
    this.pending = pending;
    this.ledger = ledger;
    this.ticker = ticker;
    this.reconciler =
        new Reconciler(
            stateReader, registry, presence, pending, this, properties, memory, scheduler, meters);
    this.presenceCheck = new PresenceCheck(registry, presence, this, properties);
    int count =
        properties.dispatchers() > 0
            ? properties.dispatchers()
            : Runtime.getRuntime().availableProcessors();
    for (int i = 0; i < count; i++) {
      long bytes = properties.dispatchBytes() / count;
      workers.add(new DispatchWorker(i, properties.dispatchQueue(), bytes, this, registry));
    }
    received = Metric.RECEIVED.counter(meters);
    dispatched = Metric.MESSAGES.counter(meters, "dispatched");
    noAudience = Metric.MESSAGES.counter(meters, "no_audience");
    dropped = Metric.MESSAGES.counter(meters, "dropped");
  }

  void start() {
    reconciler.start();
    workers.forEach(DispatchWorker::start);
  }

  Reconciler reconciler() {
    return reconciler;
  }

  /** Finds deleted announcements. The caller runs it at the interval below. */
  public Runnable presenceCheck() {
    return presenceCheck::check;
  }

  /** The interval between two runs of {@link #presenceCheck}. */
  public Duration presenceCheckInterval() {
    return presenceCheck.interval();
  }

  /**
   * Whether gaps are repaired from state. False only in the local-only mode, which demonstrates the
   * failure.
   */
  boolean repairsGaps() {
    return repairsGaps;
  }

  /** Switches the repair of gaps on or off; off in the local-only mode. */
  public void repairGaps(boolean repair) {
    repairsGaps = repair;
  }

  /**
   * Accepts one update or redelivery. Never blocks. Keeps the order of calls within a channel.
   *
   * @param envelope as published; callers must not change it afterwards
   */
  public void receive(byte[] envelope) {
    received.increment();
    String channel;
    try {
      channel = Envelope.channelOf(envelope);
      if (registry.find(channel) == null && ownIncarnation(envelope) == null) {
        // A connection registers before it reads state. One that registers now finds this update in
        // its read.
        noAudience.increment();
        return;
      }
    } catch (IllegalArgumentException e) {
      dropped.increment();
      LOG.atWarn().addKeyValue("bytes", envelope.length).log("envelope_unreadable");
      return;
    }
    if (!workers.get(Math.floorMod(channel.hashCode(), workers.size())).offer(channel, envelope)) {
      dropped.increment();
      resyncChannel(channel);
    }
  }

  /**
   * Reads the state for every connection of these partitions: updates may have been missed, or
   * Redis may hold other data. Returns at once. Connections stay open and hold live updates back
   * until the read.
   */
  public void reconcile(Collection<Partition> partitions) {
    in(partitions, this::requireResync);
  }

  /** Announces every channel of these partitions again, and reads its state, as above. */
  public void announceAgain(Collection<Partition> partitions) {
    in(partitions, this::announceAgain);
  }

  private void in(Collection<Partition> partitions, Consumer<ChannelStreams> action) {
    for (ChannelStreams group : registry.all()) {
      if (partitions.contains(group.channel().partition())) {
        action.accept(group);
      }
    }
  }

  /** Announces a channel again, and reads its state: updates may not have reached this replica. */
  void announceAgain(ChannelStreams group) {
    group.announcedAs = null;
    requireResync(group);
  }

  /** Reads the state of a channel again after the loss of one of its updates. */
  private void resyncChannel(String channel) {
    ChannelStreams group = registry.find(channel);
    if (group != null) {
      requireResync(group);
    }
  }

  private void requireResync(ChannelStreams group) {
    for (StreamConnection connection : group.connections()) {
      connection.requireResync();
    }
    reconciler.request(group);
  }

  @Override
  public void close() {
    workers.forEach(DispatchWorker::stop);
    reconciler.close();
  }

  /**
   * Offers an update again after a flush: this batch may have filled the send queue, and the flush
   * makes room.
   */
  private void offerAgain(StreamConnection connection, Frame frame, Update update) {
    connection.writer().flush();
    switch (connection.offer(frame, update, repairsGaps)) {
      case QUEUED -> connection.writer().flush();
      case GAP -> reconciler.request(connection.group());
      case FULL -> registry.close(connection, CloseReason.SLOW_CONSUMER);
      case NOTHING -> {}
    }
  }

  /** The incarnation of this process among the owners of this message; null if there is none. */
  private @Nullable String ownIncarnation(byte[] envelope) {
    for (String owner : Envelope.ownersOf(envelope).split(",", -1)) {
      if (presence.isOurs(owner)) {
        return owner;
      }
    }
    return null;
  }

  /** Dispatches one message on the worker's thread. An invalid message is logged and dropped. */
  void process(String channel, byte[] envelope, DispatchWorker worker) {
    try {
      dispatch(channel, envelope, worker);
    } catch (IllegalArgumentException e) {
      // The start of the header was valid; a newer version may have written the message.
      dropped.increment();
      resyncChannel(channel);
      LOG.atWarn().setCause(e).log("envelope_unreadable");
    } catch (RuntimeException e) {
      resyncChannel(channel);
      LOG.atError().setCause(e).log("dispatch_failed");
    }
  }

  private void dispatch(String channel, byte[] envelope, DispatchWorker worker) {
    @Nullable ChannelStreams group = registry.find(channel);
    String owner = ownIncarnation(envelope);
    boolean redelivery = Envelope.isRedelivery(envelope);
    if (owner == null && (group == null || redelivery)) {
      noAudience.increment();
      return;
    }
    if (redelivery) {
      Delivery delivery = Delivery.decodeRedelivery(envelope);
      dispatched.increment();
      redeliver(delivery, group);
      return;
    }
    Update update = Envelope.decode(envelope);
    if (owner != null) {
      pending.expect(Delivery.of(update, owner), group, ticker.read());
    }
    if (group == null) {
      noAudience.increment();
      registry.withdrawWithoutStreams(update.channel());
      return;
    }
    dispatched.increment();
    offer(update, group, worker);
    if (owner != null && group.hasFlushed(update.cursor())) {
      // A read of state has already brought the update.
      pending.settleOne(update.channel(), update.cursor());
    }
  }

  private void redeliver(Delivery delivery, @Nullable ChannelStreams group) {
    if (group != null && group.hasFlushed(delivery.cursor())) {
      // The first settlement may have been lost. The ledger counts a delivery once.
      ledger.settle(delivery, DeliveryLedger.End.FLUSHED);
      return;
    }
    pending.expect(delivery, group, ticker.read());
    if (group == null) {
      registry.withdrawWithoutStreams(delivery.channel());
      return;
    }
    if (group.hasFlushed(delivery.cursor())) {
      pending.settleOne(delivery.channel(), delivery.cursor());
      return;
    }
    for (StreamConnection connection : group.connections()) {
      if (connection.hasReached(delivery.cursor())) {
        // The update is already in a send queue.
        return;
      }
    }
    requireResync(group);
  }

  private void offer(Update update, ChannelStreams group, DispatchWorker worker) {
    Frame frame = SseEncoder.update(update);
    for (StreamConnection connection : group.connections()) {
      switch (connection.offer(frame, update, repairsGaps)) {
        case QUEUED -> worker.flushLater(connection);
        case GAP -> reconciler.request(group);
        case FULL -> offerAgain(connection, frame, update);
        case NOTHING -> {}
      }
    }
  }
}
