package dev.lastmile.connections;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * Frames on their way to one socket, in order, bounded in number and bytes.
 *
 * <p>Not thread-safe: the connection's lock guards it. Bytes that are being written count until the
 * write has ended, so the bound covers all that one connection can hold in memory.
 */
final class SendQueue {
  private final int mostFrames;
  private final int mostBytes;
  private final ArrayDeque<Frame> waiting = new ArrayDeque<>(1);
  private List<Frame> writing = List.of();
  private int waitingBytes;
  private int writingBytes;

  SendQueue(int mostFrames, int mostBytes) {
    this.mostFrames = mostFrames;
    this.mostBytes = mostBytes;
  }

  /** Adds a frame unless the queue is full. An empty queue takes a frame of any size. */
  boolean offer(Frame frame) {
    int frames = waiting.size() + writing.size();
    if (frames >= mostFrames || (frames > 0 && (long) bytes() + frame.length() > mostBytes)) {
      return false;
    }
    add(frame);
    return true;
  }

  /** Adds a frame in any case; for a page of state, which has a bound of its own. */
  void add(Frame frame) {
    waiting.add(frame);
    waitingBytes += frame.length();
  }

  /**
   * Takes what waits, up to about {@code most} bytes and at least one frame, for one write. A
   * single frame is not copied.
   *
   * @param chunked whether each is a chunk of its own
   * @return null if nothing waits
   */
  @org.jspecify.annotations.Nullable
  ByteBuffer nextWrite(int most, boolean chunked) {
    Frame first = waiting.poll();
    if (first == null) {
      return null;
    }
    int bytes = first.length();
    if (waiting.isEmpty() || bytes + waiting.element().length() > most) {
      writing = List.of(first);
      taken(bytes);
      return first.view(chunked);
    }
    List<Frame> batch = new ArrayList<>();
    batch.add(first);
    while (!waiting.isEmpty() && bytes + waiting.element().length() <= most) {
      Frame next = waiting.remove();
      bytes += next.length();
      batch.add(next);
    }
    int size = 0;
    for (Frame frame : batch) {
      size += frame.view(chunked).remaining();
    }
    ByteBuffer buffer = ByteBuffer.allocate(size);
    batch.forEach(frame -> buffer.put(frame.view(chunked)));
    writing = batch;
    taken(bytes);
    return buffer.flip();
  }

  private void taken(int bytes) {
    waitingBytes -= bytes;
    writingBytes = bytes;
  }

  /** The write has ended well: the frames that it carried. */
  List<Frame> written() {
    List<Frame> frames = writing;
    writing = List.of();
    writingBytes = 0;
    return frames;
  }

  /** Whether a write is under way. */
  boolean isWriting() {
    return !writing.isEmpty();
  }

  /** Whether nothing more may wait. */
  boolean isFull() {
    return waiting.size() + writing.size() >= mostFrames || bytes() >= mostBytes;
  }

  boolean isEmpty() {
    return waiting.isEmpty() && writing.isEmpty();
  }

  int bytes() {
    return waitingBytes + writingBytes;
  }
}
