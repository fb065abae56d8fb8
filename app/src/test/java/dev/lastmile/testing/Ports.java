package dev.lastmile.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** Ports on loopback. */
final class Ports {
  private Ports() {}

  /** One that nobody listens on. */
  static int free() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether somebody listens there, on loopback or on all addresses. */
  static boolean isTaken(int port) {
    try (ServerSocket any = new ServerSocket()) {
      any.setReuseAddress(true);
      any.bind(new java.net.InetSocketAddress(port));
    } catch (IOException e) {
      return true;
    }
    try (ServerSocket loopback = new ServerSocket()) {
      loopback.setReuseAddress(true);
      loopback.bind(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return false;
    } catch (IOException e) {
      return true;
    }
  }
}
