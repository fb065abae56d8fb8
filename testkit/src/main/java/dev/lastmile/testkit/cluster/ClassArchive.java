package dev.lastmile.testkit.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32;

/**
 * The classes of a replica and its libraries, loaded and linked (the JVM's ahead-of-time cache, JEP
 * 483 and 514), so that a start maps them instead of reading and checking them again: it takes 60 %
 * of the CPU then, and tests start hundreds of replicas. Made once for each build, by a replica
 * that ends before it serves. An agent would make it useless.
 *
 * <p>Classes have to come from jars for that, so there is one only where Maven has packaged them
 * ({@code testkit.jar}); elsewhere a replica starts from the folder of classes, as slowly as ever.
 */
final class ClassArchive {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private static final Set<Path> TRIED = new HashSet<>();

  private ClassArchive() {}

  /** The jar with the classes of this build; {@code null} if there is none. */
  static Path jar() {
    String jar = System.getProperty("testkit.jar");
    return jar == null || !Files.exists(Path.of(jar)) ? null : Path.of(jar);
  }

  /** What a JVM with the serial collector and without an agent is started with to use it. */
  static synchronized List<String> options(String java, String classPath) {
    Path jar = jar();
    if (jar == null) {
      return List.of();
    }
    Path archive = archive(jar, classPath);
    if (!Files.exists(archive) && TRIED.add(archive)) {
      make(java, classPath, archive);
    }
    return Files.exists(archive) ? List.of("-XX:AOTCache=" + archive) : List.of();
  }

  /** Named by the content of our jars, since a reproducible build gives every jar the same time. */
  private static Path archive(Path jar, String classPath) {
    try {
      CRC32 content = new CRC32();
      for (String entry : classPath.split(File.pathSeparator, -1)) {
        Path path = Path.of(entry);
        if (path.getFileName().toString().startsWith("lastmile")) {
          content.update(Files.readAllBytes(path));
          content.update(Files.getLastModifiedTime(path).toString().getBytes(UTF_8));
        }
      }
      return jar.resolveSibling("classes-" + Long.toHexString(content.getValue()) + ".aot");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void make(String java, String classPath, Path archive) {
    Path unfinished = archive.resolveSibling(archive.getFileName() + ".part");
    List<String> command = new ArrayList<>(List.of(java, "-XX:+UseSerialGC"));
    command.add("-XX:AOTCacheOutput=" + unfinished);
    command.add("-Dspring.context.exit=onRefresh");
    command.addAll(List.of("-cp", classPath, Cluster.REPLICA));
    command.addAll(List.of("--server.port=0", "--management.server.port=0"));
    try {
      Path log = archive.resolveSibling("classes.log");
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
      if (process.waitFor(PATIENCE) && process.exitValue() == 0) {
        Files.move(unfinished, archive, StandardCopyOption.ATOMIC_MOVE);
      } else {
        process.destroyForcibly();
        System.err.println("no archive of classes was made, replicas start slowly: see " + log);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
