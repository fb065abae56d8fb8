package dev.lastmile.testkit.redis;

import dev.lastmile.testkit.process.Ports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A TCP proxy on loopback between one replica and Redis, with which tests break the network. It
 * forwards everything until the mode changes.
 *
 * <p>Any thread may change the mode at any time. When the call returns, the new mode applies to
 * every byte that is not written yet. It waits at most one second for each write that blocks. TLS
 * is supported by an {@linkplain #opaque opaque} proxy only.
 */
public final class RedisProxy implements AutoCloseable {
  enum Mode {
    PASS,
    CUT,
    BLACKHOLE,
    DEAFEN
  }

  private final URI redis;
  private final ServerSocket listener;
  private final boolean opaque;

  /** Guarded by this. */
  private final Set<ProxiedConnection> connections = new HashSet<>();

  private final AtomicLong swallowed = new AtomicLong();
  private volatile Duration delay = Duration.ZERO;

  /** Written under the lock of this. */
  private volatile Mode mode = Mode.PASS;

  private RedisProxy(URI redis, ServerSocket listener, boolean opaque) {
    this.redis = redis;
    this.listener = listener;
    this.opaque = opaque;
  }

  /** Starts a proxy that forwards everything to this Redis. */
  public static RedisProxy to(URI redis) {
    if (!"redis".equals(redis.getScheme())) {
      throw new IllegalArgumentException("only redis://, not " + redis);
    }
    InetSocketAddress address =
        new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.free());
    return start(address, redis, false);
  }

  /**
   * Starts a proxy that forwards everything to this port of 127.0.0.1, also TLS. It cannot {@link
   * #discard}, and it does not {@link #delay}.
   *
   * @param host where the proxy listens, at the same port: another address of loopback
   */
  static RedisProxy opaque(String host, int port) {
    return start(new InetSocketAddress(host, port), URI.create("redis://127.0.0.1:" + port), true);
  }

  private static RedisProxy start(InetSocketAddress address, URI redis, boolean opaque) {
    try {
      ServerSocket listener = new ServerSocket();
      listener.setReuseAddress(true);
      listener.bind(address, 256);
      RedisProxy proxy = new RedisProxy(redis, listener, opaque);
      Thread.ofVirtual().name("redis-proxy").start(proxy::accept);
      return proxy;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The URI of the Redis with the proxy's address. */
  public URI uri() {
    try {
      return new URI(
          redis.getScheme(),
          redis.getUserInfo(),
          "127.0.0.1",
          listener.getLocalPort(),
          redis.getPath(),
          redis.getQuery(),
          redis.getFragment());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Number of messages that {@link #discard} has dropped so far. */
  public long swallowed() {
    return swallowed.get();
  }

  /** Delays everything that Redis sends from now on, as a long way does. */
  public void delay(Duration roundTrip) {
    delay = roundTrip;
  }

  Duration delay() {
    return delay;
  }

  /**
   * Forwards everything. Connections that were open in {@link #blackhole} are reset, because bytes
   * of theirs are missing.
   */
  public void pass() {
    change(Mode.PASS);
  }

  /** Resets every connection (RST), and each new one as soon as it is accepted. */
  public void cut() {
    change(Mode.CUT);
  }

  /**
   * Drops all bytes in both directions. Connections stay open and new ones are accepted. The end of
   * a connection is not forwarded either, so each side can still write but receives nothing. The
   * next change of the mode resets all connections.
   */
  public void blackhole() {
    change(Mode.BLACKHOLE);
  }

  /**
   * Forwards everything except the {@code message} and {@code smessage} pushes of Pub/Sub. A
   * subscription is confirmed and answers PING, but receives no messages. Messages of pattern and
   * sharded subscriptions pass. Connections stay open.
   */
  public void discard() {
    if (opaque) {
      throw new IllegalStateException("an opaque proxy cannot read messages");
    }
    change(Mode.DEAFEN);
  }

  boolean isOpaque() {
    return opaque;
  }

  Mode mode() {
    return mode;
  }

  void countSwallowed(long messages) {
    swallowed.addAndGet(messages);
  }

  private synchronized void change(Mode next) {
    boolean stale = mode == Mode.BLACKHOLE && next != Mode.BLACKHOLE;
    mode = next;
    if (stale || next == Mode.CUT) {
      Set.copyOf(connections).forEach(ProxiedConnection::reset);
    } else {
      connections.forEach(ProxiedConnection::awaitForwarded);
    }
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        admit(new ProxiedConnection(this, redis, listener.accept()));
      } catch (IOException e) {
        // The listener is closed, or the client was gone before it was accepted.
      }
    }
  }

  private synchronized void admit(ProxiedConnection connection) {
    if (mode == Mode.CUT || listener.isClosed()) {
      connection.reset();
      return;
    }
    connections.add(connection);
    Thread.ofVirtual().start(mode == Mode.BLACKHOLE ? connection::sink : connection::connect);
  }

  synchronized void forget(ProxiedConnection connection) {
    connections.remove(connection);
  }

  @Override
  public synchronized void close() {
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Set.copyOf(connections).forEach(ProxiedConnection::reset);
  }
}
