package dev.lastmile.redis;

import com.github.benmanes.caffeine.cache.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The primary to which the connection for commands leads, and whether a Sentinel has named another
 * one since. Without Sentinels there is nothing to watch. Any thread.
 */
final class PrimaryWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PrimaryWatch.class);

  private final RedisDialer dialer;
  private final Ticker ticker;
  private final Runnable onReplaced;
  private final List<SentinelMonitor> monitors;

  /** The primary of the last attempt to connect; null before the first one. */
  private volatile @Nullable Primary dialled;

  /** The newest report of a Sentinel; null if there is none. */
  private final AtomicReference<@Nullable Primary> reported = new AtomicReference<>();

  /** When the Sentinels were last asked because of a subscription. */
  @GuardedBy("this")
  private long checkedAtNanos;

  /** An address, and since when it is known. */
  private record Primary(InetSocketAddress address, long sinceNanos) {
    private static Primary newer(@Nullable Primary one, Primary other) {
      return one == null || other.sinceNanos - one.sinceNanos > 0 ? other : one;
    }
  }

  /**
   * @param onReplaced runs on an event loop or a thread of the scheduler, and must not block
   */
  PrimaryWatch(
      RedisDialer dialer,
      RedisProperties properties,
      Ticker ticker,
      ScheduledExecutorService scheduler,
      Runnable onReplaced) {
    this.dialer = dialer;
    this.ticker = ticker;
    this.onReplaced = onReplaced;
    this.checkedAtNanos = ticker.read();
    this.monitors =
        dialer.sentinels().stream()
            .map(sentinel ->
                new SentinelMonitor(
                    dialer,
                    sentinel,
                    properties,
                    ticker,
                    scheduler,
                    this::subscribed,
                    this::report))
            .toList();
  }

  /** Starts to listen to the Sentinels; returns at once. */
  void start() {
    monitors.forEach(SentinelMonitor::start);
  }

  /** The number of Sentinels with a subscription, or without. */
  long sentinels(boolean subscribed) {
    return monitors.stream().filter(monitor -> monitor.isSubscribed() == subscribed).count();
  }

  /** The primary to connect to now; blocks and throws as {@link RedisDialer#primary}. */
  InetSocketAddress find() {
    long asked = ticker.read();
    InetSocketAddress address = dialer.primary();
    dialled = new Primary(address, asked);
    return address;
  }

  private void subscribed() {
    // Read before a wait for the lock: a question that another subscription asks meanwhile is
    // enough.
    check(ticker.read());
  }

  /**
   * Asks the Sentinels again, because reports before a subscription were missed. Blocks.
   *
   * @param subscribedNanos the begin of the subscription; a question since then is enough
   */
  private synchronized void check(long subscribedNanos) {
    if (checkedAtNanos - subscribedNanos > 0) {
      return;
    }
    long asked = ticker.read();
    try {
      report(new Primary(dialer.primary(), asked));
      checkedAtNanos = asked;
    } catch (RedisUnavailableException e) {
      // The next subscription, or the next connection, asks again.
      LOG.atDebug().setCause(e).log("primary_not_checked");
    }
  }

  private void report(InetSocketAddress address) {
    report(new Primary(address, ticker.read()));
  }

  private void report(Primary primary) {
    reported.accumulateAndGet(primary, Primary::newer);
    if (isReplaced()) {
      onReplaced.run();
    }
  }

  /**
   * Whether the newest report names another server than the one that was found last. A report from
   * before the search does not count: a Sentinel may be late, and the search asked all of them.
   */
  boolean isReplaced() {
    Primary report = reported.get();
    Primary target = dialled;
    return report != null
        && target != null
        && report.sinceNanos() - target.sinceNanos() > 0
        && !report.address().equals(target.address());
  }

  /** The primary that was found last, for logs. */
  String address() {
    Primary target = dialled;
    return target == null ? "unknown" : RedisDialer.text(target.address());
  }

  @Override
  public void close() {
    monitors.forEach(SentinelMonitor::close);
  }
}
