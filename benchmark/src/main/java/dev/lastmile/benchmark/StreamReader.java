package dev.lastmile.benchmark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;

/** A thread that opens its streams, a bounded number at a time, and reads them all. */
final class StreamReader implements Runnable, AutoCloseable {
  /** Streams that may be opening at the same time. */
  private static final int AT_ONCE = 512;

  private static final int BUFFER_BYTES = 1 << 17;
  private static final long LONGEST_WAIT_MILLIS = 100;

  private final Selector selector;
  private final List<OneStream> streams;
  private final Tally tally;
  private final PriorityQueue<OneStream> waiting =
      new PriorityQueue<>(Comparator.comparingLong(OneStream::notBeforeNanos));
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
  private final byte[] bytes = new byte[BUFFER_BYTES];
  private final Thread thread;
  private int opening;
  private volatile boolean closed;

  /** Called when streams become ready or end, in this reader's thread. */
  interface Tally {
    void ready(OneStream stream);

    /**
     * It has ended.
     *
     * @param wasReady whether it had been ready
     */
    void ended(OneStream stream, boolean wasReady);
  }

  /** Opens the streams, once started. */
  StreamReader(List<OneStream> streams, Tally tally, int number) {
    this.streams = List.copyOf(streams);
    this.tally = tally;
    try {
      selector = Selector.open();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    thread = Thread.ofPlatform().name("reader-" + number).daemon().unstarted(this);
  }

  void start() {
    waiting.addAll(streams);
    thread.start();
  }

  @Override
  public void run() {
    try (selector) {
      while (!closed) {
        openDue();
        selector.select(this::serve, waitMillis());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      streams.forEach(OneStream::close);
    }
  }

  private long waitMillis() {
    if (waiting.isEmpty() || opening >= AT_ONCE) {
      return LONGEST_WAIT_MILLIS;
    }
    long left = waiting.peek().notBeforeNanos() - Ticker.nanos();
    return Math.clamp(TimeUnit.NANOSECONDS.toMillis(left), 1, LONGEST_WAIT_MILLIS);
  }

  private void openDue() {
    long now = Ticker.nanos();
    while (opening < AT_ONCE && !waiting.isEmpty() && waiting.peek().notBeforeNanos() <= now) {
      OneStream stream = waiting.poll();
      opening++;
      try {
        stream.open(selector);
      } catch (IOException e) {
        end(stream, false);
      }
    }
  }

  private void serve(SelectionKey key) {
    OneStream stream = (OneStream) key.attachment();
    boolean wasReady = stream.isReady();
    boolean goesOn;
    try {
      if (key.isConnectable()) {
        stream.connected(key);
        goesOn = true;
      } else {
        goesOn = stream.read(buffer, bytes);
      }
    } catch (IOException e) {
      goesOn = false;
    }
    if (!wasReady && stream.isReady()) {
      opening--;
      tally.ready(stream);
    }
    if (!goesOn) {
      key.cancel();
      end(stream, stream.isReady());
    }
  }

  private void end(OneStream stream, boolean wasReady) {
    stream.close();
    if (!wasReady) {
      opening--;
    }
    tally.ended(stream, wasReady);
    long pauseNanos = stream.listener().ended(stream);
    if (pauseNanos >= 0) {
      stream.openAt(Ticker.nanos() + pauseNanos);
      waiting.add(stream);
    }
  }

  /** Ends all streams; returns when they are. */
  @Override
  public void close() {
    closed = true;
    selector.wakeup();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
