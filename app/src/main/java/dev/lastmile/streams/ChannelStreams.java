package dev.lastmile.streams;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The connections of one channel on this replica, from the first to the last.
 *
 * <p>A client that connects after the last one has closed gets a new object with a higher
 * generation. Only the registry adds and removes connections, under its map's lock for the channel.
 * Any thread reads the array without a lock.
 */
final class ChannelStreams {
  /** Updates before a failover whose settlements are repeated after it. */
  private static final long RECENT = 64;

  private final Channel channel;
  private final long generation;
  private volatile StreamConnection[] connections = {};

  /**
   * The incarnation under which the channel was announced; null before, and if it must be again.
   */
  volatile @Nullable String announcedAs;

  /**
   * Whether an announcement has been sent, so that the channel has to be withdrawn when its last
   * connection is gone. Redis may have applied it even if the call failed.
   */
  volatile boolean announced;

  /** Whether the last connection has been removed. */
  volatile boolean retired;

  /** Whether the last closed connection was closed as a slow consumer. */
  volatile boolean slow;

  /** Everything that any connection has flushed, in the last term; null before the first flush. */
  @GuardedBy("this")
  private @Nullable Cursor flushed;

  /** Read requests that are not answered yet; 0 when idle. Used by {@link Reconciler}. */
  final AtomicInteger readRequests = new AtomicInteger();

  /** Whether the retry of a failed read is scheduled. */
  final AtomicBoolean retryScheduled = new AtomicBoolean();

  ChannelStreams(Channel channel, long generation) {
    this.channel = channel;
    this.generation = generation;
  }

  /** Whether the channel was announced under this incarnation. */
  boolean isAnnouncedAs(String incarnation) {
    return incarnation.equals(announcedAs);
  }

  /** The generation: rises with each object of the same channel. */
  long generation() {
    return generation;
  }

  /**
   * Records that a connection has flushed everything up to a position.
   *
   * @param continuedFrom the sequence with which the connection continued into the term of this
   *     position; -1 in its first term
   * @return the sequence up to which the ledger knows what the connections have flushed, at most
   *     that of {@code upTo}; -1 if it is not known
   */
  synchronized long advance(Cursor upTo, long continuedFrom) {
    Cursor last = flushed;
    if (last == null || !last.isComparable(upTo)) {
      long before = continuedFrom;
      if (before < 0 && last != null && last.epoch().equals(upTo.epoch())) {
        before = last.sequence();
      }
      flushed = upTo;
      // Redis may have lost settlements of updates before it.
      return before < 0 ? -1 : Math.max(0, Math.min(before, upTo.sequence()) - RECENT);
    }
    flushed = upTo.at(Math.max(last.sequence(), upTo.sequence()));
    return Math.min(last.sequence(), upTo.sequence());
  }

  /** Whether any connection has flushed this update, or a later state. */
  boolean hasFlushed(Cursor cursor) {
    synchronized (this) {
      if (flushed != null && flushed.isComparable(cursor)) {
        return flushed.covers(cursor);
      }
    }
    // A connection that is still in an old term may have been the last to record its flush.
    for (StreamConnection connection : connections) {
      if (connection.hasFlushed(cursor)) {
        return true;
      }
    }
    return false;
  }

  Channel channel() {
    return channel;
  }

  /** The current connections. Callers must not change the array. */
  StreamConnection[] connections() {
    return connections;
  }

  void add(StreamConnection connection) {
    StreamConnection[] more = Arrays.copyOf(connections, connections.length + 1);
    more[connections.length] = connection;
    connections = more;
  }

  /** Removes this connection only, never another one of the same client. */
  boolean remove(StreamConnection connection) {
    int before = connections.length;
    connections =
        Arrays.stream(connections)
            .filter(other -> other != connection)
            .toArray(StreamConnection[]::new);
    return connections.length < before;
  }
}
