package dev.lastmile.ledger;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.redis.HeldPartitions;
import dev.lastmile.redis.Keys;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.redis.Script;
import dev.lastmile.redis.ScriptArguments;
import dev.lastmile.redis.ScriptReply;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.updates.Partition;
import io.lettuce.core.SetArgs;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
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

  /** The partition that has what is stored once for all. */
  private static final Partition FIRST = Partition.ALL.getFirst();

  /** Age of a reading up to which it is exported. */
  private static final long EXPORTED_NANOS = 5_000_000_000L;

  /** Time after which a reading for other replicas ends, if no other one replaces it. */
  private static final SetArgs SHARED = SetArgs.Builder.px(EXPORTED_NANOS / 1_000_000);

  /**
   * A reading of this process.
   *
   * @param atNanos when it was received, on the monotonic clock of this replica
   */
  private record Received(TotalsReading reading, long atNanos) {}

  private final RedisConnection redis;
  private final HeldPartitions held;
  private final OwnerSeries series;

  /** The last totals of each partition that this replica has read itself. */
  private final Map<Partition, PartitionTotals> partitions = new ConcurrentHashMap<>();

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
    this.ticker = ticker;
    this.newest = new Received(TotalsReading.NONE, ticker.read() - EXPORTED_NANOS);
    Metric.LEDGER_START.gauge(meters, () -> exported(TotalsReading::begunSeconds));
    this.repairs = Metric.REPAIRS.counter(meters);
    this.series = new OwnerSeries(this, replica, ticker, meters);
    Metric.OUTSTANDING.gauge(meters, () -> exported(TotalsReading::outstanding));
    Metric.OLDEST_OUTSTANDING.gauge(
        meters, () -> exported(reading -> reading.oldestMillis() / 1e3));
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
  double exported(ToDoubleFunction<TotalsReading> number) {
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
    series.export(reading, began);
    // Last: a scrape that includes only some meters of a new owner reads 0 from each of them.
    newest = new Received(reading, began);
  }

  /** Reads, and stores the reading for others. While there is none, each replica reads itself. */
  private TotalsReading readForAll() {
    TotalsReading reading = read();
    var _ =
        redis
            .completing(() ->
                redis.startCall(
                    FIRST, commands -> commands.set(Keys.totals(), reading.encode(), SHARED)))
            .exceptionally(_ -> "");
    countRepairs(reading);
    return reading;
  }

  private TotalsReading readShared() {
    byte[] shared = redis.call(FIRST, commands -> commands.get(Keys.totals()));
    if (shared == null) {
      return read();
    }
    // What this replica has read itself is old now.
    partitions.clear();
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
   * Reads the totals now. Any thread; blocks as a script does. Of a partition whose primary is away
   * the last reading counts. Its ledger does not change meanwhile, unless other replicas reach the
   * primary; then one of them reads the totals for all soon.
   *
   * @throws RedisUnavailableException if a partition was never read, or if the totals of some
   *     partitions have begun anew and those of the others have not yet
   */
  TotalsReading read() {
    Map<Partition, CompletionStage<List<Object>>> replies = new LinkedHashMap<>();
    for (Partition partition : Partition.ALL) {
      replies.put(
          partition,
          redis.completing(
              () -> redis.start(Script.ACCOUNT, keys(partition), new ScriptArguments())));
    }
    RedisUnavailableException failure = null;
    for (Map.Entry<Partition, CompletionStage<List<Object>>> each : replies.entrySet()) {
      try {
        ScriptReply reply = new ScriptReply(redis.await(each.getValue()));
        if (reply.isEmpty()) {
          // A sum over totals of two terms would look like a counter that decreased.
          throw new RedisUnavailableException("the totals of a partition have not begun");
        }
        partitions.put(each.getKey(), PartitionTotals.of(reply));
      } catch (RedisUnavailableException e) {
        failure = e;
      }
    }
    Map<Partition, PartitionTotals> all = Map.copyOf(partitions);
    if (all.size() < Partition.COUNT) {
      throw failure != null ? failure : new RedisUnavailableException("a partition was never read");
    }
    if (all.values().stream().map(PartitionTotals::generation).distinct().count() > 1) {
      if (failure == null) {
        beginAnew();
      }
      throw new RedisUnavailableException("the totals of some partitions have begun anew");
    }
    return TotalsReading.of(all.values(), Objects.requireNonNull(all.get(FIRST)).redisMillis());
  }

  /**
   * Lets the totals of all partitions begin anew; only the replica that reads for all, once every
   * partition can be read. Where it fails, the next reading repeats it.
   */
  private void beginAnew() {
    if (!held.readsTotals()) {
      return;
    }
    String generation = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
    for (Partition partition : Partition.ALL) {
      var _ =
          redis.completing(() ->
              redis.start(
                  Script.BEGIN_ACCOUNT, keys(partition), new ScriptArguments().add(generation)));
    }
    LOG.atInfo().addKeyValue("generation", generation).log("account_begun");
  }

  private static List<String> keys(Partition partition) {
    List<String> keys = new ArrayList<>();
    keys.add(Keys.meta(partition));
    keys.addAll(Keys.ledger(partition).subList(0, 2));
    keys.add(Keys.account(partition));
    return keys;
  }
}
