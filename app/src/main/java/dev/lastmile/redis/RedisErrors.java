package dev.lastmile.redis;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.telemetry.Metric;
import io.lettuce.core.RedisNoScriptException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts and logs what Redis refuses and why it cannot be reached, by cause, and holds the state of
 * Redis for this replica. Any thread; never blocks.
 *
 * <p>The state is {@code working} after a write, and the cause of the failure after an attempt to
 * connect or to write has failed. The write is the renewal of the lease: Redis answers reads, and
 * passes messages on, also when it stores nothing.
 */
public final class RedisErrors {
  private static final Logger LOG = LoggerFactory.getLogger(RedisErrors.class);

  /** The value of the label {@code state} while Redis stores what this replica writes. */
  private static final String WORKING = "working";

  /** Interval between two log events of a cause. */
  private static final long LOG_INTERVAL_NANOS = 10_000_000_000L;

  private final Ticker ticker;

  /** Of every cause. */
  private final Map<RedisErrorCause, Seen> seen = new EnumMap<>(RedisErrorCause.class);

  /** The cause for which Redis does not work; null while it works. */
  private final AtomicReference<@Nullable RedisErrorCause> failing =
      new AtomicReference<>(RedisErrorCause.DISCONNECTED);

  /** The errors of one cause. */
  private static final class Seen {
    private final Counter counter;
    private boolean logged;
    private long loggedAtNanos;
    private long sinceLogged;

    private Seen(Counter counter) {
      this.counter = counter;
    }

    /** Returns the number of errors since the last log event; 0 if none is due. */
    private synchronized long due(long now) {
      counter.increment();
      sinceLogged++;
      if (logged && now - loggedAtNanos < LOG_INTERVAL_NANOS) {
        return 0;
      }
      long errors = sinceLogged;
      logged = true;
      loggedAtNanos = now;
      sinceLogged = 0;
      return errors;
    }
  }

  public RedisErrors(Ticker ticker, MeterRegistry meters) {
    this.ticker = ticker;
    for (RedisErrorCause cause : RedisErrorCause.values()) {
      seen.put(cause, new Seen(Metric.REDIS_ERRORS.counter(meters, cause.wireName())));
      Metric.REDIS_STATE.gauge(meters, () -> failing.get() == cause ? 1 : 0, cause.wireName());
    }
    Metric.REDIS_STATE.gauge(meters, () -> isWorking() ? 1 : 0, WORKING);
    Metric.REDIS_UP.gauge(meters, () -> isWorking() ? 1 : 0);
  }

  /** Whether Redis stores what this replica writes. */
  public boolean isWorking() {
    return failing.get() == null;
  }

  /** The state, as in the label of the metric. */
  public String state() {
    RedisErrorCause cause = failing.get();
    return cause == null ? WORKING : cause.wireName();
  }

  /**
   * Counts a failure, and logs it if no failure of this cause was logged in the last 10 s.
   *
   * @param step what failed, for the log event; {@code sentinel} instead if a Sentinel failed
   */
  RedisErrorCause report(String step, Throwable failure) {
    RedisErrorCause cause = RedisErrorCause.of(failure);
    String sentinel = SentinelFailure.addressIn(failure);
    long errors = Objects.requireNonNull(seen.get(cause)).due(ticker.read());
    if (errors > 0) {
      LOG.atWarn()
          .addKeyValue("cause", cause.wireName())
          .addKeyValue("step", sentinel == null ? step : "sentinel")
          .addKeyValue("error", (sentinel == null ? "" : sentinel + " ") + root(failure))
          .addKeyValue("errors", errors)
          .log("redis_error");
    }
    return cause;
  }

  /** As {@link #report}, for the reply to a command; a missing script is not a failure. */
  @Nullable RedisErrorCause reportReply(Throwable failure) {
    return failure instanceof RedisNoScriptException ? null : report("command", failure);
  }

  /** As {@link #report}, for a connection that cannot be opened. */
  void reportConnect(Throwable failure) {
    fail(report("connect", failure));
  }

  /** As {@link #report}, for a subscription that cannot be opened. The state stays. */
  public void reportSubscribe(Throwable failure) {
    report("subscribe", failure);
  }

  /** The connection ended. */
  void disconnected() {
    fail(RedisErrorCause.DISCONNECTED);
  }

  private void fail(RedisErrorCause cause) {
    if (failing.getAndSet(cause) == null) {
      LOG.atWarn().addKeyValue("cause", cause.wireName()).log("redis_not_working");
    }
  }

  /** Redis has stored a write of this replica. */
  public void written() {
    if (failing.getAndSet(null) != null) {
      LOG.atInfo().log("redis_working");
    }
  }

  /** Redis has not stored a write of this replica. The failure was counted with its reply. */
  public void notWritten(RedisUnavailableException failure) {
    RedisErrorCause cause = RedisErrorCause.of(failure);
    // Without a connection, the last attempt to connect knows more.
    if (cause != RedisErrorCause.DISCONNECTED || isWorking()) {
      fail(cause);
    }
  }

  /**
   * The innermost exception with a message. Only one message repeats what was sent, and so perhaps
   * a password: that of a server which does not know the command.
   */
  static String root(Throwable failure) {
    Throwable root = failure;
    Set<Throwable> seen = new HashSet<>();
    for (Throwable at = failure; at != null && seen.add(at); at = at.getCause()) {
      root = at.getMessage() == null ? root : at;
    }
    String message = String.valueOf(root.getMessage());
    return root.getClass().getSimpleName() + ": " + message.split(", with args", 2)[0];
  }
}
