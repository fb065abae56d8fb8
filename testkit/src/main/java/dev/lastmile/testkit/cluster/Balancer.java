package dev.lastmile.testkit.cluster;

import dev.lastmile.testkit.process.Ports;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A TCP load balancer in front of all replicas, on one address. Each new connection goes to the
 * next replica that accepts it (round robin). It can drop all bytes, to simulate a broken network
 * path.
 */
public final class Balancer implements AutoCloseable {
  private static final int CONNECT_MILLIS = 2_000;

  private final List<URI> replicas;
  private final ServerSocket listener;
  private final AtomicInteger turn = new AtomicInteger();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile boolean swallows;

  private Balancer(List<URI> replicas, ServerSocket listener) {
    this.replicas = List.copyOf(replicas);
    this.listener = listener;
  }

  /** Starts a balancer on loopback. */
  public static Balancer of(List<LastmileProcess> replicas) {
    try {
      ServerSocket listener = new ServerSocket();
      listener.setReuseAddress(true);
      listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.free()), 256);
      Balancer balancer =
          new Balancer(replicas.stream().map(LastmileProcess::uri).toList(), listener);
      Thread.ofVirtual().name("balancer").start(balancer::accept);
      return balancer;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public URI uri() {
    return URI.create("http://127.0.0.1:" + listener.getLocalPort());
  }

  /**
   * Starts or stops dropping all bytes.
   *
   * @param everything true: bytes are dropped and connections stay open; false: bytes pass, and all
   *     connections are closed
   */
  public void swallow(boolean everything) {
    swallows = everything;
    if (!everything) {
      // Bytes of these connections are missing. A peer that waits for them would wait for ever.
      sockets.forEach(Balancer::close);
    }
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        Thread.ofVirtual().start(() -> serve(client));
      } catch (IOException e) {
        // The listener is closed.
        return;
      }
    }
  }

  private void serve(Socket client) {
    for (int tries = 0; tries < replicas.size(); tries++) {
      URI replica = replicas.get(Math.floorMod(turn.getAndIncrement(), replicas.size()));
      Socket server = new Socket();
      try {
        server.connect(new InetSocketAddress(replica.getHost(), replica.getPort()), CONNECT_MILLIS);
        client.setTcpNoDelay(true);
        server.setTcpNoDelay(true);
      } catch (IOException e) {
        close(server);
        continue;
      }
      sockets.add(client);
      sockets.add(server);
      Thread.ofVirtual().start(() -> copy(client, server));
      copy(server, client);
      return;
    }
    close(client);
  }

  private void copy(Socket from, Socket to) {
    byte[] bytes = new byte[16_384];
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int length = in.read(bytes); length >= 0; length = in.read(bytes)) {
        if (!swallows) {
          out.write(bytes, 0, length);
        }
      }
    } catch (IOException e) {
      // One side has closed the connection.
    }
    for (Socket socket : List.of(from, to)) {
      sockets.remove(socket);
      close(socket);
    }
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    sockets.forEach(Balancer::close);
  }
}
