package dev.lastmile.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The network between one replica and its Redis, for tests to break: a TCP proxy on loopback that
 * passes everything until it is told otherwise.
 *
 * <p>The modes can be switched at any time, by any thread. When a switch returns, the new mode
 * holds for every byte that has not been written yet; only a write that a peer does not take is not
 * waited for longer than a second. No TLS.
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

  /** Guarded by this. */
  private final Set<ProxiedConnection> connections = new HashSet<>();

  private final AtomicLong swallowed = new AtomicLong();

  /** Written under the lock of this. */
  private volatile Mode mode = Mode.PASS;

  private RedisProxy(URI redis, ServerSocket listener) {
    this.redis = redis;
    this.listener = listener;
  }

  /** Opens one that passes everything to this Redis. */
  public static RedisProxy to(URI redis) {
    if (!"redis".equals(redis.getScheme())) {
      throw new IllegalArgumentException("only redis://, not " + redis);
    }
    try {
      ServerSocket listener = new ServerSocket();
      listener.setReuseAddress(true);
      listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.free()), 256);
      RedisProxy proxy = new RedisProxy(redis, listener);
      Thread.ofVirtual().name("redis-proxy").start(proxy::accept);
      return proxy;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The Redis, with the proxy's address in place of its own. */
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

  /** How many messages {@link #deafen} has kept from clients so far. */
  public long swallowed() {
    return swallowed.get();
  }

  /**
   * Everything is forwarded, from now on. Connections that lived in a black hole are closed: bytes
   * of theirs are missing, and a network that has healed resets what it forgot.
   */
  public void pass() {
    change(Mode.PASS);
  }

  /** Every connection is reset (RST), and so is each new one as soon as it is accepted. */
  public void cut() {
    change(Mode.CUT);
  }

  /**
   * Connections stay open and new ones are accepted, but nothing gets through in either direction,
   * not even the end of a connection: each side may go on writing, and hears nothing. What is
   * written is lost. Any other mode closes all connections of this time, as {@link #pass} says.
   */
  public void blackhole() {
    change(Mode.BLACKHOLE);
  }

  /**
   * Everything is forwarded except the {@code message} pushes of Pub/Sub, of RESP2 and RESP3: a
   * subscription is confirmed and answers PING, and hears nothing. Those of patterns and shards
   * pass. Connections live on.
   */
  public void deafen() {
    change(Mode.DEAFEN);
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
        // Closed, or gone before it was accepted.
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
