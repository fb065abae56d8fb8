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
 * What all workloads work with.
 *
 * @param outside what replicas want of others
 * @param report where figures go
 * @param started how many candidates were, for the names of their folders
 */
record Bench(Options options, Outside outside, Report report, AtomicInteger started) {
  private static final Duration CONNECT = Duration.ofSeconds(90);

  Bench(Options options, Outside outside, Report report) {
    this(options, outside, report, new AtomicInteger());
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
   * Before the first phase. The compilers of a JVM take half a minute until they have nothing left
   * to do, and what they cost is not the price of an update.
   */
  Duration warmUp() {
    return Duration.ofSeconds(options.warmUp());
  }

  /** Longest that opening all streams may take. */
  Duration patience() {
    return CONNECT;
  }

  /** A line for whoever watches. */
  void say(String format, Object... values) {
    System.err.printf(Locale.ROOT, "    " + format + "%n", values);
  }

  /** Figures for whoever watches. */
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

  /** The body of the answer; empty if there is none. */
  String text(Request request) {
    try (Caller caller = new Caller()) {
      return caller.send(request).body();
    } catch (IOException e) {
      return "";
    }
  }

  /** What a tool of this JDK says. */
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
