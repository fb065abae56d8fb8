package dev.lastmile.connections;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One queue of envelopes and the one thread that empties it.
 *
 * <p>It takes all that waits, lets the dispatcher offer it to the connections, and then lets each
 * of them write once: what arrived meanwhile leaves in the same write.
 */
final class Lane {
  private static final Logger LOG = LoggerFactory.getLogger(Lane.class);
  private static final int BATCH = 256;

  /** An envelope and the channel that was read from it. */
  private static final class Arrival {
    final String channel;
    final byte[] envelope;

    Arrival(String channel, byte[] envelope) {
      this.channel = channel;
      this.envelope = envelope;
    }
  }

  private final Dispatcher dispatcher;
  private final Registry registry;
  private final ArrayBlockingQueue<Arrival> queue;
  private final Thread thread;
  private final List<Connection> dirty = new ArrayList<>();

  Lane(int number, int capacity, Dispatcher dispatcher, Registry registry) {
    this.dispatcher = dispatcher;
    this.registry = registry;
    this.queue = new ArrayBlockingQueue<>(capacity);
    this.thread = Thread.ofPlatform().name("dispatch-" + number).daemon().unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  void stop() {
    thread.interrupt();
  }

  /** Takes an envelope; false if there is no room. Never blocks; any thread. */
  boolean offer(String channel, byte[] envelope) {
    return queue.offer(new Arrival(channel, envelope));
  }

  /** This connection has something to write at the end of the batch; on the lane's thread. */
  void flushLater(Connection connection) {
    if (!connection.dirty) {
      connection.dirty = true;
      dirty.add(connection);
    }
  }

  private void run() {
    List<Arrival> batch = new ArrayList<>(BATCH);
    while (!Thread.currentThread().isInterrupted()) {
      try {
        batch.add(queue.take());
      } catch (InterruptedException e) {
        return;
      }
      queue.drainTo(batch, BATCH - 1);
      for (Arrival arrival : batch) {
        dispatcher.take(arrival.channel, arrival.envelope, this);
      }
      batch.clear();
      flush();
    }
  }

  private void flush() {
    for (Connection connection : dirty) {
      connection.dirty = false;
      try {
        connection.writer().flush();
      } catch (RuntimeException e) {
        LOG.atError().setCause(e).log("flush_failed");
        registry.close(connection, DisconnectReason.ERROR);
      }
    }
    dirty.clear();
  }
}
