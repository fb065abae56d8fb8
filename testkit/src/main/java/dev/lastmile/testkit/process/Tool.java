package dev.lastmile.testkit.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * A program of the observability stack that tests run for real: {@code promtool}, {@code
 * prometheus}, {@code alertmanager}, {@code amtool}, {@code otelcol-contrib}, {@code loki}.
 *
 * <p>Looked for in the folder {@code target/bin} of the project and on the PATH. A test that needs
 * one is skipped without it, and says so, unless {@code REQUIRE_TOOLS=yes}.
 */
public final class Tool {
  private Tool() {}

  /** Where it is; skips the test that asks if it is nowhere. */
  public static Path of(String name) {
    return of(name, Path.of("..", "target", "bin"));
  }

  /**
   * As above.
   *
   * @param folder where it is looked for first
   */
  public static Path of(String name, Path folder) {
    Optional<Path> found = find(name, folder);
    require(name, folder, found);
    if (found.isEmpty()) {
      System.out.println("SKIPPED: needs " + name + " in " + folder + " or on the PATH");
    }
    assumeTrue(found.isPresent(), "needs " + name + " in " + folder);
    return found.orElseThrow();
  }

  /**
   * Where it is; empty, and says so, if it is nowhere and {@code REQUIRE_TOOLS} does not want it.
   */
  public static Optional<Path> ifPresent(String name) {
    Path folder = Path.of("..", "target", "bin");
    Optional<Path> found = find(name, folder);
    require(name, folder, found);
    System.out.println(name + ": " + found.map(Path::toString).orElse("not here"));
    return found;
  }

  private static void require(String name, Path folder, Optional<Path> found) {
    if (found.isEmpty() && "yes".equals(System.getenv("REQUIRE_TOOLS"))) {
      throw new IllegalStateException(name + " is neither in " + folder + " nor on the PATH");
    }
  }

  /** What it says, once it has ended well; skips the test if it is nowhere. */
  public static String run(String name, List<String> arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(of(name).toString()));
    command.addAll(arguments);
    return run(command);
  }

  /** What a command says, once it has ended well. */
  public static String run(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(command + "\n" + output).isZero();
    return output;
  }

  /** A folder in which a program that is started now keeps what is its own. */
  public static Path ownFolder(String name) throws IOException {
    return Files.createDirectories(Path.of("target", name, UUID.randomUUID().toString()))
        .toAbsolutePath();
  }

  /** Starts a program that goes on, and writes all that it says into a file. */
  public static Process start(Path log, Path program, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(log.toFile())
        .start();
  }

  /** Asks a process to end, and ends it at once if it has not after so long. */
  public static void end(Process process, Duration grace) {
    process.destroy();
    try {
      if (!process.waitFor(grace)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  /** A folder that CI prepares; skips the test that asks if it is not there. */
  public static Path folder(Path folder) {
    boolean found = Files.isDirectory(folder);
    if (!found && "yes".equals(System.getenv("REQUIRE_TOOLS"))) {
      throw new IllegalStateException(folder + " is not there");
    }
    if (!found) {
      System.out.println("SKIPPED: needs " + folder);
    }
    assumeTrue(found, "needs " + folder);
    return folder;
  }

  private static Optional<Path> find(String name, Path first) {
    List<Path> folders = new ArrayList<>(List.of(first));
    for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
      folders.add(Path.of(folder));
    }
    return folders.stream()
        .map(folder -> folder.resolve(name).toAbsolutePath())
        .filter(Files::isExecutable)
        .findFirst();
  }
}
