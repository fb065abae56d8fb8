package dev.lastmile.coordination;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.updates.Partition;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The account as every replica exports it: totals per owner, kept in Redis by the scripts that
 * change the ledger.
 *
 * <p>At any instant expected = delivered + late + client_gone + slow_consumer + expired +
 * outstanding, in Redis and in one scrape: each partition is read in one step, and all meters that
 * one scrape reads get the same reading.
 */
final class Account {
  private static final Logger LOG = LoggerFactory.getLogger(Account.class);
  private static final List<String> SETTLED =
      List.of("delivered", "late", "client_gone", "slow_consumer");
  private static final long EXPORTED_NANOS = 5_000_000_000L;
  private static final long FORGOTTEN_NANOS = 60_000_000_000L;
  private static final List<String> EXPIRED = List.of("not_received", "owner_gone");

  /**
   * One reading.
   *
   * @param totals by {@code "replica counter"}, of the replicas that every partition knows
   * @param begunSeconds Redis time at which the oldest epoch of a partition began: that of all, but
   *     where one began anew by itself
   * @param oldestMillis age of the oldest outstanding delivery on the ledger's clock
   * @param atNanos when it was begun, on this replica's monotonic clock
   */
  record Reading(
      Map<String, Long> totals,
      long begunSeconds,
      long outstanding,
      long oldestMillis,
      long atNanos) {
    long outstandingOf(String owner) {
      long settled = 0;
      for (String counter : SETTLED) {
        settled += total(owner, counter);
      }
      for (String counter : EXPIRED) {
        settled += total(owner, counter);
      }
      return total(owner, "expected") - settled;
    }

    Set<String> owners() {
      Set<String> owners = new HashSet<>();
      totals.keySet().forEach(field -> owners.add(field.substring(0, field.indexOf(' '))));
      return owners;
    }

    long total(String owner, String counter) {
      return totals.getOrDefault(owner + " " + counter, 0L);
    }
  }

  /** What is exported of an owner, and when a reading named it for the last time. */
  private record Series(List<Meter> meters, long namedAtNanos) {}

  private final RedisLink link;
  private final Replica replica;
  private final MeterRegistry meters;

  @GuardedBy("this")
  private final Map<String, Series> owners = new HashMap<>();

  private final LongSupplier nanos;
  private volatile Reading newest;

  /** What the scrape under way reads, judged once: nothing if it was too old when that began. */
  private final ScopedValue<Optional<Reading>> standing = ScopedValue.newInstance();

  /**
   * @param nanos a monotonic clock in nanoseconds
   */
  Account(RedisLink link, Replica replica, LongSupplier nanos, MeterRegistry meters) {
    this.link = link;
    this.replica = replica;
    this.nanos = nanos;
    this.meters = meters;
    this.newest = new Reading(Map.of(), 0, 0, 0, nanos.getAsLong() - EXPORTED_NANOS);
    Metric.ACCOUNT_BEGUN.gauge(meters, () -> exported(Reading::begunSeconds));
    Metric.OUTSTANDING.gauge(meters, () -> exported(Reading::outstanding));
    Metric.OLDEST_OUTSTANDING.gauge(
        meters, () -> exported(reading -> reading.oldestMillis() / 1e3));
    // Its own series are there from the start; those of others when the account first names them.
    owners.put(replica.name(), register(replica.name()));
  }

  /** The newest reading. Any thread. */
  Reading reading() {
    return newest;
  }

  /**
   * All meters that are read within this call, on this thread, get the same reading, or all get
   * none; also where the process is stopped in between.
   */
  <T> T standingStill(Supplier<T> scrape) {
    return ScopedValue.where(standing, fresh()).call(scrape::get);
  }

  /**
   * NaN for a reading that is too old: the others know better, and a rule that takes the highest of
   * all replicas must not see what this one remembers of an epoch that is over.
   */
  private double exported(ToDoubleFunction<Reading> number) {
    Optional<Reading> reading = standing.isBound() ? standing.get() : fresh();
    return reading.isPresent() ? number.applyAsDouble(reading.get()) : Double.NaN;
  }

  private Optional<Reading> fresh() {
    Reading reading = newest;
    boolean fresh = nanos.getAsLong() - reading.atNanos() < EXPORTED_NANOS;
    return fresh ? Optional.of(reading) : Optional.empty();
  }

  /** Reads all partitions in one pipeline. One thread at a time; blocks as a script does. */
  synchronized void refresh() {
    if (!link.isUp()) {
      return;
    }
    Reading reading;
    try {
      reading = read();
    } catch (RedisAwayException e) {
      LOG.atDebug().setCause(e).log("account_not_read");
      return;
    }
    export(reading);
    // Last: a scrape that sees some meters of a new owner reads 0 from all of them.
    newest = reading;
  }

  /** One that is named no longer reads 0 for a while, as it does in a new epoch, and then ends. */
  @GuardedBy("this")
  private void export(Reading reading) {
    for (String owner : reading.owners()) {
      Series known = owners.get(owner);
      Series series = known == null ? register(owner) : known;
      owners.put(owner, new Series(series.meters(), reading.atNanos()));
    }
    owners
        .entrySet()
        .removeIf(entry -> {
          Series series = entry.getValue();
          boolean over = reading.atNanos() - series.namedAtNanos() > FORGOTTEN_NANOS;
          boolean ends = over && !entry.getKey().equals(replica.name());
          if (ends) {
            series.meters().forEach(meters::remove);
          }
          return ends;
        });
  }

  /** Reads it now. Any thread; blocks, and throws, as a script does. */
  Reading read() {
    long began = nanos.getAsLong();
    List<CompletionStage<List<Object>>> answers = new ArrayList<>();
    for (Partition partition : Partition.ALL) {
      List<String> keys = new ArrayList<>();
      keys.add(Keys.meta(partition));
      keys.addAll(Keys.ledger(partition).subList(0, 2));
      keys.add(Keys.account(partition));
      answers.add(link.start(Script.ACCOUNT, keys, List.of()));
    }
    Map<String, Long> totals = new HashMap<>();
    long begun = Long.MAX_VALUE;
    long outstanding = 0;
    long oldest = 0;
    Set<String> runs = new HashSet<>();
    Map<String, Integer> partitions = new HashMap<>();
    for (CompletionStage<List<Object>> stage : answers) {
      Answer answer = new Answer(link.await(stage));
      if (answer.isEmpty()) {
        throw new RedisAwayException("a partition has no epoch yet");
      }
      begun = Math.min(begun, Long.parseLong(answer.text(0)));
      runs.add(answer.text(1));
      outstanding += answer.number(2);
      oldest = Math.max(oldest, answer.number(3));
      for (int i = 4; i < answer.size(); i += 2) {
        totals.merge(answer.text(i), Long.parseLong(answer.text(i + 1)), Long::sum);
        partitions.merge(answer.text(i), 1, Integer::sum);
      }
    }
    if (runs.size() > 1) {
      // A sum over old and new epochs would look like a counter that went back a little.
      throw new RedisAwayException("the epochs are being renewed");
    }
    // It comes to and goes from one partition after the other: a part would look like a counter
    // that went back a little, too.
    partitions.values().removeIf(count -> count < Partition.ALL.size());
    totals.keySet().retainAll(partitions.keySet());
    return new Reading(Map.copyOf(totals), begun, outstanding, oldest, began);
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
    return new Series(series, nanos.getAsLong());
  }

  private Meter counter(Metric metric, String owner, String counter, String... labels) {
    return metric.counter(
        meters,
        this,
        account -> account.exported(reading -> reading.total(owner, counter)),
        labels);
  }
}
