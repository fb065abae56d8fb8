package dev.lastmile.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.redis.Keys;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.updates.Partition;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.stereotype.Component;

/**
 * {@code /actuator/deliveries}: the totals of all replicas and the last deliveries that expired,
 * newest first. Every replica returns the data of all replicas.
 */
@Component
@Endpoint(id = "deliveries")
public final class DeliveriesEndpoint {
  private final RedisConnection redis;
  private final LedgerTotals totals;
  private final Leases leases;
  private final int examples;

  DeliveriesEndpoint(
      RedisConnection redis, LedgerTotals totals, Leases leases, LedgerProperties properties) {
    this.redis = redis;
    this.totals = totals;
    this.leases = leases;
    this.examples = properties.examples();
  }

  /**
   * The response.
   *
   * @param redis whether Redis replied; if not, the totals are those of the last reading and there
   *     are no examples
   * @param incarnation the incarnation of this replica in the first partition of the ledger
   * @param account totals by replica and counter
   */
  public record Deliveries(
      boolean redis,
      String incarnation,
      long outstanding,
      double oldestOutstandingSeconds,
      Map<String, Map<String, Long>> account,
      List<ExpiredDelivery> expired) {}

  /** The replicas that have totals in this epoch, as of the last reading. Any thread. */
  public Set<String> owners() {
    return totals.reading().owners();
  }

  private CompletionStage<List<byte[]>> expired(Partition partition) {
    return redis.completing(() ->
        redis.startCall(
            partition, commands -> commands.lrange(Keys.expired(partition), 0, examples - 1L)));
  }

  /** Reads the examples now. Any thread; blocks for at most the timeout of Redis; never throws. */
  @ReadOperation
  public Deliveries deliveries() {
    List<ExpiredDelivery> expired = new ArrayList<>();
    boolean redisReplies = true;
    for (CompletionStage<List<byte[]>> each : Partition.ALL.stream().map(this::expired).toList()) {
      try {
        redis
            .await(each)
            .forEach(line -> expired.add(ExpiredDelivery.parse(new String(line, UTF_8))));
      } catch (RedisUnavailableException e) {
        // The examples of the other partitions are shown all the same.
        redisReplies = false;
      }
    }
    expired.sort(Comparator.comparing(ExpiredDelivery::at).reversed());
    TotalsReading reading = totals.reading();
    Map<String, Map<String, Long>> byReplica = new TreeMap<>();
    reading
        .totals()
        .forEach((field, value) -> {
          int blank = field.indexOf(' ');
          byReplica
              .computeIfAbsent(field.substring(0, blank), _ -> new TreeMap<>())
              .put(field.substring(blank + 1), value);
        });
    return new Deliveries(
        redisReplies,
        leases.incarnation(Partition.ALL.getFirst()),
        reading.outstanding(),
        reading.oldestMillis() / 1e3,
        byReplica,
        expired.subList(0, Math.min(examples, expired.size())));
  }
}
