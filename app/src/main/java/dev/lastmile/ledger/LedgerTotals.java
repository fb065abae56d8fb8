package dev.lastmile.ledger;

import com.github.benmanes.caffeine.cache.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.redis.HeldPartitions;
import dev.lastmile.redis.Keys;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.redis.Script;
import dev.lastmile.redis.ScriptArguments;
import dev.lastmile.redis.ScriptReply;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.updates.DeliveryOutcome;
import dev.lastmile.updates.Partition;
import io.lettuce.core.SetArgs;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * The totals of the ledger, which every replica exports. They are counted per owner, in Redis, by
 * the scripts that change the ledger.
 *
 * <p>One replica reads them for all. At any instant expected = delivered + late + client_gone +
 * slow_consumer + expired + outstanding, in Redis and in one scrape. Each partition is read
 * atomically, and all meters of one scrape use the same reading. In a new term the totals begin
 * anew, with the outstanding deliveries as expected ones.
 */
@Component
public final class LedgerTotals {
  private static final Logger LOG = LoggerFactory.getLogger(LedgerTotals.class);
  private static final List<String> SETTLED =
      DeliveryOutcome.wireNames(outcome -> !outcome.isExpired());

  private static final List<String> EXPIRED = DeliveryOutcome.wireNames(DeliveryOutcome::isExpired);

  /** Age of a reading up to which it is exported. */
  private static final long EXPORTED_NANOS = 5_000_000_000L;

  /** Time after the last reading that contains an owner, until its series end. */
  private static final long SERIES_KEPT_NANOS = 60_000_000_000L;

  /** Time after which a reading for other replicas ends, if no other one replaces it. */
  private static final SetArgs SHARED = SetArgs.Builder.px(EXPORTED_NANOS / 1_000_000);

  /**
   * A reading of this process.
   *
   * @param atNanos when it was received, on the monotonic clock of this replica
   */
  private record Received(TotalsReading reading, long atNanos) {}

  /** The meters of an owner, and the time of the last reading that contains it. */
  private record Series(List<Meter> meters, long readAtNanos) {}

  private final RedisConnection redis;
  private final HeldPartitions held;
  private final Replica replica;
  private final MeterRegistry meters;

  @GuardedBy("this")
  private final Map<String, Series> owners = new HashMap<>();

  private final Ticker ticker;
  private final Counter repairs;
  private volatile Received newest;

  /** The reading of the scrape that runs; empty if it was too old when the scrape began. */
  private final ScopedValue<Optional<TotalsReading>> snapshot = ScopedValue.newInstance();

  /**
   * @param ticker monotonic clock, nanoseconds
   */
  LedgerTotals(
      RedisConnection redis,
      HeldPartitions held,
      Replica replica,
      Ticker ticker,
      MeterRegistry meters) {
    this.redis = redis;
    this.held = held;
    this.replica = replica;
    this.ticker = ticker;
    this.meters = meters;
    this.newest = new Received(TotalsReading.NONE, ticker.read() - EXPORTED_NANOS);
    Metric.LEDGER_START.gauge(meters, () -> exported(TotalsReading::begunSeconds));
    this.repairs = Metric.REPAIRS.counter(meters);
    Metric.OUTSTANDING.gauge(meters, () -> exported(TotalsReading::outstanding));
    Metric.OLDEST_OUTSTANDING.gauge(
        meters, () -> exported(reading -> reading.oldestMillis() / 1e3));
    // The series of this replica exist from the start; those of others after the first reading
    // that contains them.
    owners.put(replica.name(), register(replica.name()));
  }

  /** The newest reading. Any thread. */
  TotalsReading reading() {
    return newest.reading();
  }

  /**
   * Runs a scrape in which all meters read on this thread use the same reading, or none has one.
   * This holds also when the process is paused during the scrape.
   */
  <T> T withConsistentSnapshot(Supplier<T> scrape) {
    return ScopedValue.where(snapshot, fresh()).call(scrape::get);
  }

  /**
   * A number of the reading, or NaN if the reading is older than 5 s. Other replicas have a newer
   * one, and a rule that takes the maximum over all replicas must not use totals of an old epoch.
   */
  private double exported(ToDoubleFunction<TotalsReading> number) {
    Optional<TotalsReading> reading = snapshot.isBound() ? snapshot.get() : fresh();
    return reading.isPresent() ? number.applyAsDouble(reading.get()) : Double.NaN;
  }

  private Optional<TotalsReading> fresh() {
    Received last = newest;
    boolean fresh = ticker.read() - last.atNanos() < EXPORTED_NANOS;
    return fresh ? Optional.of(last.reading()) : Optional.empty();
  }

  /**
   * Takes the newest reading. The replica that holds the first partition reads all partitions in
   * one pipeline, and stores the reading for the others. One thread at a time; blocks as a script
   * does.
   */
  public synchronized void refresh() {
    if (!redis.isConnected()) {
      return;
    }
    long began = ticker.read();
    TotalsReading reading;
    try {
      reading = held.readsTotals() ? readForAll() : readShared();
    } catch (RedisUnavailableException e) {
      LOG.atDebug().setCause(e).log("ledger_totals_read_failed");
      return;
    }
    TotalsReading last = newest.reading();
    boolean isNew = reading.redisMillis() != last.redisMillis();
    if (!isNew || (!reading.follows(last) && fresh().isPresent())) {
      // It was read before the newest one and came late, or no replica has read since.
      return;
    }
    export(reading, began);
    // Last: a scrape that includes only some meters of a new owner reads 0 from each of them.
    newest = new Received(reading, began);
  }

  /** Reads, and stores the reading for others. Without that they read themselves. */
  private TotalsReading readForAll() {
    TotalsReading reading = read();
    var _ =
        redis
            .completing(() ->
                redis.startCall(commands -> commands.set(Keys.totals(), reading.encode(), SHARED)))
            .exceptionally(_ -> "");
    countRepairs(reading);
    return reading;
  }

  private TotalsReading readShared() {
    byte[] shared = redis.call(commands -> commands.get(Keys.totals()));
    if (shared == null) {
      return read();
    }
    try {
      return TotalsReading.decode(shared);
    } catch (IllegalArgumentException e) {
      LOG.atDebug().setCause(e).log("ledger_totals_read_failed");
      return read();
    }
  }

  /** Only by the replica that reads for all. A replica that takes over knows the last reading. */
  private void countRepairs(TotalsReading reading) {
    TotalsReading last = newest.reading();
    if (!last.equals(TotalsReading.NONE) && !last.repairs().equals(reading.repairs())) {
      repairs.increment();
      LOG.atWarn().log("stored_state_repaired");
    }
  }

  /**
   * Registers the series of new owners and removes those of former owners. The series of an owner
   * without totals read 0 for 60 s, as in a new epoch, before they are removed.
   */
  @GuardedBy("this")
  private void export(TotalsReading reading, long atNanos) {
    for (String owner : reading.owners()) {
      Series known = owners.get(owner);
      Series series = known == null ? register(owner) : known;
      owners.put(owner, new Series(series.meters(), atNanos));
    }
    owners
        .entrySet()
        .removeIf(entry -> {
          Series series = entry.getValue();
          boolean over = atNanos - series.readAtNanos() > SERIES_KEPT_NANOS;
          boolean ends = over && !entry.getKey().equals(replica.name());
          if (ends) {
            series.meters().forEach(meters::remove);
          }
          return ends;
        });
  }

  /** Reads the totals now. Any thread; blocks and throws as a script does. */
  TotalsReading read() {
    List<CompletionStage<List<Object>>> replies = new ArrayList<>();
    for (Partition partition : Partition.ALL) {
      List<String> keys = new ArrayList<>();
      keys.add(Keys.meta(partition));
      keys.addAll(Keys.ledger(partition).subList(0, 2));
      keys.add(Keys.account(partition));
      replies.add(redis.start(Script.ACCOUNT, keys, new ScriptArguments()));
    }
    Map<String, Long> totals = new HashMap<>();
    long begun = 0;
    long outstanding = 0;
    long oldest = 0;
    long millis = Long.MAX_VALUE;
    List<String> repaired = new ArrayList<>();
    Map<String, Integer> partitions = new HashMap<>();
    for (CompletionStage<List<Object>> stage : replies) {
      ScriptReply reply = new ScriptReply(redis.await(stage));
      if (reply.isEmpty()) {
        // A sum over totals of two terms would look like a counter that decreased.
        throw new RedisUnavailableException("the totals of a partition have not begun");
      }
      begun = Math.max(begun, Long.parseLong(reply.text(0)));
      outstanding += reply.number(1);
      oldest = Math.max(oldest, reply.number(2));
      millis = Math.min(millis, reply.number(3));
      repaired.add(reply.text(4));
      for (int i = 5; i < reply.size(); i += 2) {
        totals.merge(reply.text(i), Long.parseLong(reply.text(i + 1)), Long::sum);
        partitions.merge(reply.text(i), 1, Integer::sum);
      }
    }
    // The totals of a replica are created and deleted one partition after the other. A sum over
    // some of the partitions would look like a counter that decreased, too.
    partitions.values().removeIf(count -> count < Partition.ALL.size());
    totals.keySet().retainAll(partitions.keySet());
    return new TotalsReading(
        Map.copyOf(totals), begun, outstanding, oldest, String.join(",", repaired), millis);
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
        meters, this, totals -> totals.exported(reading -> reading.total(owner, counter)), labels);
  }
}
