package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.updates.Partition;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;

/**
 * {@code /actuator/deliveries}: the account of all replicas and the last deliveries that expired,
 * newest first. Any replica answers for all.
 */
@Endpoint(id = "deliveries")
public final class DeliveriesEndpoint {
  private final RedisLink link;
  private final Account account;
  private final Leases leases;
  private final int examples;

  DeliveriesEndpoint(RedisLink link, Account account, Leases leases, int examples) {
    this.link = link;
    this.account = account;
    this.leases = leases;
    this.examples = examples;
  }

  /**
   * What the endpoint answers.
   *
   * @param redis whether Redis answers; if not, the totals are the last that were read and there
   *     are no examples
   * @param incarnation who this replica is in the ledger
   * @param account totals by replica and counter
   */
  public record Deliveries(
      boolean redis,
      String incarnation,
      long outstanding,
      double oldestOutstandingSeconds,
      Map<String, Map<String, Long>> account,
      List<Expired> expired) {}

  /** The replicas that the account of this epoch knows. Any thread; as of the last reading. */
  public Set<String> owners() {
    return account.reading().owners();
  }

  /** Reads it now. Any thread; blocks for at most the time-out of Redis, and does not throw. */
  @ReadOperation
  public Deliveries deliveries() {
    List<Expired> expired = new ArrayList<>();
    boolean answers = true;
    try {
      for (Partition partition : Partition.ALL) {
        for (byte[] line :
            link.call(commands -> commands.lrange(Keys.expired(partition), 0, examples - 1L))) {
          expired.add(Expired.parse(new String(line, UTF_8)));
        }
      }
    } catch (RedisAwayException e) {
      answers = false;
    }
    expired.sort(Comparator.comparing(Expired::at).reversed());
    Account.Reading reading = account.reading();
    Map<String, Map<String, Long>> totals = new TreeMap<>();
    reading
        .totals()
        .forEach((field, value) -> {
          int blank = field.indexOf(' ');
          totals
              .computeIfAbsent(field.substring(0, blank), _ -> new TreeMap<>())
              .put(field.substring(blank + 1), value);
        });
    return new Deliveries(
        answers,
        leases.incarnation(),
        reading.outstanding(),
        reading.oldestMillis() / 1e3,
        totals,
        expired.subList(0, Math.min(examples, expired.size())));
  }
}
