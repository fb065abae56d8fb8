package dev.lastmile.benchmark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** This machine: hardware, installed programs, and load by other processes. */
final class Machine {
  private static final int LEAST_CORES = 2;
  private static final double MOST_BUSY = 0.10;
  private static final long BASE_BYTES = 3L << 30;

  /** For both ends of a stream, with a margin. */
  private static final long BYTES_PER_STREAM = 200_000;

  private static final int OTHER_FILES = 1_000;
  private static final String NOT_THERE = "not there";
  private static final Duration LOOK = Duration.ofSeconds(2);

  private Machine() {}

  /**
   * CPU time of the whole machine since its start, in ticks.
   *
   * @param busy time in use
   * @param steal time withheld by the host
   * @param total busy, steal and idle time
   */
  record Ticks(long busy, long steal, long total) {
    Ticks minus(Ticks earlier) {
      return new Ticks(busy - earlier.busy, steal - earlier.steal, total - earlier.total);
    }
  }

  static Ticks ticks() {
    String[] fields = text(Path.of("/proc/stat")).lines().findFirst().orElseThrow().split(" +");
    long[] ticks = new long[9];
    long total = 0;
    for (int i = 1; i < ticks.length; i++) {
      ticks[i] = Long.parseLong(fields[i]);
      total += ticks[i];
    }
    // user nice system idle iowait irq softirq steal
    return new Ticks(total - ticks[4] - ticks[5] - ticks[8], ticks[8], total);
  }

  /**
   * Programs that have to be installed and are not.
   *
   * @param withPeers whether the service's peers are measured too
   */
  static List<String> missing(boolean withPeers) {
    List<String> missing = new ArrayList<>();
    for (String program : withPeers ? List.of("nginx", "redis-server") : List.of("redis-server")) {
      if (output(program, "--version").equals(NOT_THERE)) {
        missing.add(program + " is missing");
      }
    }
    if (withPeers && !Files.exists(Path.of(NchanCandidate.MODULE))) {
      missing.add(NchanCandidate.MODULE + " is missing (libnginx-mod-nchan)");
    }
    return missing;
  }

  /** Reasons why figures of this machine would be unreliable; empty if there are none. */
  static List<String> objections(Options options) {
    List<String> objections = new ArrayList<>();
    int cores = Runtime.getRuntime().availableProcessors();
    if (cores < LEAST_CORES) {
      objections.add("it has %d cores, fewer than %d".formatted(cores, LEAST_CORES));
    }
    long needed = BASE_BYTES + options.streams() * BYTES_PER_STREAM;
    long available = available();
    if (available < needed) {
      objections.add(
          "%d MB of memory are free, %d are needed".formatted(available >> 20, needed >> 20));
    }
    long files = openFiles();
    if (files < options.streams() + OTHER_FILES) {
      objections.add("ulimit -n is %d".formatted(files));
    }
    Ticks before = ticks();
    Ticker.pause(LOOK);
    Ticks passed = ticks().minus(before);
    double busy = (double) (passed.busy() + passed.steal()) / passed.total();
    if (busy > MOST_BUSY) {
      objections.add("other processes use %.0f %% of it".formatted(busy * 100));
    }
    return objections;
  }

  private static long available() {
    for (String line : text(Path.of("/proc/meminfo")).split("\n")) {
      if (line.startsWith("MemAvailable:")) {
        return Long.parseLong(line.split(" +")[1]) << 10;
      }
    }
    throw new IllegalStateException("no MemAvailable in /proc/meminfo");
  }

  private static long openFiles() {
    for (String line : text(Path.of("/proc/self/limits")).split("\n")) {
      if (line.startsWith("Max open files")) {
        String soft = line.split("  +")[1];
        return soft.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(soft);
      }
    }
    throw new IllegalStateException("no open files in /proc/self/limits");
  }

  /** Hardware, kernel, commit, and versions of the measured programs. */
  static Map<String, String> description() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("cores", Integer.toString(Runtime.getRuntime().availableProcessors()));
    text(Path.of("/proc/cpuinfo"))
        .lines()
        .filter(line -> line.startsWith("model name"))
        .findFirst()
        .ifPresent(line -> all.put("cpu", line.substring(line.indexOf(':') + 2)));
    all.put("memory", (available() >> 20) + " MB free");
    all.put("kernel", text(Path.of("/proc/sys/kernel/osrelease")).strip());
    all.put("java", System.getProperty("java.vm.name") + " " + Runtime.version());
    all.put("commit", output("git", "describe", "--always", "--dirty", "--abbrev=12"));
    all.put("nginx", output("nginx", "-v"));
    all.put("nchan", output("dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-nchan"));
    all.put("redis", output("redis-server", "--version"));
    return all;
  }

  private static String output(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      return NOT_THERE;
    }
  }

  static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
