package dev.lastmile.benchmark;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The ledger's totals of all replicas, read from Redis ({@code docs/reference/redis-keys.md}).
 *
 * @param totals by counter, over all owners and partitions
 * @param outstanding entries of the ledger that are neither settled nor expired
 */
record LedgerAudit(Map<String, Long> totals, long outstanding) {
  private static final List<String> OUTCOMES =
      List.of("delivered", "late", "client_gone", "slow_consumer", "not_received", "owner_gone");

  static LedgerAudit read(Redis redis) {
    Map<String, Long> totals = new TreeMap<>();
    long outstanding = 0;
    try (Resp resp = redis.connect()) {
      for (String name : keys(resp, "*:account")) {
        String tag = name.substring(0, name.length() - "account".length());
        // In one transaction, so that totals and entries belong together.
        resp.call("MULTI");
        resp.call("HGETALL", tag + "account");
        resp.call("HLEN", tag + "entries");
        List<?> both = (List<?>) resp.call("EXEC");
        List<String> account = Resp.texts(both.getFirst());
        for (int field = 0; field < account.size(); field += 2) {
          String counter = account.get(field);
          if (!counter.contains(" ") || counter.endsWith(" gone")) {
            // The name of the account, or the time since which an owner is gone.
            continue;
          }
          totals.merge(
              counter.substring(counter.lastIndexOf(' ') + 1),
              (long) Double.parseDouble(account.get(field + 1)),
              Long::sum);
        }
        outstanding += (Long) both.get(1);
      }
    }
    return new LedgerAudit(totals, outstanding);
  }

  long of(String counter) {
    return totals.getOrDefault(counter, 0L);
  }

  long expected() {
    return of("expected");
  }

  /** Whether every expected delivery has one outcome, or is outstanding. */
  boolean balance() {
    long ended = OUTCOMES.stream().mapToLong(this::of).sum();
    return expected() == ended + outstanding;
  }

  LedgerAudit minus(LedgerAudit earlier) {
    Map<String, Long> passed = new TreeMap<>();
    totals.forEach((counter, total) -> passed.put(counter, total - earlier.of(counter)));
    return new LedgerAudit(passed, outstanding);
  }

  /**
   * Deletes all presence, so that no delivery is expected: updates are still published and written
   * to their streams, but the ledger does not record them.
   */
  static void expectNothing(Redis redis) {
    try (Resp resp = redis.connect()) {
      for (String key : keys(resp, "*:presence:*")) {
        resp.call("DEL", key);
      }
    }
  }

  /** The keys of this form. The tags of partitions differ between versions of the service. */
  private static Set<String> keys(Resp resp, String form) {
    Set<String> keys = new TreeSet<>();
    String cursor = "0";
    do {
      List<?> page = (List<?>) resp.call("SCAN", cursor, "MATCH", form, "COUNT", "1000");
      cursor = String.valueOf(page.getFirst());
      keys.addAll(Resp.texts(page.get(1)));
    } while (!cursor.equals("0"));
    return keys;
  }
}
