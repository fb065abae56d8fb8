package dev.lastmile.testkit.process;

import java.io.IOException;
import java.io.UncheckedIOException;

/** Signals to processes that we started. */
public final class Signals {
  private Signals() {}

  /**
   * Sends a signal to a process of this machine.
   *
   * @param name as {@code kill} knows it, for example {@code STOP}
   */
  public static void send(long pid, String name) {
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
