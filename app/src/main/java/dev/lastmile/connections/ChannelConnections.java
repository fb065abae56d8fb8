package dev.lastmile.connections;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The connections of one channel on this replica, from the first one to the last one: a client that
 * comes back later finds a new object with a higher generation.
 *
 * <p>The registry alone adds and removes, under its map's lock for the channel; everybody reads the
 * array without one.
 */
final class ChannelConnections {
  private static final Connection[] NONE = {};

  private final Channel channel;
  private final long generation;
  private volatile Connection[] connections = NONE;

  /** The incarnation under which the channel was announced last; null before. */
  private volatile @Nullable String announcedAs;

  private volatile boolean announced;

  /** Whether the last connection is gone. */
  private volatile boolean retired;

  /** Whether the connection that was closed last was closed for not reading. */
  private volatile boolean slow;

  @GuardedBy("this")
  private String flushedEpoch = "";

  /** Up to where some connection has flushed; -1 before the first one has. */
  @GuardedBy("this")
  private long flushed = -1;

  /** Requests for a read that are not answered yet: 0 when idle. See {@link Reconciler}. */
  final AtomicInteger readRequests = new AtomicInteger();

  /** Whether a read that failed is going to be tried again. */
  final AtomicBoolean retryScheduled = new AtomicBoolean();

  ChannelConnections(Channel channel, long generation) {
    this.channel = channel;
    this.generation = generation;
  }

  /** Rises with each object of the same channel. */
  long generation() {
    return generation;
  }

  /** An announcement is on its way, and may arrive whether we learn of it or not. */
  void announcing() {
    announced = true;
  }

  /** Whether there may be something to withdraw. */
  boolean mayBeAnnounced() {
    return announced;
  }

  @Nullable String announcedAs() {
    return announcedAs;
  }

  void announcedAs(String incarnation) {
    announcedAs = incarnation;
  }

  void closedFor(DisconnectReason reason) {
    slow = reason == DisconnectReason.SLOW_CONSUMER;
  }

  boolean closedSlow() {
    return slow;
  }

  void retire() {
    retired = true;
  }

  boolean isRetired() {
    return retired;
  }

  /**
   * A connection has flushed everything up to a sequence.
   *
   * @return up to where another one had before, at most {@code upTo}; -1 if none had in this epoch
   */
  synchronized long advance(String epoch, long upTo) {
    if (epoch.isEmpty()) {
      // It has not begun.
      return upTo;
    }
    long before = epoch.equals(flushedEpoch) ? flushed : -1;
    flushedEpoch = epoch;
    flushed = Math.max(before, upTo);
    return Math.min(before, upTo);
  }

  /** Whether some connection has flushed this update, or a later state. */
  boolean hasFlushed(Cursor cursor) {
    synchronized (this) {
      if (cursor.epoch().equals(flushedEpoch) && flushed >= cursor.sequence()) {
        return true;
      }
    }
    // A connection that lags behind in an old epoch may have spoken last.
    for (Connection connection : connections) {
      if (connection.hasFlushed(cursor)) {
        return true;
      }
    }
    return false;
  }

  Channel channel() {
    return channel;
  }

  /** The connections at this moment; not to be changed. */
  Connection[] connections() {
    return connections;
  }

  void add(Connection connection) {
    Connection[] more = Arrays.copyOf(connections, connections.length + 1);
    more[connections.length] = connection;
    connections = more;
  }

  /** Removes exactly this connection, never another one of the same client. */
  boolean remove(Connection connection) {
    Connection[] all = connections;
    for (int i = 0; i < all.length; i++) {
      if (all[i] == connection) {
        Connection[] fewer = new Connection[all.length - 1];
        System.arraycopy(all, 0, fewer, 0, i);
        System.arraycopy(all, i + 1, fewer, i, fewer.length - i);
        connections = fewer;
        return true;
      }
    }
    return false;
  }
}
