package dev.lastmile.telemetry;

/**
 * The name of this replica in timelines, {@code ready} events and metrics.
 *
 * @param name unique among the replicas that share a Redis
 */
public record Replica(String name) {
  public Replica {
    if (!name.matches("[A-Za-z0-9._-]{1,64}")) {
      throw new IllegalArgumentException(
          "lastmile.replica must be 1 to 64 letters, digits, dots, underscores or hyphens: "
              + name);
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
