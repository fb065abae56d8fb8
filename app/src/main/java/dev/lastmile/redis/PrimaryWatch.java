package dev.lastmile.redis;

import com.github.benmanes.caffeine.cache.Ticker;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * The primary to which the connection for commands leads, and whether a Sentinel has named another
 * one since. Without Sentinels there is nothing to watch.
 */
final class PrimaryWatch implements AutoCloseable {
  private final RedisDialer dialer;
  private final Ticker ticker;
  private final Runnable onReplaced;
  private final List<SentinelMonitor> monitors;

  /** The primary of the last attempt to connect; null before the first one. */
  private volatile @Nullable Primary dialled;

  /** The last report of a Sentinel; null if there is none. */
  private volatile @Nullable Primary reported;

  /** An address, and since when it is known. */
  private record Primary(InetSocketAddress address, long sinceNanos) {}

  /**
   * @param onReplaced runs on an event loop and must not block
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
    this.monitors =
        dialer.sentinels().stream()
            .map(sentinel ->
                new SentinelMonitor(dialer, sentinel, properties, ticker, scheduler, this::report))
            .toList();
  }

  /** Starts to connect to the Sentinels; returns at once. */
  void start() {
    monitors.forEach(SentinelMonitor::start);
  }

  /** The primary to connect to now; blocks and throws as {@link RedisDialer#primary}. */
  InetSocketAddress find() {
    long asked = ticker.read();
    InetSocketAddress address = dialer.primary();
    dialled = new Primary(address, asked);
    return address;
  }

  private void report(InetSocketAddress address) {
    reported = new Primary(address, ticker.read());
    if (isReplaced()) {
      onReplaced.run();
    }
  }

  /**
   * Whether the last report names another server than the one that was found last. A report from
   * before the search does not count: a Sentinel may be late, and the search asked all of them.
   */
  boolean isReplaced() {
    Primary report = reported;
    Primary target = dialled;
    return report != null
        && target != null
        && report.sinceNanos() - target.sinceNanos() > 0
        && !report.address().equals(target.address());
  }

  /** The primary that was found last, for logs. */
  String address() {
    Primary target = dialled;
    return target == null
        ? "unknown"
        : target.address().getHostString() + ":" + target.address().getPort();
  }

  @Override
  public void close() {
    monitors.forEach(SentinelMonitor::close);
  }
}
