package dev.lastmile.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.telemetry.Metric.Kind;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * A running replica exports the metrics of the catalogue and no other {@code lastmile_} metrics.
 */
class MetricsIT {
  private static final Pattern OURS = Pattern.compile("lastmile_.*");
  private static final Pattern SERIES = Pattern.compile("(\\w+)(?:\\{(.*)})? (\\S+)");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"([^\"]*)\"");

  private static String scrape(LastmileProcess replica) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(replica.management().resolve("/actuator/prometheus")).build();
    return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
  }

  /** The texts of one kind of comment, {@code TYPE} or {@code HELP}, by metric family. */
  private static Map<String, String> comments(String scrape, String comment) {
    Map<String, String> found = new TreeMap<>();
    for (String line : scrape.lines().toList()) {
      String[] word = line.split(" ", 4);
      // Micrometer adds a gauge with the maximum of each histogram.
      boolean ours = word.length == 4 && OURS.matcher(word[2]).matches();
      if (line.startsWith("# " + comment + " ") && ours && !word[2].endsWith("_max")) {
        found.put(word[2], word[3]);
      }
    }
    return found;
  }

  private static String type(Kind kind) {
    return switch (kind) {
      case COUNTER, ACCOUNT -> "counter";
      case GAUGE, ACCOUNT_GAUGE -> "gauge";
      case HISTOGRAM -> "histogram";
    };
  }

  @Test
  void aReplicaExportsTheCatalogue() throws Exception {
    for (LastmileProcess replica : Cluster.shared().replicas()) {
      String scrape = scrape(replica);
      assertThat(comments(scrape, "TYPE"))
          .isEqualTo(
              Arrays.stream(Metric.values())
                  .collect(
                      Collectors.toMap(
                          Metric::prometheusName, m -> type(m.kind()), (a, b) -> a, TreeMap::new)));
      assertThat(comments(scrape, "HELP"))
          .isEqualTo(
              Arrays.stream(Metric.values())
                  .collect(
                      Collectors.toMap(
                          Metric::prometheusName, Metric::sentence, (a, b) -> a, TreeMap::new)));
    }
  }

  @Test
  void everySeriesHasTheDeclaredLabelsAndTheReplica() throws Exception {
    LastmileProcess replica = Cluster.shared().replica(1);
    Map<String, Metric> byName =
        Arrays.stream(Metric.values()).collect(Collectors.toMap(Metric::prometheusName, m -> m));
    Set<String> seen = new TreeSet<>();
    for (String line : scrape(replica).lines().toList()) {
      Matcher series = SERIES.matcher(line);
      if (!series.matches()) {
        continue;
      }
      Metric metric = byName.get(series.group(1).replaceFirst("_(bucket|count|sum)$", ""));
      if (metric == null) {
        continue;
      }
      seen.add(metric.name());
      Map<String, String> labels = new TreeMap<>();
      Matcher label = LABEL.matcher(series.group(2));
      while (label.find()) {
        labels.put(label.group(1), label.group(2));
      }
      labels.remove("le");
      assertThat(labels.remove("replica")).as(line).isEqualTo(replica.name());
      assertThat(labels.keySet()).as(line).isEqualTo(new TreeSet<>(metric.labels()));
    }
    assertThat(seen).hasSize(Metric.values().length);
  }

  @Test
  void theBuildIsNamed() throws Exception {
    assertThat(scrape(Cluster.shared().replica(1)))
        .containsPattern(
            "lastmile_build_info\\{replica=\"replica-1\",revision=\"[^\"]+\",version=\"\\d[^\"]*\"} 1");
  }

  @Test
  void everyOutcomeOfEveryHopIsThereFromTheStart() throws Exception {
    String scrape = scrape(Cluster.shared().replica(2));
    for (Hop hop : Hop.values()) {
      for (String outcome : hop.outcomes()) {
        assertThat(scrape)
            .contains(
                "lastmile_hops_total{hop=\"%s\",outcome=\"%s\",replica=\"replica-2\"}"
                    .formatted(hop.wireName(), outcome));
      }
    }
  }
}
