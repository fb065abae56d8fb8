package dev.lastmile.testkit.process;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Carries bytes between clients and a replica, until the connections are cut. */
public final class Relay implements AutoCloseable {
  private final ServerSocket server;
  private final URI target;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

  private Relay(ServerSocket server, URI target) {
    this.server = server;
    this.target = target;
  }

  /** Listens on a port of its own. */
  public static Relay to(URI target) {
    try {
      Relay relay = new Relay(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), target);
      Thread.ofVirtual().start(relay::accept);
      return relay;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Where clients connect. */
  public URI uri() {
    return URI.create("http://127.0.0.1:" + server.getLocalPort());
  }

  private void accept() {
    try {
      while (true) {
        Socket client = server.accept();
        Socket replica = new Socket(target.getHost(), target.getPort());
        sockets.add(client);
        sockets.add(replica);
        Thread.ofVirtual().start(() -> carry(client, replica));
        Thread.ofVirtual().start(() -> carry(replica, client));
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  private void carry(Socket from, Socket to) {
    try (from;
        to) {
      from.getInputStream().transferTo(to.getOutputStream());
    } catch (IOException e) {
      // Cut, or closed by a side.
    }
    sockets.remove(from);
    sockets.remove(to);
  }

  /** Breaks all connections; new ones can be made. */
  public void cut() {
    sockets.forEach(Relay::close);
    sockets.clear();
  }

  private static void close(Closeable socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    close(server);
    cut();
  }
}
