package dev.lastmile.redis;

import dev.lastmile.updates.Partition;
import java.net.InetSocketAddress;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The connections to the primaries, and the partitions that each of them has. With one primary, or
 * Sentinel, one connection has all partitions. Any thread.
 */
interface Primaries extends AutoCloseable {
  /** Starts to connect; returns at once. */
  void start();

  /** The connection to the primary of a partition; null if the primary is not known. */
  @Nullable PrimaryConnection of(Partition partition);

  /** All connections, also those that are broken. */
  Collection<PrimaryConnection> all();

  /** The partitions of each primary. */
  Map<InetSocketAddress, Set<Partition>> assigned();

  /** The number of Sentinels with a subscription, or without. */
  default long sentinels(boolean subscribed) {
    return 0;
  }

  /** Something hints at other primaries. Returns at once. */
  void doubted();

  @Override
  void close();
}
