package dev.lastmile.benchmark;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * CPU time used so far: by the parts of a candidate, by this process, by the machine.
 *
 * @param micros of each part
 * @param clientMicros of this process
 */
record Usage(Map<String, Long> micros, long clientMicros, Machine.Ticks machine) {
  static final double MICROS_PER_TICK = 10_000;

  /** The name of the part that is Redis; the primaries of a cluster have a number after it. */
  static final String REDIS = "Redis";

  static Usage of(Candidate candidate) {
    Map<String, Long> micros = new LinkedHashMap<>();
    candidate.parts().forEach((part, launched) -> micros.put(part, launched.cpuMicros()));
    return new Usage(micros, ownMicros(), Machine.ticks());
  }

  /** CPU time of this process. */
  static long ownMicros() {
    return ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class)
            .getProcessCpuTime()
        / 1_000;
  }

  /** Measures for so long from now on. */
  static Usage during(Candidate candidate, Duration time) {
    Usage before = of(candidate);
    Ticker.pause(time);
    return of(candidate).minus(before);
  }

  Usage minus(Usage earlier) {
    Map<String, Long> passed = new LinkedHashMap<>();
    micros.forEach((part, used) -> passed.put(part, used - earlier.micros.getOrDefault(part, 0L)));
    return new Usage(passed, clientMicros - earlier.clientMicros, machine.minus(earlier.machine));
  }

  long of(String part) {
    return micros.getOrDefault(part, 0L);
  }

  /** Of Redis, or of all primaries of the cluster. */
  long redis() {
    return micros.entrySet().stream()
        .filter(part -> part.getKey().startsWith(REDIS))
        .mapToLong(Map.Entry::getValue)
        .sum();
  }

  /** Of all parts but one. */
  long allBut(String part) {
    return all() - of(part);
  }

  /** Of all parts. */
  long all() {
    return micros.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Share of the machine that other processes used. */
  double others() {
    double own = (all() + clientMicros) / MICROS_PER_TICK;
    return Math.max(0, machine.busy() - own) / machine.total();
  }

  /** Share of the machine that its host withheld. */
  double steal() {
    return (double) machine.steal() / machine.total();
  }
}
