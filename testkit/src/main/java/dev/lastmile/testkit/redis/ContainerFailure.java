package dev.lastmile.testkit.redis;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;

/**
 * Why the Docker engine cannot provide Redis, kept in a file for 30 minutes. The other JVMs of a
 * build then choose the next source without a start of Testcontainers, which costs seconds.
 */
final class ContainerFailure {
  private static final Duration VALIDITY = Duration.ofMinutes(30);

  private final Path file;
  private final Clock clock;

  ContainerFailure(Path file, Clock clock) {
    this.file = file;
    this.clock = clock;
  }

  Optional<String> remembered() {
    try {
      boolean holds =
          Files.exists(file)
              && Files.getLastModifiedTime(file)
                  .toInstant()
                  .isAfter(clock.instant().minus(VALIDITY));
      return holds ? Optional.of(Files.readString(file)) : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Only in a build: outside of one there is no folder for it. */
  void remember(String why) {
    if (!Files.isDirectory(file.toAbsolutePath().getParent())) {
      return;
    }
    try {
      Files.writeString(file, why);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
