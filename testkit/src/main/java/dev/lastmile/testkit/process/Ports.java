package dev.lastmile.testkit.process;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.security.SecureRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** TCP ports for the processes of a test. */
public final class Ports {
  private static final int LOWEST = 12_000;
  private static final int HIGHEST = 32_000;
  private static final AtomicInteger NEXT =
      new AtomicInteger(new SecureRandom().nextInt(HIGHEST - LOWEST));

  private Ports() {}

  /**
   * Returns a port that is not in use. A port is returned again only after the whole range was. The
   * range lies below the ephemeral ports, so that no outgoing connection uses the port meanwhile.
   */
  public static int free() {
    while (true) {
      int port = LOWEST + Math.floorMod(NEXT.getAndIncrement(), HIGHEST - LOWEST);
      if (!isTaken(port)) {
        return port;
      }
    }
  }

  /** Whether the port is in use, on loopback or on all addresses. */
  public static boolean isTaken(int port) {
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
