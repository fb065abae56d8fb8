package dev.lastmile.benchmark;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Samples every few seconds the share of the machine that other processes use and the share that
 * its host withholds, and keeps the maximum of each group. Own thread; any thread may read.
 */
final class DisturbanceMonitor {
  private static final Duration PAUSE = Duration.ofSeconds(3);
  private static final double PERCENT = 100;

  /**
   * The maximum of each share, in percent of the machine.
   *
   * @param others used by processes that this one has not started
   * @param steal withheld by the host
   */
  record Worst(double others, double steal) {
    Worst or(Worst other) {
      return new Worst(Math.max(others, other.others), Math.max(steal, other.steal));
    }
  }

  private record Sample(Set<Launched> running, long ownMicros, Machine.Ticks machine) {
    static Sample now() {
      Set<Launched> running = Launched.running();
      long children = running.stream().mapToLong(Launched::cpuMicros).sum();
      return new Sample(running, Usage.ownMicros() + children, Machine.ticks());
    }
  }

  private final Map<String, Worst> worst = new LinkedHashMap<>();
  private volatile String group = "";

  /** Starts sampling; ends with this process. */
  void start() {
    Thread.ofPlatform().name("disturbance").daemon().start(this::watch);
  }

  /** Samples from now on belong to this group. */
  void begin(String name) {
    group = name;
  }

  private void watch() {
    Sample before = Sample.now();
    while (true) {
      String looked = group;
      Ticker.pause(PAUSE);
      Sample now = Sample.now();
      // A process that started or ended between the samples would distort the difference.
      if (now.running().equals(before.running()) && looked.equals(group) && !looked.isEmpty()) {
        add(looked, of(before, now));
      }
      before = now;
    }
  }

  private static Worst of(Sample before, Sample now) {
    Machine.Ticks passed = now.machine().minus(before.machine());
    double own = (now.ownMicros() - before.ownMicros()) / Usage.MICROS_PER_TICK;
    double others = Math.max(0, passed.busy() - own) / passed.total();
    return new Worst(others * PERCENT, (double) passed.steal() / passed.total() * PERCENT);
  }

  private synchronized void add(String name, Worst seen) {
    worst.merge(name, seen, Worst::or);
  }

  /** By group; a group without a value was too short for a sample. */
  synchronized Map<String, Worst> worst() {
    return new LinkedHashMap<>(worst);
  }
}
