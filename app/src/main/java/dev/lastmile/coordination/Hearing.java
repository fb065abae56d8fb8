package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.connections.Doors;
import dev.lastmile.telemetry.Metric;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Whether this replica hears what is published, proved by a canary that it sends to itself through
 * Redis, on the same topic as the updates.
 *
 * <p>No canary for {@code stale}: the subscription is made anew. Still none {@code deaf} later: if
 * another replica hears, this one is deaf; its doors close, so that browsers go where they are
 * heard of. If nobody hears, that is a matter of Redis, and closing doors would help nobody. While
 * Redis cannot be reached nothing is judged.
 */
final class Hearing {
  /** What is known. */
  enum State {
    /** The canary is heard. */
    HEARS,
    /** It is not, and the subscription is being made anew. */
    STALE,
    /** Others hear, this replica does not. */
    DEAF,
    /** Nobody hears. */
    ALL_DEAF,
    /** Redis cannot be reached: nobody knows. */
    REDIS_AWAY,
    /** Coordination is switched off: who does not listen is not deaf. */
    OFF;

    String wireName() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final Logger LOG = LoggerFactory.getLogger(Hearing.class);

  /** First field of a canary; updates and redeliveries have other ones. */
  private static final byte FORMAT = '3';

  private final RedisLink link;
  private final Leases leases;
  private final Doors doors;
  private final CoordinationSwitch coordination;
  private final CanaryProperties properties;
  private final String topic;
  private final LongSupplier nanos;
  private final byte[] canary;

  /** When the last canary was heard; at first, when this replica began to listen. */
  private volatile long heardAtNanos;

  /** Written under the lock of this; read by scrapes. */
  private volatile State state = State.REDIS_AWAY;

  /** Since when this replica could hear: Redis is reachable, coordination is on. */
  @GuardedBy("this")
  private long upSinceNanos;

  @GuardedBy("this")
  private boolean recreated;

  @GuardedBy("this")
  private long recreatedAtNanos;

  Hearing(
      RedisLink link,
      Leases leases,
      Doors doors,
      CoordinationSwitch coordination,
      CanaryProperties properties,
      String topic,
      LongSupplier nanos,
      MeterRegistry meters) {
    this.link = link;
    this.leases = leases;
    this.doors = doors;
    this.coordination = coordination;
    this.properties = properties;
    this.topic = topic;
    this.nanos = nanos;
    this.canary = ("3\t" + leases.incarnation()).getBytes(UTF_8);
    this.heardAtNanos = nanos.getAsLong();
    this.upSinceNanos = heardAtNanos;
    for (State each : State.values()) {
      Metric.HEARING.gauge(meters, () -> state == each ? 1 : 0, each.wireName());
    }
    Metric.CANARY_AGE.gauge(meters, () -> (nanos.getAsLong() - heardAtNanos) / 1e9);
  }

  /** Whether a message is a canary, ours or another replica's. Event loop. */
  boolean isCanary(byte[] message) {
    if (message.length == 0 || message[0] != FORMAT) {
      return false;
    }
    if (Arrays.equals(message, canary)) {
      heardAtNanos = nanos.getAsLong();
    }
    return true;
  }

  /** Sends a canary. Never waits. */
  void send() {
    if (link.isUp()) {
      var _ = link.startCall(commands -> commands.publish(topic, canary));
    }
  }

  /** Judges, and acts on it: called a few times a second by one thread. */
  synchronized void judge(Subscriber subscriber) {
    State now = now(subscriber);
    boolean proven = now == State.HEARS && heardAtNanos > upSinceNanos;
    leases.hears(proven);
    if (now != state) {
      LOG.atLevel(now == State.HEARS ? Level.INFO : Level.WARN)
          .addKeyValue("from", state.wireName())
          .addKeyValue("to", now.wireName())
          .log("hearing_changed");
      state = now;
    }
    if (now == State.DEAF) {
      doors.shut();
    } else if (proven || now == State.ALL_DEAF || now == State.OFF) {
      doors.open();
    }
    // Otherwise nothing is known, and they stay as they are.
  }

  @GuardedBy("this")
  private State now(Subscriber subscriber) {
    long now = nanos.getAsLong();
    boolean listens = coordination.broadcasts();
    if (!listens || !link.isUp()) {
      upSinceNanos = now;
      recreated = false;
      return listens ? State.REDIS_AWAY : State.OFF;
    }
    long silence = now - Math.max(heardAtNanos, upSinceNanos);
    if (silence < properties.stale().toNanos()) {
      recreated = false;
      return State.HEARS;
    }
    boolean judged = recreated && now - recreatedAtNanos >= properties.deaf().toNanos();
    if (!recreated || judged) {
      subscriber.renew("no canary for " + silence / 1_000_000 + " ms");
      recreated = true;
      recreatedAtNanos = now;
    }
    if (judged) {
      return leases.doOthersHear() ? State.DEAF : State.ALL_DEAF;
    }
    return state == State.DEAF || state == State.ALL_DEAF ? state : State.STALE;
  }
}
