package dev.lastmile.pubsub;

import com.github.benmanes.caffeine.cache.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.ledger.Leases;
import dev.lastmile.redis.PubsubChannels;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.streams.StreamAdmission;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.Partition;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLongArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.springframework.stereotype.Component;

/**
 * Checks whether this replica receives published messages. In each partition it sends a canary
 * message to its own inbox, through Redis. The updates for all replicas come by the same connection
 * and the same slot, so the canary stands for them, too.
 *
 * <p>No canary for {@code lastmile.canary.stale}: the replica resubscribes. Still none after {@code
 * lastmile.canary.stalled} more: if another replica receives its canary, this one is stalled and
 * rejects streams, so that browsers reconnect to other replicas. If no replica receives, Redis is
 * the cause and streams stay. While Redis cannot be reached, receiving cannot be checked.
 */
@Component
final class SubscriptionMonitor {
  /** The state of the subscription; the names in lower case are values of metric labels. */
  enum State {
    /** The canary is received. */
    RECEIVING,
    /** The canary is not received, and the replica resubscribes. */
    STALE,
    /** Other replicas receive their canary, this one does not. */
    STALLED,
    /** No replica receives its canary. */
    ALL_STALLED,
    /** Redis cannot be reached, so receiving cannot be checked. */
    REDIS_AWAY,
    /** The fan-out is disabled, so receiving is not checked. */
    OFF;

    String wireName() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final Logger LOG = LoggerFactory.getLogger(SubscriptionMonitor.class);

  /** First field of a canary; updates and redeliveries have other values. */
  private static final byte FORMAT = '3';

  private final RedisConnection redis;
  private final Leases leases;
  private final StreamAdmission admission;
  private final FanOutSwitch fanOut;
  private final CanaryProperties properties;
  private final PubsubChannels channels;
  private final Ticker ticker;

  /** By partition: when the last canary was received; before it, the start of this replica. */
  private final AtomicLongArray receivedAtNanos = new AtomicLongArray(Partition.COUNT);

  /** Written under the lock of this; read by scrapes. */
  private volatile State state = State.REDIS_AWAY;

  /** By partition: since when this replica can receive: connected, and the fan-out is enabled. */
  @GuardedBy("this")
  private final long[] ableSinceNanos = new long[Partition.COUNT];

  @GuardedBy("this")
  private boolean resubscribed;

  @GuardedBy("this")
  private long resubscribedAtNanos;

  SubscriptionMonitor(
      RedisConnection redis,
      Leases leases,
      StreamAdmission admission,
      FanOutSwitch fanOut,
      CanaryProperties properties,
      PubsubChannels channels,
      Ticker ticker,
      MeterRegistry meters) {
    this.redis = redis;
    this.leases = leases;
    this.admission = admission;
    this.fanOut = fanOut;
    this.properties = properties;
    this.channels = channels;
    this.ticker = ticker;
    long now = ticker.read();
    for (Partition partition : Partition.ALL) {
      receivedAtNanos.set(partition.index(), now);
      ableSinceNanos[partition.index()] = now;
    }
    for (State each : State.values()) {
      Metric.SUBSCRIPTION_STATE.gauge(meters, () -> state == each ? 1 : 0, each.wireName());
    }
    Metric.CANARY_AGE.gauge(meters, () -> (ticker.read() - receivedEverywhere()) / 1e9);
  }

  /** Whether a message is a canary. Called on the event loop. */
  boolean isCanary(byte[] message) {
    if (message.length != 2 || message[0] != FORMAT) {
      return false;
    }
    if (message[1] >= 0 && message[1] < Partition.COUNT) {
      receivedAtNanos.set(message[1], ticker.read());
    }
    return true;
  }

  /** Sends a canary in each partition. Never waits. */
  void send() {
    for (Partition partition : Partition.ALL) {
      byte[] canary = {FORMAT, (byte) partition.index()};
      var _ =
          redis.completing(() ->
              redis.startCall(
                  partition, commands -> commands.spublish(channels.inbox(partition), canary)));
    }
  }

  /** The time since which a canary was received in every partition. */
  private long receivedEverywhere() {
    long oldest = Long.MAX_VALUE;
    for (Partition partition : Partition.ALL) {
      oldest = Math.min(oldest, receivedAtNanos.get(partition.index()));
    }
    return oldest;
  }

  /**
   * Determines the state and acts on it. Called four times per {@code lastmile.canary.interval};
   * one call at a time. Never waits.
   */
  synchronized void check(Subscriber subscriber) {
    State now = now(subscriber);
    boolean proven = now == State.RECEIVING && isProven();
    leases.setReceiving(proven);
    if (now != state) {
      LOG.atLevel(now == State.RECEIVING ? Level.INFO : Level.WARN)
          .addKeyValue("from", state.wireName())
          .addKeyValue("to", now.wireName())
          .log("subscription_state_changed");
      state = now;
    }
    if (now == State.STALLED) {
      admission.reject();
    } else if (proven || now == State.ALL_STALLED || now == State.OFF) {
      admission.admit();
    }
    // In any other state the cause is not known, and admission stays as it is.
  }

  /**
   * Whether a canary has come since this replica can receive, in every partition whose primary can
   * be used. A primary that is away must not hide that a replica does not receive from the others.
   */
  @GuardedBy("this")
  private boolean isProven() {
    for (Partition partition : Partition.ALL) {
      int index = partition.index();
      if (redis.isConnected(partition) && receivedAtNanos.get(index) - ableSinceNanos[index] <= 0) {
        return false;
      }
    }
    return true;
  }

  /** The partitions that this replica could receive, and whose canary is too old. */
  @GuardedBy("this")
  private List<Partition> silent(long now) {
    List<Partition> silent = new ArrayList<>();
    for (Partition partition : Partition.ALL) {
      if (redis.isConnected(partition) && age(partition, now) >= properties.stale().toNanos()) {
        silent.add(partition);
      }
    }
    return silent;
  }

  @GuardedBy("this")
  private long age(Partition partition, long now) {
    int index = partition.index();
    return now - Math.max(receivedAtNanos.get(index), ableSinceNanos[index]);
  }

  @GuardedBy("this")
  private State now(Subscriber subscriber) {
    long now = ticker.read();
    boolean enabled = fanOut.publishes();
    boolean connected = false;
    for (Partition partition : Partition.ALL) {
      if (enabled && redis.isConnected(partition)) {
        connected = true;
      } else {
        ableSinceNanos[partition.index()] = now;
      }
    }
    if (!connected) {
      resubscribed = false;
      return enabled ? State.REDIS_AWAY : State.OFF;
    }
    List<Partition> silent = silent(now);
    if (silent.isEmpty()) {
      resubscribed = false;
      return State.RECEIVING;
    }
    boolean stalled = resubscribed && now - resubscribedAtNanos >= properties.stalled().toNanos();
    if (!resubscribed || stalled) {
      Partition first = silent.getFirst();
      subscriber.renew(
          silent,
          "no canary of partition "
              + first.index()
              + " for "
              + age(first, now) / 1_000_000
              + " ms");
      resubscribed = true;
      resubscribedAtNanos = now;
    }
    if (stalled) {
      return leases.othersReceive() ? State.STALLED : State.ALL_STALLED;
    }
    return state == State.STALLED || state == State.ALL_STALLED ? state : State.STALE;
  }
}
