package dev.lastmile.dashboards;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.BrowserPace;
import dev.lastmile.testkit.browser.SimulatedBrowsers;
import dev.lastmile.testkit.browser.Traffic;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.rules.RuleFiles;
import dev.lastmile.testkit.telemetry.Alertmanager;
import dev.lastmile.testkit.telemetry.Loki;
import dev.lastmile.testkit.telemetry.Prometheus;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every query of every board, asked of a live Prometheus and a live Loki under load: valid, and not
 * empty, except those whose source says why they may be.
 *
 * <p>{@code -Dlastmile.prometheus=http://127.0.0.1:9090 -Dlastmile.loki=http://127.0.0.1:3100} asks
 * those of a system that runs already, and {@code -Dlastmile.absent=tempo} names the jobs that it
 * has left out or that something else stands in for. Without them a local cluster is started with a
 * Prometheus for each scale of rules.
 */
@Tag("long")
class DashboardQueriesIT {
  private static final String PROMETHEUS = System.getProperty("lastmile.prometheus");
  private static final String LOKI = System.getProperty("lastmile.loki");
  private static final Duration BACK = Duration.ofMinutes(15);

  @TempDir private static Path folder;

  private static final List<AutoCloseable> STARTED = new ArrayList<>();

  /** By the scale of the rules. */
  private static final Map<String, Prometheus> PROMETHEUSES = new LinkedHashMap<>();

  private static Set<String> absent;
  private static Loki loki;

  @BeforeAll
  static void start() {
    absent =
        Stream.of(System.getProperty("lastmile.absent", "").split(",", -1))
            .filter(job -> !job.isEmpty())
            .collect(Collectors.toCollection(TreeSet::new));
    if (PROMETHEUS != null) {
      PROMETHEUSES.put("live", Prometheus.at(URI.create(PROMETHEUS)));
      loki = LOKI == null ? null : Loki.at(URI.create(LOKI));
      return;
    }
    absent.addAll(List.of("otel-collector", "span-metrics", "haproxy", "loki", "tempo"));
    Cluster.Builder builder = Cluster.builder();
    for (int replica = 1; replica <= 3; replica++) {
      builder.withReplica(replica, "lastmile.log.file", folder.resolve(replica + ".log"));
    }
    loki = started(Loki.start());
    Alertmanager alertmanager = started(Alertmanager.start());
    Cluster cluster = started(builder.start());
    for (String scale : RuleFiles.SCALES) {
      PROMETHEUSES.put(
          scale, started(Prometheus.start(cluster, RuleFiles.folder(scale), alertmanager)));
    }
    SimulatedBrowsers crowd = started(SimulatedBrowsers.of(cluster, 30, 7, BrowserPace.USUAL));
    crowd.awaitConnected(Duration.ofSeconds(60));
    Traffic traffic = started(new Traffic(cluster, crowd, 20, 7));
    STARTED.addFirst(traffic::stop);
  }

  private static <T extends AutoCloseable> T started(T part) {
    STARTED.addFirst(part);
    return part;
  }

  @AfterAll
  static void stop() throws Exception {
    for (AutoCloseable part : STARTED) {
      part.close();
    }
  }

  @Test
  void everyQueryOfMetricsIsAnsweredUnderLoad() {
    PROMETHEUSES.forEach((scale, prometheus) -> {
      // The windows of a day and more are added up once a minute, from whole minutes.
      Awaitility.await("all queries at scale " + scale)
          .atMost(4, TimeUnit.MINUTES)
          .pollDelay(0, TimeUnit.SECONDS)
          .pollInterval(10, TimeUnit.SECONDS)
          .untilAsserted(() -> assertAnswered(scale, prometheus));
    });
  }

  private static void assertAnswered(String scale, Prometheus prometheus) {
    Set<String> here =
        prometheus.query("count by (job) (up == 1)").stream()
            .map(sample -> sample.labels().get("job"))
            .collect(Collectors.toCollection(TreeSet::new));
    Map<String, String> foreign = DashboardsTest.foreign();
    Set<String> missing = new TreeSet<>(foreign.values());
    missing.removeAll(here);
    assertThat(missing).as("jobs that are not scraped").isSubsetOf(absent);

    Set<String> panels = new TreeSet<>();
    Set<String> empty = new LinkedHashSet<>();
    Map<String, String> excused = new TreeMap<>();
    int asked = 0;
    int answered = 0;
    for (BoardQuery query : BoardQuery.all()) {
      if (!query.isPromql()) {
        continue;
      }
      asked++;
      panels.add(query.board() + "/" + query.place());
      boolean some =
          prometheus.query(query.interpolated()).stream()
              .anyMatch(sample -> !Double.isNaN(sample.value()));
      String elsewhere =
          RuleFiles.series(query.interpolated()).stream()
              .map(name -> foreign.getOrDefault(name, ""))
              .filter(absent::contains)
              .distinct()
              .collect(Collectors.joining(", "));
      if (some) {
        answered++;
      } else if (!query.empty().isEmpty()) {
        excused.put(query.toString(), query.empty());
      } else if (!elsewhere.isEmpty()) {
        excused.put(query.toString(), "not here: " + elsewhere);
      } else {
        empty.add(query + ": " + query.interpolated());
      }
    }
    assertThat(empty).as("empty under load at scale " + scale).isEmpty();
    System.out.printf(
        "%s: %d panels, annotations and variables, %d queries of metrics: %d not empty, %d empty"
            + " with a reason%n",
        scale, panels.size(), asked, answered, excused.size());
    excused.forEach((query, reason) -> System.out.println("  empty: " + query + ": " + reason));
  }

  @Test
  void everyQueryOfLogsIsAnsweredUnderLoad() throws IOException {
    if (loki == null) {
      System.out.println("SKIPPED: no Loki was named");
      return;
    }
    if (LOKI == null) {
      for (int replica = 1; replica <= 3; replica++) {
        List<String> lines = Files.readAllLines(folder.resolve(replica + ".log"));
        assertThat(lines).isNotEmpty();
        loki.push(lines.stream().filter(line -> line.endsWith("}")).limit(500).toList());
      }
    }
    int asked = 0;
    int answered = 0;
    for (BoardQuery query : BoardQuery.all()) {
      if (query.isPromql()) {
        continue;
      }
      asked++;
      if (query.empty().isEmpty()) {
        Awaitility.await(query + ": " + query.interpolated())
            .atMost(30, TimeUnit.SECONDS)
            .until(() -> !loki.query(query.interpolated(), BACK).isEmpty());
        answered++;
      } else if (!loki.query(query.interpolated(), BACK).isEmpty()) {
        answered++;
      } else {
        System.out.println("  empty: " + query + ": " + query.empty());
      }
    }
    System.out.printf("%d panels, each a query of logs: %d not empty%n", asked, answered);
  }
}
