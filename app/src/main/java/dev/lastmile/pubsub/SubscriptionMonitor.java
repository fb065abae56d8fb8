package dev.lastmile.pubsub;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.benmanes.caffeine.cache.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.ledger.Leases;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.RedisDialer;
import dev.lastmile.streams.StreamAdmission;
import dev.lastmile.telemetry.Metric;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Arrays;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.springframework.stereotype.Component;

/**
 * Checks whether this replica receives published messages. It sends a canary message to itself
 * through Redis, on the topic of the updates.
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
  private final String topic;
  private final Ticker ticker;
  private final byte[] canary;

  /** When the last canary was received; before the first one, the start of this replica. */
  private volatile long receivedAtNanos;

  /** Written under the lock of this; read by scrapes. */
  private volatile State state = State.REDIS_AWAY;

  /** Since when this replica can receive: Redis is connected and the fan-out is enabled. */
  @GuardedBy("this")
  private long ableSinceNanos;

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
      RedisDialer dialer,
      Ticker ticker,
      MeterRegistry meters) {
    this.redis = redis;
    this.leases = leases;
    this.admission = admission;
    this.fanOut = fanOut;
    this.properties = properties;
    this.topic = dialer.topic();
    this.ticker = ticker;
    this.canary = ("3\t" + leases.incarnation()).getBytes(UTF_8);
    this.receivedAtNanos = ticker.read();
    this.ableSinceNanos = receivedAtNanos;
    for (State each : State.values()) {
      Metric.SUBSCRIPTION_STATE.gauge(meters, () -> state == each ? 1 : 0, each.wireName());
    }
    Metric.CANARY_AGE.gauge(meters, () -> (ticker.read() - receivedAtNanos) / 1e9);
  }

  /** Whether a message is a canary, of this or another replica. Called on the event loop. */
  boolean isCanary(byte[] message) {
    if (message.length == 0 || message[0] != FORMAT) {
      return false;
    }
    if (Arrays.equals(message, canary)) {
      receivedAtNanos = ticker.read();
    }
    return true;
  }

  /** Sends a canary. Never waits. */
  void send() {
    if (redis.isConnected()) {
      var _ = redis.startCall(commands -> commands.publish(topic, canary));
    }
  }

  /**
   * Determines the state and acts on it. Called four times per {@code lastmile.canary.interval};
   * one call at a time. Never waits.
   */
  synchronized void check(Subscriber subscriber) {
    State now = now(subscriber);
    boolean proven = now == State.RECEIVING && receivedAtNanos > ableSinceNanos;
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

  @GuardedBy("this")
  private State now(Subscriber subscriber) {
    long now = ticker.read();
    boolean enabled = fanOut.publishes();
    if (!enabled || !redis.isConnected()) {
      ableSinceNanos = now;
      resubscribed = false;
      return enabled ? State.REDIS_AWAY : State.OFF;
    }
    long age = now - Math.max(receivedAtNanos, ableSinceNanos);
    if (age < properties.stale().toNanos()) {
      resubscribed = false;
      return State.RECEIVING;
    }
    boolean stalled = resubscribed && now - resubscribedAtNanos >= properties.stalled().toNanos();
    if (!resubscribed || stalled) {
      subscriber.renew("no canary for " + age / 1_000_000 + " ms");
      resubscribed = true;
      resubscribedAtNanos = now;
    }
    if (stalled) {
      return leases.othersReceive() ? State.STALLED : State.ALL_STALLED;
    }
    return state == State.STALLED || state == State.ALL_STALLED ? state : State.STALE;
  }
}
