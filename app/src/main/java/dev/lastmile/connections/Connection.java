package dev.lastmile.connections;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import dev.lastmile.updates.Update;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One stream: where it stands in its channel, and what is on its way to it.
 *
 * <p>A connection is <em>held</em> while state is read for it, at its start and after a hole; then
 * live updates wait in a bounded list. Otherwise it is live: the update after its position goes
 * into the send queue, one at or below it is dropped, one further on is a hole and the connection
 * is held again. So the ids that a client sees never jump over an update that it did not get.
 *
 * <p>Dispatchers offer, readers bring state, the writer takes, the pulse looks, anyone closes: all
 * under this object's lock, which is never held while calling out.
 */
final class Connection {
  /** What became of a live update. */
  enum Offer {
    /** In the send queue: flush. */
    QUEUED,
    /** Waits for a read, or was known already. */
    NOTHING,
    /** A hole: state has to be read. */
    HOLE,
    /** The send queue is full. */
    FULL
  }

  /** What a read has brought. */
  enum Progress {
    /** The connection is live (or closed). */
    LIVE,
    /** A page: more when it has been written. */
    PAGE,
    /** Not enough: read again. */
    AGAIN
  }

  /**
   * What the kernel has taken.
   *
   * @param upTo everything up to this sequence has been flushed
   * @param alone updates after a hole that is not repaired: nothing is known of those before them
   */
  record Flush(String epoch, long upTo, List<Update> alone) {}

  /** What a look at the clock has shown. */
  enum Pulse {
    NOTHING,
    HEARTBEAT,
    SLOW
  }

  private static final long STALLED_NANOS = 100_000_000;

  private final Channel channel;
  private final StreamProperties properties;
  private final String replica;

  /** Where it comes from, as the balancer says. Set once before the connection is registered. */
  private String address = "";

  /** Set once before the connection is registered. */
  private @Nullable Writer writer;

  /** Set once while it is being registered. */
  private volatile @Nullable ChannelConnections group;

  /** Used by the dispatcher's lane of this channel only: whether it has to flush. */
  boolean dirty;

  @GuardedBy("this")
  private final SendQueue queue;

  /** Where the client stood when it came; null for a client that knows nothing. */
  @GuardedBy("this")
  private final @Nullable Cursor resume;

  @GuardedBy("this")
  private boolean opened;

  @GuardedBy("this")
  private String epoch = "";

  /** The highest sequence handed to the send queue. */
  @GuardedBy("this")
  private long position;

  /** Follows the position: up to here the kernel has taken everything. */
  @GuardedBy("this")
  private long flushed;

  @GuardedBy("this")
  private long writesEnded;

  /** Live updates that wait for a read; null when live. */
  @GuardedBy("this")
  private @Nullable List<Frame> held = new ArrayList<>(0);

  /**
   * What the read under way brings may be too old: held updates were discarded, or may be missing.
   */
  @GuardedBy("this")
  private boolean readAgain;

  /** The last read was a page; the next one waits until it has been written. */
  @GuardedBy("this")
  private boolean paging;

  /** A read from our position cannot help; it has to be everything. */
  @GuardedBy("this")
  private boolean needsAll;

  @GuardedBy("this")
  private @Nullable DisconnectReason closed;

  @GuardedBy("this")
  private long writeStartedNanos;

  @GuardedBy("this")
  private long nextHeartbeatNanos;

  /**
   * @param resume the client's cursor, or null
   */
  Connection(
      Channel channel,
      @Nullable Cursor resume,
      StreamProperties properties,
      String replica,
      long nowNanos) {
    this.channel = channel;
    this.resume = resume;
    this.properties = properties;
    this.replica = replica;
    this.queue = new SendQueue(properties.queueFrames(), properties.queueBytes());
    this.nextHeartbeatNanos = nowNanos + properties.heartbeat().toNanos();
  }

  Channel channel() {
    return channel;
  }

  /** Says where it comes from. */
  void comesFrom(String remote) {
    address = remote;
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

  void join(ChannelConnections group) {
    this.group = group;
  }

  /** The connections that it belongs to. */
  ChannelConnections group() {
    ChannelConnections joined = group;
    if (joined == null) {
      throw new IllegalStateException("not registered");
    }
    return joined;
  }

  /**
   * Takes a live update.
   *
   * @param repair whether a hole is repaired; if not, the update goes out without an id and the
   *     position stays before the hole
   */
  synchronized Offer offer(Frame frame, Update update, boolean repair) {
    if (closed != null) {
      return Offer.NOTHING;
    }
    if (held != null) {
      hold(held, frame);
      return Offer.NOTHING;
    }
    boolean sameEpoch = update.cursor().epoch().equals(epoch);
    if (sameEpoch && update.sequence() <= position) {
      return Offer.NOTHING;
    }
    if (sameEpoch && update.sequence() == position + 1) {
      if (!queue.offer(frame)) {
        return Offer.FULL;
      }
      position = update.sequence();
      return Offer.QUEUED;
    }
    if (!repair) {
      return queue.offer(SseEncoder.updateWithoutId(update)) ? Offer.QUEUED : Offer.FULL;
    }
    // What shows the hole was stored before the read that comes, so the read has it.
    held = new ArrayList<>(0);
    return Offer.HOLE;
  }

  @GuardedBy("this")
  private void hold(List<Frame> waiting, Frame frame) {
    if (waiting.size() >= properties.heldFrames()) {
      waiting.clear();
      readAgain = true;
    }
    waiting.add(frame);
  }

  /**
   * Something may have been missed: holds live updates back until a read that begins after this
   * call. The caller asks for it.
   */
  synchronized void suspect() {
    if (closed != null) {
      return;
    }
    if (held == null) {
      held = new ArrayList<>(0);
    } else {
      readAgain = true;
    }
  }

  /** Whether a read would help now. */
  synchronized boolean awaitsRead() {
    return closed == null && held != null && (!paging || queue.isEmpty());
  }

  /** From where to read for this connection; null for everything. */
  synchronized @Nullable Cursor readFrom() {
    return needsAll ? null : standing();
  }

  @GuardedBy("this")
  private @Nullable Cursor standing() {
    return opened ? new Cursor(epoch, position) : resume;
  }

  /** Whether the last read was a page. */
  synchronized boolean isPaging() {
    return paging;
  }

  /** Whether the client has been told that the stream is ready. */
  synchronized boolean isOpened() {
    return opened;
  }

  /**
   * Brings state that was read after this connection began to hold.
   *
   * @param frames the delta's updates, encoded, in the same order
   * @param repair as in {@link #offer}
   */
  synchronized Progress catchUp(Delta delta, List<Frame> frames, boolean repair) {
    List<Frame> waiting = held;
    if (closed != null || waiting == null) {
      return Progress.LIVE;
    }
    if (queue.isFull()) {
      return later();
    }
    Cursor standing = standing();
    boolean continues = paging ? delta.continuesPage(standing) : delta.continues(standing);
    if (!continues && delta.after() > 0) {
      needsAll = true;
      return Progress.AGAIN;
    }
    if (!opened) {
      opened = true;
      queue.add(
          SseEncoder.ready(
              delta.headCursor(), replica, properties.heartbeat(), properties.retry()));
    }
    if (!continues && standing != null) {
      queue.add(SseEncoder.reset(delta.headCursor(), reason(delta, standing)));
      flushed = 0;
    }
    position = continues && standing != null ? standing.sequence() : 0;
    epoch = delta.epoch();
    needsAll = false;
    for (Frame frame : frames) {
      Update update = frame.update();
      if (update != null && update.sequence() > position) {
        queue.add(frame);
        position = update.sequence();
      }
    }
    position = Math.max(position, delta.reach());
    paging = !delta.complete();
    if (paging) {
      return Progress.PAGE;
    }
    if (readAgain) {
      readAgain = false;
      held = new ArrayList<>(0);
      return Progress.AGAIN;
    }
    held = null;
    return release(waiting, repair);
  }

  @GuardedBy("this")
  private Progress release(List<Frame> waiting, boolean repair) {
    for (Frame frame : waiting) {
      Update update = frame.update();
      Offer offer = update == null ? Offer.NOTHING : offer(frame, update, repair);
      switch (offer) {
        case FULL -> {
          // Our own doing: a page and what was held do not fit together.
          held = new ArrayList<>(0);
          return later();
        }
        case HOLE -> {
          // The rest was stored before the read that comes, too.
          return Progress.AGAIN;
        }
        case QUEUED, NOTHING -> {}
      }
    }
    return Progress.LIVE;
  }

  /** Reads again when what waits has been written. */
  @GuardedBy("this")
  private Progress later() {
    paging = true;
    return Progress.PAGE;
  }

  private static String reason(Delta delta, Cursor standing) {
    if (!standing.epoch().equals(delta.epoch())) {
      return "epoch";
    }
    return standing.sequence() > delta.head() ? "ahead" : "retention";
  }

  /**
   * What to write next; null if nothing waits. The writer has one write under way at a time.
   *
   * @param chunked whether each frame is a chunk of its own
   */
  synchronized @Nullable ByteBuffer nextWrite(long nowNanos, boolean chunked) {
    ByteBuffer next = queue.nextWrite(properties.writeBytes(), chunked);
    writeStartedNanos = nowNanos;
    return next;
  }

  /** The write has ended well: the kernel has its frames. */
  synchronized Flush written() {
    writesEnded++;
    List<Update> alone = List.of();
    for (Frame frame : queue.written()) {
      Update update = frame.update();
      if (update == null || !update.cursor().epoch().equals(epoch)) {
        continue;
      }
      if (update.sequence() <= position) {
        flushed = Math.max(flushed, update.sequence());
      } else {
        alone = alone.isEmpty() ? new ArrayList<>(1) : alone;
        alone.add(update);
      }
    }
    return flush(alone);
  }

  /** How far the kernel is; after a read this may move without a write. */
  synchronized Flush flushed() {
    return flush(List.of());
  }

  @GuardedBy("this")
  private Flush flush(List<Update> alone) {
    if (queue.isEmpty()) {
      flushed = position;
    }
    return new Flush(epoch, flushed, alone);
  }

  /** Whether the kernel has taken this update, or a later state. */
  synchronized boolean hasFlushed(Cursor cursor) {
    return cursor.epoch().equals(epoch) && flushed >= cursor.sequence();
  }

  /** Whether this update, or a later state, was handed to the send queue. */
  synchronized boolean hasReached(Cursor cursor) {
    return cursor.epoch().equals(epoch) && position >= cursor.sequence();
  }

  /** How many writes the kernel has taken. */
  synchronized long writesEnded() {
    return writesEnded;
  }

  /** Whether a write is under way. */
  synchronized boolean isWriting() {
    return queue.isWriting();
  }

  /** Whether the next page of state is to be read. */
  synchronized boolean awaitsPage() {
    return closed == null && paging && queue.isEmpty();
  }

  /**
   * Looks at the clock: called about once a second.
   *
   * @param pausedNanos time since the last look in which this process stood still: nobody's fault
   */
  synchronized Pulse pulse(long nowNanos, long pausedNanos) {
    if (closed != null) {
      return Pulse.NOTHING;
    }
    writeStartedNanos += pausedNanos;
    if (queue.isWriting() && nowNanos - writeStartedNanos >= properties.writeTimeout().toNanos()) {
      return Pulse.SLOW;
    }
    if (nowNanos - nextHeartbeatNanos < 0) {
      return Pulse.NOTHING;
    }
    nextHeartbeatNanos = nowNanos + properties.heartbeat().toNanos();
    if (!opened || !queue.isEmpty()) {
      return Pulse.NOTHING;
    }
    queue.add(SseEncoder.heartbeat(new Cursor(epoch, position)));
    return Pulse.HEARTBEAT;
  }

  /** Ends it; true for the first caller only, who then tells the writer. */
  synchronized boolean close(DisconnectReason reason) {
    if (closed != null) {
      return false;
    }
    closed = reason;
    held = null;
    return true;
  }

  /** Adds a last frame to a closed connection that ends in order. */
  synchronized void farewell(Frame frame) {
    queue.add(frame);
  }

  /** Whether a write takes longer than a socket with room needs. */
  synchronized boolean isStalled(long nowNanos) {
    return queue.isWriting() && nowNanos - writeStartedNanos > STALLED_NANOS;
  }

  synchronized int queuedBytes() {
    return queue.bytes();
  }
}
