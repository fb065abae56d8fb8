package dev.lastmile.benchmark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * A process that the benchmark has started, with all of its children: measures their CPU time and
 * memory, and ends them. Its output goes to a file of its own. Any thread.
 */
final class Launched implements AutoCloseable {
  /** Linux reports CPU time in hundredths of a second, whatever the kernel's own unit. */
  private static final long MICROS_PER_TICK = 10_000;

  private static final Duration GRACE = Duration.ofSeconds(3);
  private static final Duration PATIENCE = Duration.ofMinutes(4);
  private static final Set<Launched> RUNNING = ConcurrentHashMap.newKeySet();

  static {
    // Every end of this process, except kill -9, ends them first.
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> RUNNING.forEach(Launched::kill), "end-children"));
  }

  private final String name;
  private final Process process;
  private final Path log;

  private Launched(String name, Process process, Path log) {
    this.name = name;
    this.process = process;
    this.log = log;
  }

  /** All that were started and not ended. */
  static Set<Launched> running() {
    return Set.copyOf(RUNNING);
  }

  /** Starts it; does not wait until it serves. */
  static Launched start(
      String name, List<String> command, Map<String, String> environment, Path folder) {
    try {
      Files.createDirectories(folder);
      Path log = folder.resolve(name + ".log");
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.redirectOutput(ProcessBuilder.Redirect.to(log.toFile()));
      // Variables of the user's own environment would change what is measured.
      builder
          .environment()
          .keySet()
          .removeIf(variable ->
              variable.matches("(LASTMILE|SPRING|SERVER|MANAGEMENT|OTEL|JAVA|JDK)_.*|REDIS_URL"));
      builder.environment().putAll(environment);
      Launched launched = new Launched(name, builder.start(), log);
      RUNNING.add(launched);
      return launched;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot start " + command.getFirst(), e);
    }
  }

  /** Waits until it serves; fails with the end of its log if it ends, or takes too long. */
  void await(BooleanSupplier serves) {
    if (!Ticker.await(PATIENCE, () -> !process.isAlive() || serves.getAsBoolean())
        || !process.isAlive()) {
      throw new IllegalStateException(name + " does not serve:\n" + logEnd());
    }
  }

  private String logEnd() {
    List<String> lines = Machine.text(log).lines().toList();
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
  }

  long pid() {
    return process.pid();
  }

  private Stream<ProcessHandle> tree() {
    return Stream.concat(Stream.of(process.toHandle()), process.descendants());
  }

  /** CPU time since its start, user and system, of all its processes that live. */
  long cpuMicros() {
    return tree().mapToLong(each -> ticks(each.pid())).sum() * MICROS_PER_TICK;
  }

  private static long ticks(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      // The second field is a name in brackets, with anything in it.
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
    } catch (IOException e) {
      return 0;
    }
  }

  /** Memory in use, pages shared by its processes counted once (the sum of PSS). */
  long residentBytes() {
    return tree().mapToLong(each -> proportionalKilobytes(each.pid())).sum() << 10;
  }

  private static long proportionalKilobytes(long pid) {
    try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid + "/smaps_rollup"))) {
      return lines
          .filter(line -> line.startsWith("Pss:"))
          .mapToLong(line -> Long.parseLong(line.split(" +")[1]))
          .sum();
    } catch (IOException e) {
      return 0;
    }
  }

  /**
   * Sends a signal.
   *
   * @param signal as {@code kill} knows it, for example {@code STOP}
   */
  void signal(String signal) {
    try {
      new ProcessBuilder("kill", "-" + signal, Long.toString(pid())).start().waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends all of its processes at once, as a crash does. */
  void kill() {
    List<ProcessHandle> all = tree().toList();
    all.forEach(ProcessHandle::destroyForcibly);
    try {
      process.waitFor(GRACE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    RUNNING.remove(this);
  }

  /** Kills it: no data has to be kept. */
  @Override
  public void close() {
    kill();
  }
}
