package dev.lastmile.coordination;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.updates.Partition;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The account as every replica exports it: totals per owner, kept in Redis by the scripts that
 * change the ledger.
 *
 * <p>At any instant expected = delivered + late + client_gone + slow_consumer + expired +
 * outstanding, in Redis and in one scrape: each partition is read in one step, and all meters that
 * one scrape reads get the same reading. A scrape is known by its thread, on which it reads every
 * meter once.
 */
final class Account {
  private static final Logger LOG = LoggerFactory.getLogger(Account.class);
  private static final List<String> SETTLED =
      List.of("delivered", "late", "client_gone", "slow_consumer");
  private static final List<String> EXPIRED = List.of("not_received", "owner_gone");

  /**
   * A reading that a thread began to read is forgotten after this; nobody waits so long for a
   * scrape, not even for one in which this process stood still.
   */
  private static final long LONGEST_SCRAPE_NANOS = 60_000_000_000L;

  /**
   * One reading.
   *
   * @param totals by {@code "replica counter"}
   * @param oldestMillis age of the oldest outstanding delivery on the ledger's clock
   */
  record Reading(Map<String, Long> totals, long outstanding, long oldestMillis) {
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

    long total(String owner, String counter) {
      return totals.getOrDefault(owner + " " + counter, 0L);
    }
  }

  private final RedisLink link;
  private final MeterRegistry meters;
  private final LongSupplier nanos;

  @GuardedBy("this")
  private final Set<String> owners = new HashSet<>();

  private volatile Reading newest = new Reading(Map.of(), 0, 0);

  /** What the scrape on this thread reads; one per account. */
  @SuppressWarnings("ThreadLocalUsage")
  private final ThreadLocal<Scrape> scrapes = new ThreadLocal<>();

  /** A scrape under way and the meters that it has read. */
  private record Scrape(Reading reading, long begunNanos, Set<String> read) {}

  Account(RedisLink link, MeterRegistry meters, LongSupplier nanos) {
    this.link = link;
    this.meters = meters;
    this.nanos = nanos;
    Gauge.builder("delivery.outstanding", () -> exported("outstanding").outstanding())
        .description("Deliveries that are expected and neither settled nor expired")
        .strongReference(true)
        .register(meters);
    Gauge.builder("delivery.oldest.outstanding", () -> exported("oldest").oldestMillis() / 1e3)
        .description("Age of the oldest of them")
        .baseUnit("seconds")
        .strongReference(true)
        .register(meters);
  }

  /** The newest reading. Any thread. */
  Reading reading() {
    return newest;
  }

  /** The reading for a meter; a meter that is read again begins a new scrape. */
  private Reading exported(String meter) {
    long now = nanos.getAsLong();
    Scrape scrape = scrapes.get();
    if (scrape == null
        || scrape.read().contains(meter)
        || now - scrape.begunNanos() > LONGEST_SCRAPE_NANOS) {
      scrape = new Scrape(newest, now, new HashSet<>());
      scrapes.set(scrape);
    }
    scrape.read().add(meter);
    return scrape.reading();
  }

  /** Reads all partitions in one pipeline. One thread at a time; blocks as a script does. */
  synchronized void refresh() {
    if (!link.isUp()) {
      return;
    }
    try {
      newest = read();
    } catch (RedisAwayException e) {
      LOG.atDebug().setCause(e).log("account_not_read");
      return;
    }
    for (String field : newest.totals().keySet()) {
      String owner = field.substring(0, field.indexOf(' '));
      if (owners.add(owner)) {
        register(owner);
      }
    }
  }

  /** Reads it now. Any thread; blocks, and throws, as a script does. */
  Reading read() {
    List<CompletionStage<List<Object>>> answers = new ArrayList<>();
    for (Partition partition : Partition.ALL) {
      List<String> keys = new ArrayList<>();
      keys.add(Keys.meta(partition));
      keys.addAll(Keys.ledger(partition).subList(0, 2));
      keys.add(Keys.account(partition));
      answers.add(link.start(Script.ACCOUNT, keys, List.of()));
    }
    Map<String, Long> totals = new HashMap<>();
    long outstanding = 0;
    long oldest = 0;
    for (CompletionStage<List<Object>> stage : answers) {
      Answer answer = new Answer(link.await(stage));
      if (answer.isEmpty()) {
        continue;
      }
      outstanding += answer.number(1);
      oldest = Math.max(oldest, answer.number(2));
      for (int i = 3; i < answer.size(); i += 2) {
        totals.merge(answer.text(i), Long.parseLong(answer.text(i + 1)), Long::sum);
      }
    }
    return new Reading(Map.copyOf(totals), outstanding, oldest);
  }

  private void register(String owner) {
    counter("delivery.expected", "Deliveries that were expected of an owner", owner, "expected");
    for (String outcome : SETTLED) {
      counter(
          "delivery.settled",
          "Deliveries that the owner settled, by how",
          owner,
          outcome,
          "outcome",
          outcome);
    }
    for (String reason : EXPIRED) {
      counter(
          "delivery.expired",
          "Deliveries that were never settled, by why",
          owner,
          reason,
          "reason",
          reason);
    }
    counter(
        "delivery.redelivered", "Deliveries that the owner was asked for", owner, "redelivered");
  }

  private void counter(
      String name, String description, String owner, String counter, String... labels) {
    String meter = owner + " " + counter;
    FunctionCounter.builder(name, this, account -> account.exported(meter).total(owner, counter))
        .description(description)
        .tag("owner", owner)
        .tags(labels)
        .register(meters);
  }
}
