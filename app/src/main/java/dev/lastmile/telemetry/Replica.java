package dev.lastmile.telemetry;

import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * The name of this replica in timelines, {@code ready} events and metrics.
 *
 * @param name unique among the replicas that share a Redis
 * @param process the name, {@code ~}, and a random number: unique among all processes
 */
public record Replica(String name, String process) {
  public Replica {
    if (!name.matches("[A-Za-z0-9._-]{1,64}")) {
      throw new IllegalArgumentException(
          "lastmile.replica must be 1 to 64 letters, digits, dots, underscores or hyphens: "
              + name);
    }
  }

  /** A replica with this name in a new process. */
  public static Replica named(String name) {
    return new Replica(name, name + "~" + HexFormat.of().toHexDigits(new SecureRandom().nextInt()));
  }

  @Override
  public String toString() {
    return name;
  }
}
