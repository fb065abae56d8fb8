package dev.lastmile.streams;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The frames that wait for one socket, in order, bounded in number and bytes.
 *
 * <p>Not thread-safe: guarded by the connection's lock. Frames of the write in progress count until
 * the write has ended. So the bound covers the memory of one connection.
 */
final class SendQueue {
  private final int maxFrames;
  private final int maxBytes;
  private final ArrayDeque<Frame> waiting = new ArrayDeque<>(1);
  private List<Frame> writing = List.of();
  private int waitingBytes;
  private int writingBytes;

  SendQueue(int maxFrames, int maxBytes) {
    this.maxFrames = maxFrames;
    this.maxBytes = maxBytes;
  }

  /**
   * Adds a frame; returns false if the queue is full. An empty queue accepts a frame of any size.
   */
  boolean offer(Frame frame) {
    int frames = waiting.size() + writing.size();
    if (frames >= maxFrames || (frames > 0 && (long) bytes() + frame.length() > maxBytes)) {
      return false;
    }
    add(frame);
    return true;
  }

  /** Adds a frame without a check of the bound; for a page of state, which has its own bound. */
  void add(Frame frame) {
    waiting.add(frame);
    waitingBytes += frame.length();
  }

  /**
   * Takes waiting frames for one write: at least one, and otherwise at most {@code most} bytes. A
   * single frame is not copied.
   *
   * @param chunked whether each frame is written as a chunk
   * @return null if no frame waits
   */
  @Nullable ByteBuffer nextWrite(int most, boolean chunked) {
    if (waiting.isEmpty()) {
      return null;
    }
    List<Frame> batch = new ArrayList<>(1);
    int bytes = 0;
    do {
      Frame next = waiting.remove();
      bytes += next.length();
      batch.add(next);
    } while (!waiting.isEmpty() && bytes + waiting.element().length() <= most);
    writing = batch;
    writingBytes = bytes;
    waitingBytes -= bytes;
    if (batch.size() == 1) {
      return batch.getFirst().view(chunked);
    }
    int size = 0;
    for (Frame frame : batch) {
      size += frame.view(chunked).remaining();
    }
    ByteBuffer buffer = ByteBuffer.allocate(size);
    batch.forEach(frame -> buffer.put(frame.view(chunked)));
    return buffer.flip();
  }

  /** Ends the write in progress and returns its frames. */
  List<Frame> written() {
    List<Frame> frames = writing;
    writing = List.of();
    writingBytes = 0;
    return frames;
  }

  /** Whether a write is in progress. */
  boolean isWriting() {
    return !writing.isEmpty();
  }

  /** Whether the queue has reached a bound. */
  boolean isFull() {
    return waiting.size() + writing.size() >= maxFrames || bytes() >= maxBytes;
  }

  boolean isEmpty() {
    return waiting.isEmpty() && writing.isEmpty();
  }

  int bytes() {
    return waitingBytes + writingBytes;
  }
}
