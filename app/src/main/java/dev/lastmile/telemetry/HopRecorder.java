package dev.lastmile.telemetry;

import dev.lastmile.updates.CorrelationId;
import dev.lastmile.updates.OperationId;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * Records that an update passed a hop: one counter and one log event per call.
 *
 * <p>Any thread. All counters exist with 0 from the start, so that the first increment is seen as
 * one. Ids go into the log event, never into a label.
 */
public final class HopRecorder {
  private static final Logger LOG = LoggerFactory.getLogger("dev.lastmile.hops");

  private final Map<Hop, Map<String, Counter>> counters = new EnumMap<>(Hop.class);
  private final String replica;

  /** Registers {@code delivery_hops_total} for every hop and outcome. */
  public HopRecorder(MeterRegistry meters, Replica replica) {
    this.replica = replica.name();
    for (Hop hop : Hop.values()) {
      Map<String, Counter> byOutcome = new HashMap<>();
      for (String outcome : hop.outcomes()) {
        byOutcome.put(
            outcome,
            Counter.builder("delivery.hops")
                .description("Updates that passed a hop, by how it ended")
                .tag("hop", hop.wireName())
                .tag("outcome", outcome)
                .register(meters));
      }
      counters.put(hop, Map.copyOf(byOutcome));
    }
  }

  /**
   * Records one passage.
   *
   * @param outcome one of {@link Hop#outcomes()}
   * @param operation what it is about, if known
   * @param correlation the click that it belongs to, if known
   * @throws IllegalArgumentException if the hop has no such outcome (a bug)
   */
  public void record(
      Hop hop,
      String outcome,
      @Nullable OperationId operation,
      @Nullable CorrelationId correlation) {
    record(hop, outcome, 1, operation, correlation);
  }

  /**
   * Like {@link #record(Hop, String, OperationId, CorrelationId)}, for several versions at once.
   */
  public void record(
      Hop hop,
      String outcome,
      long count,
      @Nullable OperationId operation,
      @Nullable CorrelationId correlation) {
    Map<String, Counter> byOutcome = counters.get(hop);
    Counter counter = byOutcome == null ? null : byOutcome.get(outcome);
    if (counter == null) {
      throw new IllegalArgumentException(hop + " has no outcome " + outcome);
    }
    counter.increment((double) count);
    LoggingEventBuilder event = LOG.atDebug();
    event = event.addKeyValue("hop", hop.wireName()).addKeyValue("outcome", outcome);
    event = event.addKeyValue("replica", replica);
    if (operation != null) {
      event = event.addKeyValue("operation_id", operation.value());
    }
    if (correlation != null) {
      event = event.addKeyValue("correlation_id", correlation.value());
    }
    event.log("hop");
  }
}
