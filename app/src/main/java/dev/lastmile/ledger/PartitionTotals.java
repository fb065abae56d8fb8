package dev.lastmile.ledger;

import dev.lastmile.redis.ScriptReply;
import java.util.HashMap;
import java.util.Map;

/**
 * The totals of one partition, at one instant.
 *
 * @param begunSeconds Redis time at which they began
 * @param outstanding deliveries that are not settled
 * @param oldestMillis age of the oldest of them on the ledger's clock
 * @param redisMillis Redis time of the reading
 * @param repaired Redis time of the last repair, or empty
 * @param generation the same in all partitions whose totals began together
 * @param counters by {@code "replica counter"}
 */
record PartitionTotals(
    long begunSeconds,
    long outstanding,
    long oldestMillis,
    long redisMillis,
    String repaired,
    String generation,
    Map<String, Long> counters) {
  private static final int FIRST_COUNTER = 6;

  /** What {@code account.lua} returns. */
  static PartitionTotals of(ScriptReply reply) {
    Map<String, Long> counters = new HashMap<>();
    for (int i = FIRST_COUNTER; i < reply.size(); i += 2) {
      counters.put(reply.text(i), Long.parseLong(reply.text(i + 1)));
    }
    return new PartitionTotals(
        Long.parseLong(reply.text(0)),
        reply.number(1),
        reply.number(2),
        reply.number(3),
        reply.text(4),
        reply.text(5),
        Map.copyOf(counters));
  }
}
