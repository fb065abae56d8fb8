package dev.lastmile.benchmark;

import dev.lastmile.benchmark.StreamListener.Kind;
import dev.lastmile.testkit.browser.EventParser;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.function.Supplier;

/** One stream of the load client, reopened as its listener decides. Its reader's thread only. */
final class OneStream {
  private static final int OK = 200;
  private static final byte[] NO_DATA = new byte[0];

  private final int number;
  private final Supplier<Request> request;
  private final InetSocketAddress source;
  private final StreamListener listener;
  private Request sent;
  private SocketChannel socket;
  private EventParser parser;
  private boolean ready;
  private long readyAtNanos;
  private long readAtNanos;
  private long notBeforeNanos;

  /**
   * Not opened yet.
   *
   * @param request called for each opening
   * @param source address from which it is opened, with port 0
   */
  OneStream(
      int number, Supplier<Request> request, InetSocketAddress source, StreamListener listener) {
    this.number = number;
    this.request = request;
    this.source = source;
    this.listener = listener;
  }

  int number() {
    return number;
  }

  /** When the bytes that are now handled were read. */
  long readAtNanos() {
    return readAtNanos;
  }

  boolean isReady() {
    return ready;
  }

  /** When it became ready for the last time. */
  long readyAtNanos() {
    return readyAtNanos;
  }

  long notBeforeNanos() {
    return notBeforeNanos;
  }

  void openAt(long nanos) {
    notBeforeNanos = nanos;
  }

  StreamListener listener() {
    return listener;
  }

  void open(Selector selector) throws IOException {
    parser = new EventParser(new Received());
    socket = SocketChannel.open();
    socket.configureBlocking(false);
    // Closed by reset: tens of thousands of ports that wait would be missing in the next round.
    socket.setOption(StandardSocketOptions.SO_LINGER, 0);
    socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
    socket.bind(source);
    SelectionKey key = socket.register(selector, SelectionKey.OP_CONNECT, this);
    sent = request.get();
    if (socket.connect(sent.to())) {
      connected(key);
    }
  }

  private final class Received implements EventParser.Events {
    @Override
    public void event(EventParser event, byte[] bytes, int from, int to) {
      take(kind(event), event.hasId(), bytes, from, to);
    }

    @Override
    public void comment() {
      take(Kind.READY, false, NO_DATA, 0, 0);
    }

    private void take(Kind kind, boolean hasId, byte[] bytes, int from, int to) {
      if (kind == Kind.READY && !ready && parser.status() == OK) {
        ready = true;
        readyAtNanos = readAtNanos;
      }
      listener.event(OneStream.this, kind, hasId, bytes, from, to);
    }

    private static Kind kind(EventParser event) {
      if (event.isNamed("update") || event.isNamed("message")) {
        return Kind.UPDATE;
      }
      if (event.isNamed("ready")) {
        return Kind.READY;
      }
      return event.isNamed("reset") ? Kind.RESET : Kind.HEARTBEAT;
    }
  }

  void connected(SelectionKey key) throws IOException {
    if (key.isConnectable()) {
      socket.finishConnect();
    }
    key.interestOps(SelectionKey.OP_READ);
    ByteBuffer head = ByteBuffer.wrap(sent.bytes());
    // A few hundred bytes: an empty socket takes them.
    if (socket.write(head) < 0 || head.hasRemaining()) {
      throw new IOException("the request was not taken");
    }
  }

  /** Reads once; false if there will be no more. */
  boolean read(ByteBuffer buffer, byte[] bytes) throws IOException {
    buffer.clear();
    int length = socket.read(buffer);
    if (length < 0) {
      return false;
    }
    readAtNanos = Ticker.nanos();
    buffer.flip().get(bytes, 0, length);
    parser.feed(bytes, length);
    return parser.status() == 0 || parser.status() == OK;
  }

  void close() {
    ready = false;
    try {
      if (socket != null) {
        socket.close();
      }
    } catch (IOException e) {
      // It is gone either way.
    }
  }
}
