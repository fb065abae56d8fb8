package dev.lastmile.benchmark;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Options, stubs and results that all workloads share. Any thread.
 *
 * @param stubs systems that replicas call
 * @param results where figures go
 * @param started how many candidates have been started; numbers their folders
 */
record Bench(Options options, StubServices stubs, BenchmarkResults results, AtomicInteger started) {
  private static final Duration CONNECT = Duration.ofSeconds(90);

  Bench(Options options, StubServices stubs, BenchmarkResults results) {
    this(options, stubs, results, new AtomicInteger());
  }

  /** Where a candidate's logs go. */
  Path folder(String candidate) {
    return options
        .logs()
        .resolve(String.format(Locale.ROOT, "%03d-%s", started.incrementAndGet(), candidate));
  }

  Duration phase() {
    return Duration.ofSeconds(options.seconds());
  }

  /**
   * Time before the first phase. The JIT compilers work for about half a minute, and their CPU time
   * is not the cost of an update.
   */
  Duration warmUp() {
    return Duration.ofSeconds(options.warmUp());
  }

  /** Time limit for opening all streams. */
  Duration patience() {
    return CONNECT;
  }

  /** Prints a line of progress to stderr. */
  void say(String format, Object... values) {
    System.err.printf(Locale.ROOT, "    " + format + "%n", values);
  }

  /** Prints figures to stderr. */
  void say(Figures figures, String format, Object... values) {
    say("%s: %s", String.format(Locale.ROOT, format, values), figures);
  }

  boolean isOk(Request request) {
    try (Caller caller = new Caller()) {
      return caller.send(request).isGood();
    } catch (IOException e) {
      return false;
    }
  }

  /** The response body; empty if there is no response. */
  String text(Request request) {
    try (Caller caller = new Caller()) {
      return caller.send(request).body();
    } catch (IOException e) {
      return "";
    }
  }

  /** The output of a tool of this JDK. */
  String output(String tool, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", tool).toString());
    command.addAll(List.of(arguments));
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      return new String(process.getInputStream().readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
