package dev.lastmile.streams;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.springframework.stereotype.Component;

/**
 * Counts the bytes that wait in the streams of this replica, and knows when they are too many
 * ({@code lastmile.stream.max-queued}).
 *
 * <p>Above the limit a stream takes only what is too small to be counted. Its other updates are
 * left out, and its state is read when there is room again. Nothing is lost, because all state is
 * in Redis. Streams whose write takes longer than a second are closed, which makes room. Any
 * thread.
 */
@Component
final class StreamMemory {
  /**
   * What a stream may hold without being counted. Most updates are smaller and wait for
   * microseconds, so they cost nothing here.
   */
  private static final int STEP = 4_096;

  /** Time limit of a write while the memory is full. */
  private static final long FULL_WRITE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final AtomicLong total = new AtomicLong();
  private final long limit;

  StreamMemory(StreamProperties properties) {
    this.limit = properties.maxQueued();
  }

  /** Whether no stream may take more. */
  boolean isFull() {
    return total.get() > limit;
  }

  /** Whether a stream that holds this much may take this much more. */
  boolean hasRoom(int held, int more) {
    return 2L * held + 2L * more < STEP || !isFull();
  }

  /** The time limit of a write. */
  long writeNanos(Duration usual) {
    return isFull() ? Math.min(FULL_WRITE_NANOS, usual.toNanos()) : usual.toNanos();
  }

  /** The part of a new stream. */
  Share share() {
    return new Share();
  }

  /** What one stream holds. Not thread-safe: guarded by the connection's lock. */
  final class Share {
    private long counted;

    /**
     * Counts what the stream holds now: each frame has its update beside it, so twice its bytes.
     */
    void set(int frameBytes) {
      long bytes = 2L * frameBytes;
      if (Math.abs(bytes - counted) >= STEP || (bytes == 0 && counted != 0)) {
        total.addAndGet(bytes - counted);
        counted = bytes;
      }
    }
  }
}
