package dev.lastmile.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.updates.DeliveryOutcome;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One reading of the totals of the ledger, of all partitions.
 *
 * @param totals by {@code "replica counter"}, of the replicas that have totals in every partition
 * @param begunSeconds Redis time at which the totals of a partition began last; those of all
 *     partitions begin together, unless the keys of one were lost
 * @param oldestMillis age of the oldest outstanding delivery on the ledger's clock
 * @param repairs times of the last repair of each partition, separated by commas
 * @param redisMillis time of the reading, by the clock of the first partition; 0 for none
 */
record TotalsReading(
    Map<String, Long> totals,
    long begunSeconds,
    long outstanding,
    long oldestMillis,
    String repairs,
    long redisMillis) {
  static final TotalsReading NONE = new TotalsReading(Map.of(), 0, 0, 0, "", 0);

  /**
   * The sums over all partitions.
   *
   * @param redisMillis Redis time of the reading, by the clock of the first partition only: clocks
   *     of primaries differ
   */
  static TotalsReading of(Collection<PartitionTotals> partitions, long redisMillis) {
    Map<String, Long> totals = new HashMap<>();
    Map<String, Integer> found = new HashMap<>();
    long begun = 0;
    long outstanding = 0;
    long oldest = 0;
    List<String> repaired = new ArrayList<>();
    for (PartitionTotals partition : partitions) {
      begun = Math.max(begun, partition.begunSeconds());
      outstanding += partition.outstanding();
      oldest = Math.max(oldest, partition.oldestMillis());
      repaired.add(partition.repaired());
      partition
          .counters()
          .forEach((counter, total) -> {
            totals.merge(counter, total, Long::sum);
            found.merge(counter, 1, Integer::sum);
          });
    }
    // The totals of a replica are created and deleted one partition after the other. A sum over
    // some of the partitions would look like a counter that decreased.
    found.values().removeIf(count -> count < partitions.size());
    totals.keySet().retainAll(found.keySet());
    return new TotalsReading(
        Map.copyOf(totals), begun, outstanding, oldest, String.join(",", repaired), redisMillis);
  }

  long outstandingOf(String owner) {
    long outstanding = total(owner, "expected");
    for (String outcome : DeliveryOutcome.wireNames(_ -> true)) {
      outstanding -= total(owner, outcome);
    }
    return outstanding;
  }

  Set<String> owners() {
    Set<String> owners = new HashSet<>();
    totals.keySet().forEach(field -> owners.add(field.substring(0, field.indexOf(' '))));
    return owners;
  }

  long total(String owner, String counter) {
    return totals.getOrDefault(owner + " " + counter, 0L);
  }

  /**
   * Whether it replaces an earlier reading. A counter must not decrease unless totals began anew:
   * two replicas may read at the same time, and one may be late.
   */
  boolean follows(TotalsReading earlier) {
    if (begunSeconds != earlier.begunSeconds) {
      return begunSeconds > earlier.begunSeconds;
    }
    return redisMillis > earlier.redisMillis
        && totals.entrySet().stream()
            .allMatch(total -> total.getValue() >= earlier.totals.getOrDefault(total.getKey(), 0L));
  }

  /** For other replicas: a line of numbers, then one line per total. */
  byte[] encode() {
    StringBuilder text = new StringBuilder();
    text.append(begunSeconds).append(' ').append(outstanding).append(' ');
    text.append(oldestMillis).append(' ').append(repairs).append(' ').append(redisMillis);
    totals.forEach((field, total) -> text.append('\n').append(total).append(' ').append(field));
    return text.toString().getBytes(UTF_8);
  }

  /**
   * @throws IllegalArgumentException if the bytes are not an encoded reading
   */
  static TotalsReading decode(byte[] encoded) {
    List<String> lines = new String(encoded, UTF_8).lines().toList();
    String[] numbers = lines.isEmpty() ? new String[0] : lines.getFirst().split(" ", -1);
    if (numbers.length != 5) {
      throw new IllegalArgumentException("not a reading of the totals");
    }
    Map<String, Long> totals = new HashMap<>();
    for (String line : lines.subList(1, lines.size())) {
      String[] total = line.split(" ", 2);
      totals.put(total[1], Long.parseLong(total[0]));
    }
    return new TotalsReading(
        Map.copyOf(totals),
        Long.parseLong(numbers[0]),
        Long.parseLong(numbers[1]),
        Long.parseLong(numbers[2]),
        numbers[3],
        Long.parseLong(numbers[4]));
  }
}
