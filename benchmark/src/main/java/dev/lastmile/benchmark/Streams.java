package dev.lastmile.benchmark;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;

/**
 * The streams of a candidate, opened and read by a few threads, from several addresses of loopback.
 * Any thread may read its counters.
 */
final class Streams implements AutoCloseable {
  /** Each has some 28 000 ports. */
  private static final int SOURCES = 8;

  private final List<OneStream> streams = new ArrayList<>();
  private final List<StreamReader> readers = new ArrayList<>();
  private final AtomicInteger ready = new AtomicInteger();
  private final AtomicInteger failed = new AtomicInteger();
  private final AtomicInteger broken = new AtomicInteger();
  private volatile long lastReadyNanos;

  /**
   * The result of an opening.
   *
   * @param ready streams that are
   * @param failed those that were refused, cut or not answered
   * @param millis until the last one was ready
   */
  record Opened(int ready, int failed, double millis) {}

  /**
   * Not opened yet.
   *
   * @param request by the stream's number, from 0; called for each opening
   * @param threads how many read
   */
  Streams(int count, IntFunction<Request> request, StreamListener listener, int threads) {
    for (int i = 0; i < count; i++) {
      int number = i;
      InetSocketAddress source = new InetSocketAddress("127.0.0." + (2 + i % SOURCES), 0);
      streams.add(new OneStream(i, () -> request.apply(number), source, listener));
    }
    StreamReader.Tally tally =
        new StreamReader.Tally() {
          @Override
          public void ready(OneStream stream) {
            lastReadyNanos = stream.readyAtNanos();
            ready.incrementAndGet();
          }

          @Override
          public void ended(OneStream stream, boolean wasReady) {
            if (wasReady) {
              ready.decrementAndGet();
            }
            (wasReady ? broken : failed).incrementAndGet();
          }
        };
    for (int i = 0; i < threads; i++) {
      int reader = i;
      List<OneStream> own =
          streams.stream().filter(stream -> stream.number() % threads == reader).toList();
      readers.add(new StreamReader(own, tally, i));
    }
  }

  /** Opens all of them; waits until each is ready or has failed, or until the time limit. */
  Opened open(Duration patience) {
    long begun = Ticker.nanos();
    readers.forEach(StreamReader::start);
    Ticker.await(patience, () -> ready.get() + failed.get() >= streams.size());
    return new Opened(ready.get(), streams.size() - ready.get(), (lastReadyNanos - begun) / 1e6);
  }

  /** As {@link #open}; fails unless all streams are ready. */
  Opened openAll(Duration patience) {
    Opened opened = open(patience);
    if (opened.ready() < streams.size()) {
      throw new IllegalStateException("streams were not opened: " + opened);
    }
    return opened;
  }

  int size() {
    return streams.size();
  }

  /** Streams that are ready now. */
  int ready() {
    return ready.get();
  }

  /** How often a stream that was ready has ended. */
  int broken() {
    return broken.get();
  }

  /** When a stream became ready for the last time. */
  long lastReadyNanos() {
    return lastReadyNanos;
  }

  @Override
  public void close() {
    readers.forEach(StreamReader::close);
  }
}
