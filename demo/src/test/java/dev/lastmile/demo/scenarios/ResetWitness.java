package dev.lastmile.demo.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.SimulatedBrowsers;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.redis.PartitionTags;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import java.net.URI;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which browsers had received a version that was lost, found past the service: the timelines in
 * Redis are compared with what the browsers received.
 *
 * @param lost by browser, the versions that it had received and that were lost
 * @param reset the browsers that were reset
 */
record ResetWitness(Map<Integer, Set<String>> lost, Set<Integer> reset) {
  private static final Pattern PUBLISHED = Pattern.compile("published\\t(\\d+)\\t");

  static ResetWitness of(Cluster cluster, SimulatedBrowsers crowd) {
    Set<Integer> reset = new TreeSet<>();
    Map<Integer, Set<String>> lost = new HashMap<>();
    try (Timelines timelines = new Timelines(cluster)) {
      for (int browser = 0; browser < crowd.size(); browser++) {
        if (crowd.resets(browser) > 0) {
          reset.add(browser);
        }
        Set<String> its = crowd.receivedAndLost(browser, timelines::published);
        if (!its.isEmpty()) {
          lost.put(browser, its);
        }
      }
    }
    return new ResetWitness(lost, reset);
  }

  /**
   * Resets that each replica has counted since it was started. The alert FailoverLostUpdates is
   * about those with the reason {@code term}.
   */
  static List<Double> counted(Cluster cluster) {
    return cluster.replicas().stream()
        .map(Metrics::of)
        .map(metrics ->
            metrics.sum("lastmile_stream_resets_total") + metrics.sum("lastmile_list_resets_total"))
        .toList();
  }

  /**
   * Fails unless exactly those browsers were reset that had received a lost version, and the
   * replicas have counted the resets.
   *
   * @param before what each replica had counted before the fault
   * @param after what each has counted now
   */
  void assertCounted(Enum<?> fault, List<Double> before, List<Double> after) {
    double counted = 0;
    for (int i = 0; i < after.size(); i++) {
      boolean isSameProcess = after.get(i) >= before.get(i);
      counted += after.get(i) - (isSameProcess ? before.get(i) : 0);
    }
    System.out.printf(
        "%s: %d browsers had received %d lost versions, %d were reset, %.0f resets counted%n",
        fault,
        lost.size(),
        lost.values().stream().mapToInt(Set::size).sum(),
        reset.size(),
        counted);
    if (reset.isEmpty()) {
      assertThat(counted).as("resets that the service counts").isZero();
    }
    assertThat(counted).as("resets that the service counts").isGreaterThanOrEqualTo(reset.size());
    assertThat(reset).as("browsers that were reset, and why: %s", lost).isEqualTo(lost.keySet());
  }

  /** The timelines of operations, each read once. */
  private static final class Timelines implements AutoCloseable {
    private final Cluster cluster;
    private final RedisClient client = RedisClient.create();
    private final Map<URI, StatefulRedisConnection<String, String>> connections = new HashMap<>();
    private final Map<String, Map<String, String>> read = new HashMap<>();

    private Timelines(Cluster cluster) {
      this.cluster = cluster;
    }

    /** When a version was published, by the lines of its timeline; the epoch if there is none. */
    private Instant published(String operation, long version) {
      String lines =
          read.computeIfAbsent(operation, this::timeline).getOrDefault(Long.toString(version), "");
      Matcher published = PUBLISHED.matcher(lines);
      return published.find()
          ? Instant.EPOCH
              .plus(Long.parseLong(published.group(1)), ChronoUnit.MICROS)
              .truncatedTo(ChronoUnit.MILLIS)
          : Instant.EPOCH;
    }

    private Map<String, String> timeline(String operation) {
      String tag = PartitionTags.ofOperation(operation);
      return connections
          .computeIfAbsent(
              cluster.redis(tag), uri -> client.connect(RedisURI.create(uri.toString())))
          .sync()
          .hgetall(tag + ":timeline:" + operation);
    }

    @Override
    public void close() {
      connections.values().forEach(StatefulRedisConnection::close);
      client.shutdown();
    }
  }
}
