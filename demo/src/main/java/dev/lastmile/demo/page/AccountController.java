package dev.lastmile.demo.page;

import dev.lastmile.ledger.DeliveriesEndpoint;
import dev.lastmile.ledger.DeliveriesEndpoint.Deliveries;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.telemetry.Replica;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.http.CacheControl;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * The account of the whole cluster, and beside it what one would have without one: sums of process
 * counters. It answers while Redis is away, too, and says so.
 */
@RestController
class AccountController {
  private static final String NOTE =
      "Sums of process counters that each replica tells about once a second: approximate between"
          + " replicas, and what a process had counted ends with it. The account is exact.";

  private final DeliveriesEndpoint deliveries;
  private final Faults faults;
  private final Summaries summaries;
  private final Replica replica;
  private final @Nullable String grafanaUrl;

  AccountController(
      DeliveriesEndpoint deliveries,
      Faults faults,
      Summaries summaries,
      Replica replica,
      DemoProperties properties) {
    this.deliveries = deliveries;
    this.faults = faults;
    this.summaries = summaries;
    this.replica = replica;
    String url = properties.grafanaUrl();
    this.grafanaUrl = url == null || url.isBlank() ? null : url;
  }

  /**
   * What the endpoint answers.
   *
   * @param answeredBy the replica that was asked
   * @param deliveries as at {@code /actuator/deliveries}: totals by owner, outstanding, last
   *     expired
   * @param total the same totals over all owners
   * @param approximate sums of process counters
   * @param replicas those that run; of all that do, only this one while Redis is away
   * @param faults as at {@code /api/demo/faults}; null while Redis is away
   */
  record ClusterAccount(
      String answeredBy,
      Deliveries deliveries,
      Map<String, Long> total,
      Approximate approximate,
      List<ReplicaSummary> replicas,
      @Nullable List<Faults.Fault> faults,
      @Nullable String grafanaUrl) {}

  /**
   * What one would have without an account.
   *
   * @param note how far it can be trusted
   * @param hops by hop and outcome
   * @param naiveGap published to an audience, less delivered
   * @param recovered what clients learnt first otherwise than live
   */
  record Approximate(
      String note,
      Map<String, Map<String, Long>> hops,
      long naiveGap,
      Map<String, Long> recovered) {}

  @GetMapping(path = "/api/demo/account", produces = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<ClusterAccount> account() {
    Deliveries now = deliveries.deliveries();
    List<ReplicaSummary> replicas;
    List<Faults.Fault> on;
    try {
      on = faults.list().faults();
      replicas = summaries.all(faults.replicas());
    } catch (RedisUnavailableException e) {
      on = null;
      replicas = List.of(summaries.own());
    }
    return ResponseEntity.ok()
        .cacheControl(CacheControl.noStore())
        .body(
            new ClusterAccount(
                replica.name(),
                now,
                total(now.account().values(), counters -> counters),
                approximate(replicas),
                replicas,
                on,
                grafanaUrl));
  }

  private static Approximate approximate(List<ReplicaSummary> replicas) {
    Map<String, Map<String, Long>> hops = new TreeMap<>();
    for (ReplicaSummary each : replicas) {
      each.hops()
          .forEach((hop, outcomes) ->
              outcomes.forEach((outcome, count) ->
                  hops.computeIfAbsent(hop, _ -> new TreeMap<>())
                      .merge(outcome, count, Long::sum)));
    }
    long published = hops.getOrDefault("published", Map.of()).getOrDefault("audience", 0L);
    long delivered =
        hops.getOrDefault("delivered", Map.of()).values().stream().mapToLong(n -> n).sum();
    return new Approximate(
        NOTE, hops, published - delivered, total(replicas, ReplicaSummary::recovered));
  }

  private static <T> Map<String, Long> total(
      Iterable<T> parts, Function<T, Map<String, Long>> counters) {
    Map<String, Long> total = new TreeMap<>();
    for (T part : parts) {
      counters.apply(part).forEach((name, count) -> total.merge(name, count, Long::sum));
    }
    return total;
  }
}
