package dev.lastmile.benchmark;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Looks every few seconds how much of the machine others have, and how much of it its host keeps,
 * and remembers the worst of each group. One thread of its own; any thread may ask.
 */
final class Disturbance {
  private static final Duration PAUSE = Duration.ofSeconds(3);
  private static final double PERCENT = 100;

  /**
   * The worst that was seen, in percent of the machine.
   *
   * @param others what neither this process nor one that it has started was at
   * @param steal what the host gave to others
   */
  record Worst(double others, double steal) {
    Worst or(Worst other) {
      return new Worst(Math.max(others, other.others), Math.max(steal, other.steal));
    }
  }

  private record Look(Set<Launched> running, long ownMicros, Machine.Ticks machine) {
    static Look now() {
      Set<Launched> running = Launched.running();
      long children = running.stream().mapToLong(Launched::cpuMicros).sum();
      return new Look(running, Usage.ownMicros() + children, Machine.ticks());
    }
  }

  private final Map<String, Worst> worst = new LinkedHashMap<>();
  private volatile String group = "";

  /** Begins to look; ends with this process. */
  void start() {
    Thread.ofPlatform().name("disturbance").daemon().start(this::watch);
  }

  /** What is seen from now on belongs to this group. */
  void begin(String name) {
    group = name;
  }

  private void watch() {
    Look before = Look.now();
    while (true) {
      String looked = group;
      Ticker.pause(PAUSE);
      Look now = Look.now();
      // A process that has come or gone meanwhile takes its time along.
      if (now.running().equals(before.running()) && looked.equals(group) && !looked.isEmpty()) {
        add(looked, of(before, now));
      }
      before = now;
    }
  }

  private static Worst of(Look before, Look now) {
    Machine.Ticks passed = now.machine().minus(before.machine());
    double own = (now.ownMicros() - before.ownMicros()) / Usage.MICROS_PER_TICK;
    double others = Math.max(0, passed.busy() - own) / passed.total();
    return new Worst(others * PERCENT, (double) passed.steal() / passed.total() * PERCENT);
  }

  private synchronized void add(String name, Worst seen) {
    worst.merge(name, seen, Worst::or);
  }

  /** By group; a group that is missing was too short to look at. */
  synchronized Map<String, Worst> worst() {
    return new LinkedHashMap<>(worst);
  }
}
