package dev.lastmile.demo;

import dev.lastmile.coordination.CoordinationSwitch;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.telemetry.Replica;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What one replica says of itself.
 *
 * @param coordination {@code broadcast} or {@code local-only}
 * @param faults those that it has now, the slow reader that it plays among them
 * @param hearing what it thinks of its hearing
 * @param canaryAgeSeconds time since it last heard itself through Redis
 * @param connections streams that it holds
 * @param hops its process counters by hop and outcome: gone when the process is
 * @param recovered what clients learnt first by other means than live
 */
record ReplicaSummary(
    String replica,
    String coordination,
    List<String> faults,
    String hearing,
    double canaryAgeSeconds,
    long connections,
    Map<String, Map<String, Long>> hops,
    Map<String, Long> recovered) {

  static ReplicaSummary of(
      Replica replica,
      CoordinationSwitch coordination,
      OwnFaults own,
      SlowReader slowReader,
      MeterRegistry meters) {
    List<String> faults = new ArrayList<>(own.faults().stream().map(DemoFault::wireName).toList());
    if (slowReader.isBusy()) {
      faults.add(SlowReader.WIRE_NAME);
    }
    Map<String, Map<String, Long>> hops = new TreeMap<>();
    for (Hop hop : Hop.values()) {
      hops.put(hop.wireName(), new TreeMap<>());
    }
    for (Counter counter : Metric.HOPS.in(meters).counters()) {
      hops.computeIfAbsent(tag(counter, "hop"), _ -> new TreeMap<>())
          .put(tag(counter, "outcome"), (long) counter.count());
    }
    Map<String, Long> recovered = new TreeMap<>();
    for (Counter counter : Metric.RECOVERED.in(meters).counters()) {
      recovered.put(tag(counter, "by"), (long) counter.count());
    }
    return new ReplicaSummary(
        replica.name(),
        coordination.broadcasts() ? "broadcast" : "local-only",
        List.copyOf(faults),
        hearing(meters),
        value(meters, Metric.CANARY_AGE),
        (long) value(meters, Metric.CONNECTIONS),
        hops,
        recovered);
  }

  private static String hearing(MeterRegistry meters) {
    for (Gauge state : Metric.HEARING.in(meters).gauges()) {
      if (state.value() == 1) {
        return tag(state, "state");
      }
    }
    return "redis_away";
  }

  private static double value(MeterRegistry meters, Metric metric) {
    Gauge gauge = metric.in(meters).gauge();
    return gauge == null ? 0 : gauge.value();
  }

  private static String tag(Meter meter, String name) {
    String value = meter.getId().getTag(name);
    return value == null ? "" : value;
  }
}
