package dev.lastmile.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.security.SecureRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** Ports on loopback. */
public final class Ports {
  private static final int LOWEST = 12_000;
  private static final int HIGHEST = 32_000;
  private static final AtomicInteger NEXT =
      new AtomicInteger(new SecureRandom().nextInt(HIGHEST - LOWEST));

  private Ports() {}

  /**
   * One that nobody listens on, and that is not given away again. Below the range from which the
   * system takes ports of outgoing connections, so that none of those takes it meanwhile.
   */
  public static int free() {
    while (true) {
      int port = LOWEST + Math.floorMod(NEXT.getAndIncrement(), HIGHEST - LOWEST);
      if (!isTaken(port)) {
        return port;
      }
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
