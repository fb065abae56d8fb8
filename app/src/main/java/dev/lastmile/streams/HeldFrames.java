package dev.lastmile.streams;

import java.util.ArrayList;
import java.util.List;

/**
 * Live updates that a stream holds back while its state is read, bounded in number and bytes.
 *
 * <p>Not thread-safe: guarded by the connection's lock.
 */
final class HeldFrames {
  private final int maxFrames;
  private final int maxBytes;
  private final List<Frame> frames = new ArrayList<>(0);
  private int bytes;

  HeldFrames(int maxFrames, int maxBytes) {
    this.maxFrames = maxFrames;
    this.maxBytes = maxBytes;
  }

  /** Adds a frame; returns false if the earlier ones had to be discarded for it. */
  boolean add(Frame frame) {
    boolean fits = frames.size() < maxFrames && (long) bytes + frame.length() <= maxBytes;
    if (!fits) {
      clear();
    }
    frames.add(frame);
    bytes += frame.length();
    return fits;
  }

  void clear() {
    frames.clear();
    bytes = 0;
  }

  /** In the order in which they were added. */
  List<Frame> frames() {
    return frames;
  }

  int bytes() {
    return bytes;
  }
}
