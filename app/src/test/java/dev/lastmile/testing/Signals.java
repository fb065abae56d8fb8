package dev.lastmile.testing;

import java.io.IOException;
import java.io.UncheckedIOException;

/** Signals to processes that we started. */
final class Signals {
  private Signals() {}

  /**
   * @param name as {@code kill} knows it, for example {@code STOP}
   */
  static void send(long pid, String name) {
    try {
      int exit = new ProcessBuilder("kill", "-" + name, Long.toString(pid)).start().waitFor();
      if (exit != 0) {
        throw new IllegalStateException("kill -" + name + " " + pid + " failed");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
