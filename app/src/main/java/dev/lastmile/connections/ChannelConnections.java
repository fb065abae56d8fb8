package dev.lastmile.connections;

import dev.lastmile.updates.Channel;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The connections of one channel on this replica.
 *
 * <p>The registry alone adds and removes, under its map's lock for the channel; everybody reads the
 * array without one.
 */
final class ChannelConnections {
  private static final Connection[] NONE = {};

  private final Channel channel;
  private volatile Connection[] connections = NONE;

  /** Requests for a read that are not answered yet: 0 when idle. See {@link Reconciler}. */
  final AtomicInteger readRequests = new AtomicInteger();

  /** Whether a read that failed is going to be tried again. */
  final AtomicBoolean retryScheduled = new AtomicBoolean();

  ChannelConnections(Channel channel) {
    this.channel = channel;
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
