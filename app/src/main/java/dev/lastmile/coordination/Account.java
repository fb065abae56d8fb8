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
import java.util.function.Supplier;
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
  private static final List<String> EXPIRED = List.of("not_received", "owner_gone");

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

  @GuardedBy("this")
  private final Set<String> owners = new HashSet<>();

  private volatile Reading newest = new Reading(Map.of(), 0, 0);

  /** What the scrape under way reads. */
  private final ScopedValue<Reading> standing = ScopedValue.newInstance();

  Account(RedisLink link, MeterRegistry meters) {
    this.link = link;
    this.meters = meters;
    Gauge.builder("delivery.outstanding", () -> exported().outstanding())
        .description("Deliveries that are expected and neither settled nor expired")
        .strongReference(true)
        .register(meters);
    Gauge.builder("delivery.oldest.outstanding", () -> exported().oldestMillis() / 1e3)
        .description("Age of the oldest of them")
        .baseUnit("seconds")
        .strongReference(true)
        .register(meters);
  }

  /** The newest reading. Any thread. */
  Reading reading() {
    return newest;
  }

  /** All meters that are read within this call, on this thread, get the same reading. */
  <T> T standingStill(Supplier<T> scrape) {
    return ScopedValue.where(standing, newest).call(scrape::get);
  }

  private Reading exported() {
    return standing.orElse(newest);
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
    for (String field : reading.totals().keySet()) {
      String owner = field.substring(0, field.indexOf(' '));
      if (owners.add(owner)) {
        register(owner);
      }
    }
    // Last: a scrape that sees some meters of a new owner reads 0 from all of them.
    newest = reading;
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
    FunctionCounter.builder(name, this, account -> account.exported().total(owner, counter))
        .description(description)
        .tag("owner", owner)
        .tags(labels)
        .register(meters);
  }
}
