package dev.lastmile.testkit.telemetry;

import static java.util.stream.Collectors.joining;

import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.redis.PartitionTags;
import io.lettuce.core.RedisClient;
import io.lettuce.core.TransactionResult;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.resource.ClientResources;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The account of all deliveries, read past the service: from the keys in Redis, or from what one
 * replica tells Prometheus. It shares no code with what it checks.
 *
 * <p>Each partition is read at one instant; the partitions one after the other.
 */
public final class LedgerAudit {
  /** The threads of all readings; they end with this process. */
  private static final ClientResources THREADS = ClientResources.create();

  private static final List<String> SETTLED =
      List.of("delivered", "late", "client_gone", "slow_consumer", "not_received", "owner_gone");

  /** The books of one partition; or of one scrape, where outstanding by owner is null. */
  private record Ledger(
      String name,
      String account,
      Map<String, Map<String, Long>> byOwner,
      Map<String, Long> outstandingByOwner,
      long outstanding,
      List<String> faults) {

    long of(String owner, String counter) {
      return byOwner.getOrDefault(owner, Map.of()).getOrDefault(counter, 0L);
    }

    long sum(String counter) {
      return byOwner.keySet().stream().mapToLong(owner -> of(owner, counter)).sum();
    }

    /** What was expected of an owner and is not settled, by its counters. */
    long open(String owner) {
      return of(owner, "expected")
          - SETTLED.stream().mapToLong(counter -> of(owner, counter)).sum();
    }

    long open() {
      return byOwner.keySet().stream().mapToLong(this::open).sum();
    }
  }

  private final List<Ledger> ledgers;

  private LedgerAudit(List<Ledger> ledgers) {
    this.ledgers = List.copyOf(ledgers);
  }

  /** Reads all partitions of this Redis. */
  public static LedgerAudit read(URI redis) {
    return new LedgerAudit(read(redis, PartitionTags.ALL));
  }

  /** Reads all partitions, each from the Redis that has it. */
  public static LedgerAudit read(Cluster cluster) {
    Map<URI, List<String>> tags = new LinkedHashMap<>();
    for (String tag : PartitionTags.ALL) {
      tags.computeIfAbsent(cluster.redis(tag), _ -> new ArrayList<>()).add(tag);
    }
    List<Ledger> ledgers = new ArrayList<>();
    tags.forEach((redis, its) -> ledgers.addAll(read(redis, its)));
    return new LedgerAudit(ledgers);
  }

  private static List<Ledger> read(URI redis, List<String> tags) {
    RedisClient client = RedisClient.create(THREADS, redis.toString());
    try (StatefulRedisConnection<String, String> connection = client.connect()) {
      return tags.stream().map(tag -> read(connection.sync(), tag)).toList();
    } finally {
      client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    }
  }

  private static Ledger read(RedisCommands<String, String> redis, String tag) {
    redis.multi();
    redis.hgetall(tag + ":account");
    redis.zrange(tag + ":ledger", 0, -1);
    redis.zrange(tag + ":redelivered", 0, -1);
    redis.hkeys(tag + ":entries");
    TransactionResult answers = redis.exec();

    List<String> faults = new ArrayList<>();
    Map<String, Map<String, Long>> byOwner = new TreeMap<>();
    Map<String, String> account = answers.get(0);
    String name =
        account.get("epoch") + " " + account.get("term") + " " + account.get("generation");
    // No counters: which totals these are, and when a replica went.
    account.keySet().removeAll(Set.of("epoch", "term", "begun", "generation"));
    account.keySet().removeIf(field -> field.endsWith(" gone"));
    account.forEach((field, value) -> {
      int blank = field.lastIndexOf(' ');
      String owner = blank < 0 ? "nobody" : field.substring(0, blank);
      count(byOwner, owner, field.substring(blank + 1), value);
    });
    List<String> ledger = answers.get(1);
    List<String> redelivered = answers.get(2);
    List<String> fields = answers.get(3);
    long entries = fields.stream().filter(field -> !field.equals("epoch")).count();
    List<String> members = new ArrayList<>(ledger);
    members.addAll(redelivered);
    if (new HashSet<>(members).size() < members.size()) {
      faults.add("an entry is in the ledger and redelivered");
    }
    if (members.size() != entries) {
      faults.add(
          "ledger=%d + redelivered=%d, but entries=%d"
              .formatted(ledger.size(), redelivered.size(), entries));
    }
    Map<String, Long> outstanding = new TreeMap<>();
    members.forEach(member -> outstanding.merge(owner(member), 1L, Long::sum));
    return new Ledger(tag, name, byOwner, outstanding, members.size(), faults);
  }

  /** The replica in {@code …:<replica>~<random>.<n>}. */
  private static String owner(String member) {
    String incarnation = member.substring(member.lastIndexOf(':') + 1);
    int end = incarnation.lastIndexOf('~');
    return end < 0 ? incarnation : incarnation.substring(0, end);
  }

  private static void count(
      Map<String, Map<String, Long>> byOwner, String owner, String counter, String value) {
    byOwner
        .computeIfAbsent(owner, _ -> new TreeMap<>())
        .merge(counter, Math.round(Double.parseDouble(value)), Long::sum);
  }

  /** What this replica tells of the account of all, in one scrape. */
  public static LedgerAudit ofMetrics(LastmileProcess replica) {
    return of(Scrape.of(replica), replica.name());
  }

  public static LedgerAudit of(Scrape scrape, String name) {
    Map<String, Map<String, Long>> byOwner = new TreeMap<>();
    Map<String, String> counters = new LinkedHashMap<>();
    counters.put("lastmile_deliveries_expected_total", null);
    counters.put("lastmile_deliveries_settled_total", "outcome");
    counters.put("lastmile_deliveries_expired_total", "reason");
    counters.put("lastmile_deliveries_redelivered_total", null);
    counters.forEach((metric, label) -> {
      for (Scrape.Sample sample : scrape.samples(metric)) {
        String counter =
            label == null
                ? metric.substring("lastmile_deliveries_".length(), metric.lastIndexOf('_'))
                : sample.label(label);
        count(byOwner, sample.label("owner"), counter, Double.toString(sample.value()));
      }
    });
    List<String> faults = new ArrayList<>();
    if (scrape.samples("lastmile_deliveries_outstanding").size() != 1) {
      faults.add(
          "lastmile_deliveries_outstanding is there "
              + scrape.samples("lastmile_deliveries_outstanding"));
    }
    long outstanding = scrape.sum("lastmile_deliveries_outstanding");
    return new LedgerAudit(
        List.of(new Ledger("scrape of " + name, "", byOwner, null, outstanding, faults)));
  }

  /** A counter over all owners: {@code expected}, {@code delivered}, {@code late}, ... */
  public long total(String counter) {
    return ledgers.stream().mapToLong(ledger -> ledger.sum(counter)).sum();
  }

  /** A counter of one owner, by the replica's name. */
  public long of(String owner, String counter) {
    return ledgers.stream().mapToLong(ledger -> ledger.of(owner, counter)).sum();
  }

  /** Names of the replicas that the account knows. */
  public Set<String> owners() {
    Set<String> owners = new TreeSet<>();
    ledgers.forEach(ledger -> owners.addAll(ledger.byOwner().keySet()));
    return owners;
  }

  /** Entries that are neither settled nor expired. */
  public long outstanding() {
    return ledgers.stream().mapToLong(Ledger::outstanding).sum();
  }

  /** Entries of one owner, as its counters have them. */
  public long outstanding(String owner) {
    return ledgers.stream().mapToLong(ledger -> ledger.open(owner)).sum();
  }

  /** What names the totals of each partition; others have begun if it changes. Of Redis only. */
  public List<String> accounts() {
    return ledgers.stream().map(Ledger::account).toList();
  }

  /**
   * Fails unless, in each partition, {@code expected = delivered + late + client_gone +
   * slow_consumer + not_received + owner_gone + outstanding}, in total and for each owner, every
   * entry stands in one place, and nothing is negative or unheard of. A scrape has no outstanding
   * per owner.
   */
  public void assertBalanced() {
    List<String> faults = new ArrayList<>();
    ledgers.forEach(
        ledger -> faults(ledger).forEach(fault -> faults.add(ledger.name() + ": " + fault)));
    if (!faults.isEmpty()) {
      throw new AssertionError(
          "the books do not balance: %s\n  %s".formatted(this, String.join("\n  ", faults)));
    }
  }

  private static List<String> faults(Ledger ledger) {
    List<String> faults = new ArrayList<>(ledger.faults());
    ledger
        .byOwner()
        .forEach((owner, counters) ->
            counters.forEach((counter, value) -> {
              if (value < 0) {
                faults.add("%s of %s is %d".formatted(counter, owner, value));
              }
              boolean known =
                  SETTLED.contains(counter) || Set.of("expected", "redelivered").contains(counter);
              if (!known) {
                faults.add("%s of %s is no counter".formatted(counter, owner));
              }
            }));
    if (ledger.open() != ledger.outstanding()) {
      faults.add(
          "expected - settled - expired = %d, outstanding = %d"
              .formatted(ledger.open(), ledger.outstanding()));
    }
    Map<String, Long> outstanding = ledger.outstandingByOwner();
    Set<String> owners = new TreeSet<>(ledger.byOwner().keySet());
    owners.addAll(outstanding == null ? Set.of() : outstanding.keySet());
    for (String owner : owners) {
      long open = ledger.open(owner);
      long is = outstanding == null ? Math.max(0, open) : outstanding.getOrDefault(owner, 0L);
      if (open != is) {
        faults.add("of %s: by counters %d are open, outstanding %d".formatted(owner, open, is));
      }
    }
    return faults;
  }

  @Override
  public String toString() {
    String counters =
        SETTLED.stream().map(counter -> counter + "=" + total(counter)).collect(joining(" "));
    return "expected=%d %s outstanding=%d redelivered=%d"
        .formatted(total("expected"), counters, outstanding(), total("redelivered"));
  }
}
