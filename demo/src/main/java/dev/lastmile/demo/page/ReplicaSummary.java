package dev.lastmile.demo.page;

import dev.lastmile.pubsub.FanOutSwitch;
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
 * The state of one replica, which it publishes for the others. {@code hearing} is the state of its
 * subscription to Redis.
 *
 * @param coordination the fan-out mode
 * @param faults its current faults, and the slow reader if it runs one
 * @param canaryAgeSeconds time since it last received its own canary through Redis
 * @param connections streams that it holds
 * @param hops counters of its process by hop and outcome; they are lost when the process ends
 * @param recovered updates that clients learned first by replay or poll
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
      FanOutSwitch fanOut,
      OwnFaults own,
      SlowStreamReader slowReader,
      MeterRegistry meters) {
    List<String> faults = new ArrayList<>(own.faults().stream().map(DemoFault::wireName).toList());
    if (slowReader.isBusy()) {
      faults.add(SlowStreamReader.WIRE_NAME);
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
        fanOut.mode().wireName(),
        List.copyOf(faults),
        hearing(meters),
        value(meters, Metric.CANARY_AGE),
        (long) value(meters, Metric.CONNECTIONS),
        hops,
        recovered);
  }

  private static String hearing(MeterRegistry meters) {
    for (Gauge state : Metric.SUBSCRIPTION_STATE.in(meters).gauges()) {
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
