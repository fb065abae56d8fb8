package dev.lastmile.testkit.redis;

import dev.lastmile.testkit.redis.RedisProxy.Mode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One client connection of {@link RedisProxy}, and its connection to Redis.
 *
 * <p>Each direction has a thread and a lock. The thread holds the lock from reading the mode until
 * its write has ended. After a change of the mode, acquiring both locks therefore proves that no
 * write of the old mode is in progress.
 */
final class ProxiedConnection {
  private static final int CHUNK_BYTES = 16_384;
  private static final int CONNECT_MILLIS = 5_000;

  private final RedisProxy proxy;
  private final URI redis;
  private final Socket client;
  private final Socket server = new Socket();
  private final ReentrantLock forwardingUp = new ReentrantLock();
  private final ReentrantLock forwardingDown = new ReentrantLock();

  ProxiedConnection(RedisProxy proxy, URI redis, Socket client) {
    this.proxy = proxy;
    this.redis = redis;
    this.client = client;
  }

  void connect() {
    try {
      int port = redis.getPort() < 0 ? 6379 : redis.getPort();
      server.connect(new InetSocketAddress(redis.getHost(), port), CONNECT_MILLIS);
      server.setTcpNoDelay(true);
      client.setTcpNoDelay(true);
    } catch (IOException e) {
      reset();
      return;
    }
    Thread.ofVirtual().start(this::up);
    down();
  }

  /** Reads and discards all bytes of the client in mode {@code BLACKHOLE}. */
  void sink() {
    try (InputStream in = client.getInputStream()) {
      in.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      // The connection has ended. This mode does not pass that on.
    }
  }

  private void up() {
    copy(client, server, forwardingUp);
  }

  private void down() {
    if (proxy.isOpaque()) {
      copy(server, client, forwardingDown);
    } else {
      forwardFrames();
    }
  }

  private void copy(Socket from, Socket to, ReentrantLock forwarding) {
    byte[] chunk = new byte[CHUNK_BYTES];
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int length = in.read(chunk); length >= 0; length = in.read(chunk)) {
        forwarding.lock();
        try {
          write(out, chunk, 0, length);
        } finally {
          forwarding.unlock();
        }
      }
    } catch (IOException e) {
      // The connection has ended.
    }
    ended();
  }

  private void forwardFrames() {
    RespFrames frames = new RespFrames();
    try {
      InputStream in = server.getInputStream();
      OutputStream out = client.getOutputStream();
      while (frames.readFrom(in)) {
        Thread.sleep(proxy.delay());
        forwardingDown.lock();
        try {
          forward(frames, out);
        } finally {
          forwardingDown.unlock();
        }
      }
    } catch (IOException | NumberFormatException e) {
      // The connection has ended, or the bytes are not RESP.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    ended();
  }

  /** Forwards all complete frames in one write. */
  private void forward(RespFrames frames, OutputStream out) throws IOException {
    long before = frames.dropped();
    byte[] complete = frames.take(proxy.mode() == Mode.DEAFEN);
    proxy.countSwallowed(frames.dropped() - before);
    write(out, complete, 0, complete.length);
  }

  private void write(OutputStream out, byte[] bytes, int from, int length) throws IOException {
    if (proxy.mode() != Mode.BLACKHOLE && length > 0) {
      out.write(bytes, from, length);
    }
  }

  /** Closes both sides in order after one of them has ended; written bytes are still sent. */
  private void ended() {
    if (proxy.mode() != Mode.BLACKHOLE) {
      close(client, false);
      close(server, false);
      proxy.forget(this);
    }
  }

  /** Waits until the writes of an earlier mode have ended, at most 1 s for each direction. */
  void awaitForwarded() {
    for (ReentrantLock lock : List.of(forwardingUp, forwardingDown)) {
      try {
        if (lock.tryLock(1, TimeUnit.SECONDS)) {
          lock.unlock();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Resets both sides (RST). Bytes that were not read yet are lost. */
  void reset() {
    close(client, true);
    close(server, true);
    proxy.forget(this);
  }

  private static void close(Socket socket, boolean abruptly) {
    try {
      if (abruptly) {
        socket.setSoLinger(true, 0);
      }
      socket.close();
    } catch (IOException e) {
      // The socket is closed already.
    }
  }
}
