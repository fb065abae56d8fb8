package dev.lastmile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.telemetry.Metric.Kind;
import dev.lastmile.testing.Cluster;
import dev.lastmile.testing.LastmileProcess;
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

/** What a live replica exports is what the catalogue declares, and nothing else of ours. */
class MetricsIT {
  private static final Pattern OURS =
      Pattern.compile("(delivery|coordination|stream|requests|external|log)_.*");
  private static final Pattern SERIES = Pattern.compile("(\\w+)(?:\\{(.*)})? (\\S+)");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"([^\"]*)\"");

  private static String scrape(LastmileProcess replica) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(replica.management().resolve("/actuator/prometheus")).build();
    return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
  }

  /** The names of families by a comment of theirs. */
  private static Map<String, String> comments(String scrape, String comment) {
    Map<String, String> found = new TreeMap<>();
    for (String line : scrape.lines().toList()) {
      String[] word = line.split(" ", 4);
      // The highest value of a histogram is Micrometer's own gauge.
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
  void everyOutcomeOfEveryHopIsThereFromTheStart() throws Exception {
    String scrape = scrape(Cluster.shared().replica(2));
    for (Hop hop : Hop.values()) {
      for (String outcome : hop.outcomes()) {
        assertThat(scrape)
            .contains(
                "delivery_hops_total{hop=\"%s\",outcome=\"%s\",replica=\"replica-2\"}"
                    .formatted(hop.wireName(), outcome));
      }
    }
  }
}
