package dev.lastmile.streams;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import dev.lastmile.updates.Delta.ResetReason;
import dev.lastmile.updates.Update;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One stream: its position in the channel and the frames that wait for it.
 *
 * <p>A connection is <em>held</em> while state is read for it, at its start and after a gap. Live
 * updates then wait in a list of at most {@code lastmile.stream.held-frames}. Otherwise the
 * connection is live:
 *
 * <ul>
 *   <li>The update after its position goes into the send queue.
 *   <li>An update at or below its position is dropped.
 *   <li>A later update is a gap, and the connection is held again.
 * </ul>
 *
 * <p>So the ids that a client receives never skip an update that it did not get.
 *
 * <p>Any thread: dispatch workers offer updates, the reconciler brings state, the writer takes
 * frames, and {@link StreamLifecycle} calls {@link #tick}. Any of them may close the connection.
 * This object's lock guards the changing state and is never held while another component is called.
 */
final class StreamConnection {
  /** The result of offering a live update. */
  enum Offer {
    /** The update is in the send queue; the caller flushes. */
    QUEUED,
    /** The update waits for a read, or the connection already has it. */
    NOTHING,
    /** The update shows a gap; the caller requests a read. */
    GAP,
    /** The send queue is full. */
    FULL
  }

  /** The result of a read. */
  enum Progress {
    /** The connection is live, or closed. */
    LIVE,
    /** The connection got a page; the next page is read once it has been written. */
    PAGE,
    /** The read was not sufficient; the caller requests another one. */
    AGAIN
  }

  /** The action that a check requires. */
  enum Tick {
    NOTHING,
    HEARTBEAT,
    SLOW
  }

  private static final long STALLED_NANOS = 100_000_000;

  private final Channel channel;
  private final StreamProperties properties;
  private final StreamMemory memory;
  private final String replica;

  private final String address;

  /** Set once before the connection is registered. */
  private @Nullable Writer writer;

  /** Set once during registration. */
  private volatile @Nullable ChannelStreams group;

  /** Whether a flush is scheduled. Used by the channel's dispatch worker only. */
  boolean dirty;

  @GuardedBy("this")
  private final SendQueue queue;

  @GuardedBy("this")
  private final StreamPosition position;

  @GuardedBy("this")
  private long writesEnded;

  /** Live updates that wait for a read; null when live. */
  @GuardedBy("this")
  private @Nullable HeldFrames held;

  @GuardedBy("this")
  private final StreamMemory.Share share;

  /**
   * Whether another read is needed after the one in progress: held updates were discarded, or
   * updates may be missing.
   */
  @GuardedBy("this")
  private boolean readAgain;

  /** Whether the last read was a page. The next read waits until the page has been written. */
  @GuardedBy("this")
  private boolean paging;

  /** Whether the next read has to return everything: the position cannot be continued. */
  @GuardedBy("this")
  private boolean needsAll;

  /** The reason of the last reset that {@link #takeReset} has not returned yet. */
  @GuardedBy("this")
  private @Nullable ResetReason reset;

  @GuardedBy("this")
  private @Nullable CloseReason closed;

  @GuardedBy("this")
  private long writeStartedNanos;

  @GuardedBy("this")
  private long nextHeartbeatNanos;

  /**
   * @param resume the client's cursor, or null
   * @param address the client's address, as the load balancer reports it
   */
  StreamConnection(
      Channel channel,
      @Nullable Cursor resume,
      String address,
      StreamProperties properties,
      StreamMemory memory,
      String replica,
      long nowNanos) {
    this.channel = channel;
    this.position = new StreamPosition(resume);
    this.address = address;
    this.properties = properties;
    this.replica = replica;
    this.memory = memory;
    this.share = memory.share();
    this.queue = new SendQueue(properties.queueFrames(), properties.queueBytes());
    this.held = newHeld();
    this.nextHeartbeatNanos = nowNanos + properties.heartbeat().toNanos();
  }

  Channel channel() {
    return channel;
  }

  String address() {
    return address;
  }

  void writeWith(Writer writer) {
    this.writer = writer;
  }

  Writer writer() {
    if (writer == null) {
      throw new IllegalStateException("no writer yet");
    }
    return writer;
  }

  void join(ChannelStreams group) {
    this.group = group;
  }

  /** The group of connections that it belongs to. */
  ChannelStreams group() {
    ChannelStreams joined = group;
    if (joined == null) {
      throw new IllegalStateException("not registered");
    }
    return joined;
  }

  /**
   * Offers a live update.
   *
   * @param repair whether a gap is repaired. If not, the update is sent without an id and the
   *     position stays before the gap.
   */
  synchronized Offer offer(Frame frame, Update update, boolean repair) {
    if (closed != null) {
      return Offer.NOTHING;
    }
    Offer offer = held != null ? hold(held, frame) : enqueue(frame, update, repair);
    count();
    return offer;
  }

  @GuardedBy("this")
  private Offer hold(HeldFrames waiting, Frame frame) {
    if (memory.isFull()) {
      waiting.clear();
      readAgain = true;
    } else if (!waiting.add(frame)) {
      readAgain = true;
    }
    return Offer.NOTHING;
  }

  @GuardedBy("this")
  private Offer enqueue(Frame frame, Update update, boolean repair) {
    Cursor cursor = update.cursor();
    if (hasReached(cursor)) {
      return Offer.NOTHING;
    }
    boolean room = !repair || memory.hasRoom(queue.bytes(), frame.length());
    if (position.isNext(cursor) && room) {
      if (!queue.offer(frame)) {
        return Offer.FULL;
      }
      position.advance(cursor);
      return Offer.QUEUED;
    }
    if (!repair) {
      return queue.offer(SseEncoder.updateWithoutId(update)) ? Offer.QUEUED : Offer.FULL;
    }
    // This update was stored before the requested read begins, so the read contains it.
    held = newHeld();
    return Offer.GAP;
  }

  private HeldFrames newHeld() {
    return new HeldFrames(properties.heldFrames(), properties.queueBytes());
  }

  /** Counts what this stream holds; to be called after each change. */
  @GuardedBy("this")
  private void count() {
    int waiting = held == null ? 0 : held.bytes();
    share.set(closed == null ? queue.bytes() + waiting : 0);
  }

  /** Discards held updates, because there is no memory for them. The next read contains them. */
  synchronized void discardHeld() {
    if (closed == null && held != null) {
      held.clear();
      count();
    }
  }

  /**
   * Holds live updates back until a read that begins after this call, because updates may have been
   * missed. The caller requests the read.
   */
  synchronized void requireResync() {
    if (closed != null) {
      return;
    }
    if (held == null) {
      held = newHeld();
    } else {
      readAgain = true;
    }
  }

  /** Whether a read can be used now. */
  synchronized boolean awaitsRead() {
    return closed == null && held != null && (!paging || queue.isEmpty());
  }

  /** The cursor from which to read for this connection; null to read everything. */
  synchronized @Nullable Cursor readFrom() {
    return needsAll ? null : position.resumeCursor();
  }

  /** Whether the last read was a page. */
  synchronized boolean isPaging() {
    return paging;
  }

  /** Whether {@code ready} has been queued for the client. */
  synchronized boolean isOpened() {
    return position.isOpened();
  }

  /**
   * Applies a read that began after this connection was held.
   *
   * @param frames the delta's updates, encoded, in the same order
   * @param repair as in {@link #offer}
   */
  synchronized Progress catchUp(Delta delta, List<Frame> frames, boolean repair) {
    HeldFrames waiting = held;
    if (closed != null || waiting == null) {
      return Progress.LIVE;
    }
    Progress progress = apply(delta, frames, waiting, repair);
    count();
    return progress;
  }

  @GuardedBy("this")
  private Progress apply(Delta delta, List<Frame> frames, HeldFrames waiting, boolean repair) {
    if (queue.isFull()) {
      return later();
    }
    Cursor resumed = position.resumeCursor();
    boolean continues = paging ? delta.continuesPage(resumed) : delta.continues(resumed);
    if (!continues && delta.after() > 0) {
      needsAll = true;
      return Progress.AGAIN;
    }
    if (!position.isOpened()) {
      queue.add(
          SseEncoder.ready(
              channel(), delta.headCursor(), replica, properties.heartbeat(), properties.retry()));
    }
    if (!continues && resumed != null) {
      reset = delta.resetReason(resumed);
      queue.add(SseEncoder.reset(channel(), delta.headCursor(), reset));
    }
    long reached = position.enter(delta, continues);
    needsAll = false;
    for (Frame frame : frames) {
      Update update = frame.update();
      if (update != null && update.sequence() > reached) {
        queue.add(frame);
        reached = update.sequence();
      }
    }
    position.reached(delta, reached);
    paging = !delta.complete();
    if (paging) {
      return Progress.PAGE;
    }
    if (readAgain) {
      readAgain = false;
      held = newHeld();
      return Progress.AGAIN;
    }
    held = null;
    return release(waiting.frames(), repair);
  }

  @GuardedBy("this")
  private Progress release(List<Frame> waiting, boolean repair) {
    for (Frame frame : waiting) {
      Update update = frame.update();
      Offer offer = update == null ? Offer.NOTHING : enqueue(frame, update, repair);
      switch (offer) {
        case FULL -> {
          // The page and the held updates together exceed the send queue; the client is not at
          // fault.
          held = newHeld();
          return later();
        }
        case GAP -> {
          // The remaining held updates were also stored before the next read.
          return Progress.AGAIN;
        }
        case QUEUED, NOTHING -> {}
      }
    }
    return Progress.LIVE;
  }

  /** Postpones the next read until the waiting frames have been written. */
  @GuardedBy("this")
  private Progress later() {
    paging = true;
    return Progress.PAGE;
  }

  /** The reason of a reset since the last call; null if there was none. */
  synchronized @Nullable ResetReason takeReset() {
    ResetReason taken = reset;
    reset = null;
    return taken;
  }

  /**
   * Returns the next frames to write; null if none waits. The writer has one write in progress at a
   * time.
   *
   * @param chunked whether each frame is written as a chunk
   */
  synchronized @Nullable ByteBuffer nextWrite(long nowNanos, boolean chunked) {
    ByteBuffer next = queue.nextWrite(properties.writeBytes(), chunked);
    writeStartedNanos = nowNanos;
    return next;
  }

  /** Records that the kernel has accepted the frames of the write in progress. */
  synchronized StreamPosition.Flush written() {
    writesEnded++;
    List<Update> afterGap = List.of();
    List<Frame> written = queue.written();
    count();
    for (Frame frame : written) {
      Update update = frame.update();
      if (update != null && !position.accepted(update)) {
        afterGap = afterGap.isEmpty() ? new ArrayList<>(1) : afterGap;
        afterGap.add(update);
      }
    }
    return position.flush(queue.isEmpty(), afterGap);
  }

  /** The flushed position. After a read it may advance without a write. */
  synchronized StreamPosition.Flush flushed() {
    return position.flush(queue.isEmpty(), List.of());
  }

  /** Whether the kernel has accepted this update, or a later state. */
  synchronized boolean hasFlushed(Cursor cursor) {
    return position.hasFlushed(cursor);
  }

  /** Whether the send queue has taken this update, or a later state. */
  synchronized boolean hasReached(Cursor cursor) {
    return position.hasReached(cursor);
  }

  /** The number of completed writes. */
  synchronized long writesEnded() {
    return writesEnded;
  }

  /** Whether a write is in progress. */
  synchronized boolean isWriting() {
    return queue.isWriting();
  }

  /** Whether the next page of state is due to be read. */
  synchronized boolean awaitsPage() {
    return closed == null && paging && queue.isEmpty();
  }

  /**
   * Checks the write timeout and the heartbeat. Called about once a second, see {@link
   * StreamLifecycle}.
   *
   * @param pausedNanos time since the last check during which this process was suspended; it does
   *     not count against the client
   */
  synchronized Tick tick(long nowNanos, long pausedNanos) {
    if (closed != null) {
      return Tick.NOTHING;
    }
    writeStartedNanos += pausedNanos;
    long limitNanos = memory.writeNanos(properties.writeTimeout());
    if (queue.isWriting() && nowNanos - writeStartedNanos >= limitNanos) {
      return Tick.SLOW;
    }
    if (nowNanos - nextHeartbeatNanos < 0) {
      return Tick.NOTHING;
    }
    nextHeartbeatNanos = nowNanos + properties.heartbeat().toNanos();
    Cursor taken = position.taken();
    if (taken == null || !queue.isEmpty()) {
      return Tick.NOTHING;
    }
    queue.add(SseEncoder.heartbeat(channel(), taken));
    return Tick.HEARTBEAT;
  }

  /**
   * Closes the connection; returns true for the first call only. Its caller then ends the writer.
   */
  synchronized boolean close(CloseReason reason) {
    if (closed != null) {
      return false;
    }
    closed = reason;
    held = null;
    count();
    return true;
  }

  /** Adds a last frame to a connection that was closed in an orderly way. */
  synchronized void enqueueFinal(Frame frame) {
    queue.add(frame);
  }

  /** Whether the write in progress has taken longer than 100 ms, so the socket is probably full. */
  synchronized boolean isStalled(long nowNanos) {
    return queue.isWriting() && nowNanos - writeStartedNanos > STALLED_NANOS;
  }

  synchronized int queuedBytes() {
    return queue.bytes() + (held == null ? 0 : held.bytes());
  }
}
