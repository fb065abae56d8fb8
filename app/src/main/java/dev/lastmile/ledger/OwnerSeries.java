package dev.lastmile.ledger;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.updates.DeliveryOutcome;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The series of the account for each owner. Not thread-safe. */
final class OwnerSeries {
  private static final List<String> SETTLED =
      DeliveryOutcome.wireNames(outcome -> !outcome.isExpired());

  private static final List<String> EXPIRED = DeliveryOutcome.wireNames(DeliveryOutcome::isExpired);

  /** Time after the last reading that contains an owner, until its series end. */
  private static final long KEPT_NANOS = 60_000_000_000L;

  /** The meters of an owner, and the time of the last reading that contains it. */
  private record Series(List<Meter> meters, long readAtNanos) {}

  private final LedgerTotals totals;
  private final Replica replica;
  private final Ticker ticker;
  private final MeterRegistry meters;
  private final Map<String, Series> owners = new HashMap<>();

  /**
   * The series of this replica exist from the start; those of others after the first reading that
   * contains them.
   */
  OwnerSeries(LedgerTotals totals, Replica replica, Ticker ticker, MeterRegistry meters) {
    this.totals = totals;
    this.replica = replica;
    this.ticker = ticker;
    this.meters = meters;
    owners.put(replica.name(), register(replica.name()));
  }

  /**
   * Registers the series of new owners and removes those of former owners. The series of an owner
   * without totals read 0 for 60 s, as in a new epoch, before they are removed.
   */
  void export(TotalsReading reading, long atNanos) {
    for (String owner : reading.owners()) {
      Series known = owners.get(owner);
      Series series = known == null ? register(owner) : known;
      owners.put(owner, new Series(series.meters(), atNanos));
    }
    owners
        .entrySet()
        .removeIf(entry -> {
          Series series = entry.getValue();
          boolean over = atNanos - series.readAtNanos() > KEPT_NANOS;
          boolean ends = over && !entry.getKey().equals(replica.name());
          if (ends) {
            series.meters().forEach(meters::remove);
          }
          return ends;
        });
  }

  private Series register(String owner) {
    List<Meter> series = new ArrayList<>();
    series.add(counter(Metric.EXPECTED, owner, "expected", owner));
    for (String outcome : SETTLED) {
      series.add(counter(Metric.SETTLED, owner, outcome, outcome, owner));
    }
    for (String reason : EXPIRED) {
      series.add(counter(Metric.EXPIRED, owner, reason, owner, reason));
    }
    series.add(counter(Metric.REDELIVERED, owner, "redelivered", owner));
    return new Series(series, ticker.read());
  }

  private Meter counter(Metric metric, String owner, String counter, String... labels) {
    return metric.counter(
        meters, totals, its -> its.exported(reading -> reading.total(owner, counter)), labels);
  }
}
