package dev.lastmile.connections;

import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.Delivery;
import dev.lastmile.updates.Envelope;
import dev.lastmile.updates.Update;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands what arrives from Redis to the connections of this replica.
 *
 * <p>{@link #receive} runs on the subscriber's event loop. What nobody here waits for ends there;
 * the rest it puts into the queue of one of a few lanes, chosen by the channel, so that the order
 * within a channel is kept. An envelope that finds its lane's queue full is counted and dropped,
 * and the connections of its channel are read for at once.
 *
 * <p>What is expected of this replica is remembered before it is offered, so that no flush is
 * faster. A redelivery says that the ledger still waits: if it was flushed here, that is said
 * again; otherwise the connections of the channel have a hole.
 *
 * <p>received = dispatched + no_audience + dropped.
 */
public final class Dispatcher implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);

  private final Registry registry;
  private final Presence presence;
  private final Expectations expectations;
  private final Deliveries deliveries;
  private final LongSupplier nanos;
  private final Reconciler reconciler;
  private final List<Lane> lanes = new ArrayList<>();
  private final Counter received;
  private final Counter dispatched;
  private final Counter noAudience;
  private final Counter dropped;
  private volatile boolean repairsHoles = true;

  Dispatcher(
      Registry registry,
      DeltaReads reads,
      Presence presence,
      Expectations expectations,
      Deliveries deliveries,
      StreamProperties properties,
      LongSupplier nanos,
      MeterRegistry meters) {
    this.registry = registry;
    this.presence = presence;
    this.expectations = expectations;
    this.deliveries = deliveries;
    this.nanos = nanos;
    this.reconciler =
        new Reconciler(reads, registry, presence, expectations, this, properties, meters);
    int count =
        properties.dispatchers() > 0
            ? properties.dispatchers()
            : Runtime.getRuntime().availableProcessors();
    for (int i = 0; i < count; i++) {
      lanes.add(new Lane(i, properties.dispatchQueue(), this, registry));
    }
    received = Metric.RECEIVED.counter(meters);
    dispatched = messages(meters, "dispatched");
    noAudience = messages(meters, "no_audience");
    dropped = messages(meters, "dropped");
  }

  private static Counter messages(MeterRegistry meters, String result) {
    return Metric.MESSAGES.counter(meters, result);
  }

  void start() {
    reconciler.start();
    lanes.forEach(Lane::start);
  }

  Reconciler reconciler() {
    return reconciler;
  }

  /** Whether holes are repaired from state; not in the mode that shows what happens without. */
  boolean repairsHoles() {
    return repairsHoles;
  }

  /** Switches the repair of holes; for the local-only mode. */
  public void repairHoles(boolean repair) {
    repairsHoles = repair;
  }

  /**
   * Takes one update or redelivery. Never blocks; keeps the order of calls per channel.
   *
   * @param envelope as published; not to be changed afterwards
   */
  public void receive(byte[] envelope) {
    received.increment();
    String channel;
    try {
      channel = Envelope.channelOf(envelope);
      if (registry.find(channel) == null && ourOwner(envelope) == null) {
        // A connection that comes now is registered before its read, which has this update.
        noAudience.increment();
        return;
      }
    } catch (IllegalArgumentException e) {
      dropped.increment();
      LOG.atWarn().addKeyValue("bytes", envelope.length).log("envelope_unreadable");
      return;
    }
    if (!lanes.get(Math.floorMod(channel.hashCode(), lanes.size())).offer(channel, envelope)) {
      dropped.increment();
      repair(channel);
    }
  }

  /**
   * Checks every connection against state: updates may have been missed, or Redis may be another
   * one. Returns at once; connections stay open and hold what is live until they have been read
   * for.
   */
  public void reconcileAll() {
    registry.all().forEach(this::suspect);
  }

  /** An update of this channel was lost here. */
  private void repair(String channel) {
    ChannelConnections group = registry.find(channel);
    if (group != null) {
      suspect(group);
    }
  }

  private void suspect(ChannelConnections group) {
    for (Connection connection : group.connections()) {
      connection.suspect();
    }
    reconciler.request(group);
  }

  @Override
  public void close() {
    lanes.forEach(Lane::stop);
    reconciler.close();
  }

  /** The queue may be full of what this batch has put there: once written, there is room. */
  private void again(Connection connection, Frame frame, Update update) {
    connection.writer().flush();
    switch (connection.offer(frame, update, repairsHoles)) {
      case QUEUED -> connection.writer().flush();
      case HOLE -> reconciler.request(connection.group());
      case FULL -> registry.close(connection, DisconnectReason.SLOW_CONSUMER);
      case NOTHING -> {}
    }
  }

  /** The incarnation of ours that is an owner of this message; null if none is. */
  private @Nullable String ourOwner(byte[] envelope) {
    String owners = Envelope.ownersOf(envelope);
    int start = 0;
    while (start < owners.length()) {
      int comma = owners.indexOf(',', start);
      int end = comma < 0 ? owners.length() : comma;
      String owner = owners.substring(start, end);
      if (presence.isOurs(owner)) {
        return owner;
      }
      start = end + 1;
    }
    return null;
  }

  /** Takes one message on the lane's thread; whatever is wrong with it stays without effect. */
  void take(String channel, byte[] envelope, Lane lane) {
    try {
      dispatch(channel, envelope, lane);
    } catch (IllegalArgumentException e) {
      // Its header began well; a newer writer, perhaps.
      dropped.increment();
      repair(channel);
      LOG.atWarn().setCause(e).log("envelope_unreadable");
    } catch (RuntimeException e) {
      repair(channel);
      LOG.atError().setCause(e).log("dispatch_failed");
    }
  }

  private void dispatch(String channel, byte[] envelope, Lane lane) {
    @Nullable ChannelConnections group = registry.find(channel);
    String owner = ourOwner(envelope);
    if (group == null && owner == null) {
      noAudience.increment();
      return;
    }
    if (Envelope.isRedelivery(envelope)) {
      if (owner == null) {
        noAudience.increment();
        return;
      }
      Delivery delivery = Delivery.decodeRedelivery(envelope);
      dispatched.increment();
      redeliver(delivery, group);
      return;
    }
    Update update = Envelope.decode(envelope);
    if (owner != null) {
      expectations.expect(Delivery.of(update, owner), group, nanos.getAsLong());
    }
    if (group == null) {
      noAudience.increment();
      registry.withdrawStray(update.channel());
      return;
    }
    dispatched.increment();
    offer(update, group, lane);
    if (owner != null && group.hasFlushed(update.cursor())) {
      // A read of state has overtaken it.
      expectations.flushedAlone(update.channel(), update.cursor());
    }
  }

  private void redeliver(Delivery delivery, @Nullable ChannelConnections group) {
    if (group != null && group.hasFlushed(delivery.cursor())) {
      // Perhaps our first word was lost; the ledger takes it once.
      deliveries.settle(delivery, Deliveries.End.FLUSHED);
      return;
    }
    expectations.expect(delivery, group, nanos.getAsLong());
    if (group == null) {
      registry.withdrawStray(delivery.channel());
      return;
    }
    if (group.hasFlushed(delivery.cursor())) {
      expectations.flushedAlone(delivery.channel(), delivery.cursor());
      return;
    }
    for (Connection connection : group.connections()) {
      if (connection.hasReached(delivery.cursor())) {
        // On its way.
        return;
      }
    }
    suspect(group);
  }

  private void offer(Update update, ChannelConnections group, Lane lane) {
    Frame frame = SseEncoder.update(update);
    for (Connection connection : group.connections()) {
      switch (connection.offer(frame, update, repairsHoles)) {
        case QUEUED -> lane.flushLater(connection);
        case HOLE -> reconciler.request(group);
        case FULL -> again(connection, frame, update);
        case NOTHING -> {}
      }
    }
  }
}
