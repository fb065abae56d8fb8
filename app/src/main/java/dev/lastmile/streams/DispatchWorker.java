package dev.lastmile.streams;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A bounded queue of envelopes and the thread that empties it.
 *
 * <p>The thread takes every waiting envelope, up to a batch of 256, and passes each to the
 * dispatcher. After the batch, each connection with new frames is written to once. So updates that
 * arrive during a batch leave in one write.
 */
final class DispatchWorker {
  private static final Logger LOG = LoggerFactory.getLogger(DispatchWorker.class);
  private static final int BATCH = 256;

  /** An envelope and the channel in its header. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Arrival(String channel, byte[] envelope) {}

  private final Dispatcher dispatcher;
  private final StreamRegistry registry;
  private final ArrayBlockingQueue<Arrival> queue;
  private final long maxBytes;

  /** Bytes of the envelopes in the queue and in the batch. */
  private final AtomicLong bytes = new AtomicLong();

  private final Thread thread;
  private final List<StreamConnection> dirty = new ArrayList<>();

  /**
   * @param capacity the most envelopes in the queue
   * @param maxBytes bytes above which the queue takes no more
   */
  DispatchWorker(
      int number, int capacity, long maxBytes, Dispatcher dispatcher, StreamRegistry registry) {
    this.dispatcher = dispatcher;
    this.registry = registry;
    this.queue = new ArrayBlockingQueue<>(capacity);
    this.maxBytes = maxBytes;
    this.thread = Thread.ofPlatform().name("dispatch-" + number).daemon().unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  void stop() {
    thread.interrupt();
  }

  /**
   * Adds an envelope to the queue; returns false if the queue is full. Never blocks. Any thread.
   */
  boolean offer(String channel, byte[] envelope) {
    if (bytes.get() > maxBytes) {
      return false;
    }
    // Before the worker can subtract it.
    bytes.addAndGet(envelope.length);
    boolean added = queue.offer(new Arrival(channel, envelope));
    if (!added) {
      bytes.addAndGet(-envelope.length);
    }
    return added;
  }

  /**
   * Schedules a write of this connection for the end of the batch. Called on this worker's thread
   * only.
   */
  void flushLater(StreamConnection connection) {
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
      long taken = 0;
      for (Arrival arrival : batch) {
        dispatcher.process(arrival.channel(), arrival.envelope(), this);
        taken += arrival.envelope().length;
      }
      batch.clear();
      bytes.addAndGet(-taken);
      flush();
    }
  }

  private void flush() {
    for (StreamConnection connection : dirty) {
      connection.dirty = false;
      try {
        connection.writer().flush();
      } catch (RuntimeException e) {
        LOG.atError().setCause(e).log("flush_failed");
        registry.close(connection, CloseReason.ERROR);
      }
    }
    dirty.clear();
  }
}
