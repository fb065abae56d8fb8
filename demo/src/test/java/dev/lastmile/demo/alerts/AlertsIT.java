package dev.lastmile.demo.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.BrowserPace;
import dev.lastmile.testkit.browser.SimulatedBrowsers;
import dev.lastmile.testkit.browser.Traffic;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisProxy;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.testkit.rules.RuleFiles;
import dev.lastmile.testkit.telemetry.Alertmanager;
import dev.lastmile.testkit.telemetry.Alertmanager.Notice;
import dev.lastmile.testkit.telemetry.Prometheus;
import dev.lastmile.testkit.telemetry.Prometheus.Alert;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests the alerts with replicas under load, Prometheus with the demo set of rules, and
 * Alertmanager. A healthy system pages nothing, a fault pages in time, and its alerts resolve after
 * the repair.
 *
 * <p>Writes {@code target/alerts.md}. {@code -Dlastmile.faults=all} tests more faults; {@code
 * -Dlastmile.healthy.seconds=900} observes a healthy system for longer.
 */
@Tag("long")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class AlertsIT {
  private static final Path TABLE = Path.of("target", "alerts.md");
  private static final Duration HEALTHY =
      Duration.ofSeconds(Long.getLong("lastmile.healthy.seconds", 60));
  private static final int PER_SECOND = 20;

  /** Alerts without a {@code for}. */
  private static final Set<String> AT_ONCE = Set.of("DeliveryLost", "ReplicaMissing");

  /** Alerts of any fault that loses deliveries. */
  private static final Set<String> BURN = Set.of("DeliveryLossBurn");

  /** Alerts of a fault during which callbacks are answered with 503. */
  private static final Set<String> REFUSED = Set.of("DeliveryLossBurn", "CallbackErrors");

  /**
   * Alerts of a fault during which replicas receive nothing: deliveries are lost, and pages poll.
   */
  private static final Set<String> LOSS =
      Set.of("DeliveryLossBurn", "DeliveryLost", "PushDegraded");

  /**
   * Alerts that another one silences in Alertmanager if it fires first, because it names the cause.
   */
  private static final Map<String, String> CAUSES = Map.of("DeliveryLost", "ReplicaNotReceiving");

  @TempDir private static Path folder;

  private static RedisProcess redis;
  private static final List<RedisProxy> NETWORKS = new ArrayList<>();
  private static Cluster cluster;
  private static SimulatedBrowsers crowd;
  private static Traffic traffic;
  private static Alertmanager alertmanager;
  private static Prometheus prometheus;

  @BeforeAll
  static void start() throws IOException {
    alertmanager = Alertmanager.start();
    redis = new RedisProcess(Ports.free(), folder, true);
    redis.start();
    Cluster.Builder builder = Cluster.builder().redis(redis.uri());
    for (int replica = 1; replica <= 3; replica++) {
      RedisProxy network = RedisProxy.to(redis.uri());
      NETWORKS.add(network);
      builder.withReplica(replica, "spring.data.redis.url", network.uri());
    }
    cluster = builder.start();
    prometheus = Prometheus.start(cluster, RuleFiles.folder("demo"), alertmanager);
    crowd = SimulatedBrowsers.of(cluster, 30, 7, BrowserPace.USUAL);
    crowd.awaitConnected(Duration.ofSeconds(30));
    traffic = new Traffic(cluster, crowd, PER_SECOND, 7);
    Awaitility.await("traffic to be seen by the rules")
        .atMost(60, TimeUnit.SECONDS)
        .until(
            () -> !prometheus.query("job:lastmile_deliveries_expected:increase5s > 0").isEmpty());
    Files.writeString(
        TABLE,
        "| fault | alert expected | fired after, s | page after, s | resolved after, s | also paged |\n"
            + "|---|---|---|---|---|---|\n");
  }

  @AfterAll
  static void stop() {
    if (traffic != null) {
      traffic.close();
    }
    if (crowd != null) {
      crowd.close();
    }
    if (prometheus != null) {
      prometheus.close();
    }
    if (alertmanager != null) {
      alertmanager.close();
    }
    if (cluster != null) {
      cluster.close();
    }
    NETWORKS.forEach(RedisProxy::close);
    if (redis != null) {
      redis.close();
    }
  }

  private static void during(Duration time) {
    long until = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < until) {
      LockSupport.parkNanos(until - System.nanoTime());
    }
  }

  private static Set<String> pages() {
    return prometheus.alerts().stream()
        .filter(alert -> alert.isFiring() && alert.severity().equals("page"))
        .map(Alert::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static double seconds(long sinceNanos) {
    return (System.nanoTime() - sinceNanos) / 1e9;
  }

  private static double value(String query) {
    List<Prometheus.Sample> samples = prometheus.query(query);
    assertThat(samples).as(query).hasSize(1);
    return samples.getFirst().value();
  }

  @Test
  @Order(1)
  void aHealthySystemUnderLoadPagesNobody_andItsIndicatorIsExactlyOne() {
    long until = System.nanoTime() + HEALTHY.toNanos();
    while (System.nanoTime() < until) {
      assertThat(prometheus.alerts())
          .as("after %.0f s", HEALTHY.toSeconds() - (until - System.nanoTime()) / 1e9)
          .filteredOn(alert -> alert.isFiring() || alert.severity().equals("page"))
          .allMatch(alert -> alert.name().equals("Watchdog"));
      during(Duration.ofSeconds(1));
    }
    for (Prometheus.Sample sli : prometheus.query("job_window:lastmile_delivery_loss:sli")) {
      assertThat(sli.value()).as(sli.labels().toString()).isEqualTo(1.0);
    }
    assertThat(value("job_window:lastmile_deliveries_valid:increase{window=\"6m\"}"))
        .isGreaterThan(PER_SECOND * Math.min(HEALTHY.toSeconds(), 360) * 0.8);
    assertThat(alertmanager.notices()).allMatch(notice -> notice.receiver().equals("watchdog"));
  }

  /** A new term: the totals begin anew. No total is taken for an increase, and nothing is lost. */
  @Test
  @Order(2)
  void aRestartOfRedisWithItsDataBeginsTheAccountAnew_andPagesNobody() {
    String start = "job:lastmile_ledger_start_timestamp_seconds:max";
    String expected = "sum(owner:lastmile_deliveries_expected:max)";
    double began = value(start);
    double before = value(expected);
    redis.kill();
    redis.start();
    Awaitility.await("the rules to see the new account")
        .atMost(30, TimeUnit.SECONDS)
        .until(() -> prometheus.query(start).stream().anyMatch(it -> it.value() > began));
    assertThat(value(expected)).as("of the new account").isLessThan(before / 2);
    during(Duration.ofSeconds(20));
    assertThat(pages()).isEmpty();
    String increase = "sum(owner:lastmile_deliveries_expected:increase5s)";
    assertThat(value("max_over_time(" + increase + "[1m:5s])"))
        .as("deliveries in 5 s")
        .isLessThan(PER_SECOND * 5 * 3);
    assertThat(value("sum(sum_over_time(owner_reason:lastmile_deliveries_expired:increase5s[1m]))"))
        .isZero();
    assertThat(crowd.catchUp(Duration.ofSeconds(10)).wrong()).as("wrong browsers").isZero();
  }

  /** Runs last, because the series of long windows exist only after several evaluations. */
  @Test
  @Order(6)
  void everySeriesThatRulesAndRunbooksNameExists() {
    Awaitility.await("all series")
        .atMost(150, TimeUnit.SECONDS)
        .pollInterval(5, TimeUnit.SECONDS)
        .untilAsserted(AlertsIT::assertAllSeriesExist);
  }

  private static void assertAllSeriesExist() {
    Set<String> missing = new TreeSet<>();
    Set<String> seen = new TreeSet<>(prometheus.names());
    for (String expression : RuleFiles.expressions("demo")) {
      for (String name : RuleFiles.series(expression)) {
        // The Collector does not run here.
        if (!seen.contains(name) && !name.matches("otelcol_.*")) {
          missing.add(name);
        }
      }
    }
    assertThat(missing).isEmpty();
  }

  /**
   * Injects a fault, waits for its alert and the notification of it or of its cause, repairs the
   * fault, and waits until no page is left. Fails if another alert pages that the fault does not
   * explain.
   *
   * @param replica the {@code replica} label of the alert; empty for any
   * @param within most seconds from the fault until the alert fires
   * @param explained the other alerts that may page
   */
  private static void fault(
      String name,
      String alert,
      String replica,
      int within,
      Set<String> explained,
      Runnable breaks,
      Runnable heals) {
    boolean[] pending = new boolean[1];
    long began = System.nanoTime();
    int told = alertmanager.notices().size();
    Thread breaking = Thread.ofVirtual().start(breaks);
    double fired;
    double paged = Double.NaN;
    try {
      fired =
          Awaitility.await(alert + " to fire")
              .atMost(within, TimeUnit.SECONDS)
              .pollInterval(500, TimeUnit.MILLISECONDS)
              .until(
                  () -> {
                    List<Alert> meant =
                        prometheus.alerts().stream()
                            .filter(a -> a.name().equals(alert))
                            .filter(
                                a -> replica.isEmpty() || replica.equals(a.labels().get("replica")))
                            .toList();
                    pending[0] |= meant.stream().anyMatch(a -> !a.isFiring());
                    return meant.stream().anyMatch(Alert::isFiring) ? seconds(began) : -1;
                  },
                  after -> after >= 0);
      Notice notice =
          Awaitility.await(alert + " or its cause to be notified")
              .atMost(45, TimeUnit.SECONDS)
              .until(
                  () ->
                      alertmanager.notices().stream()
                          .skip(told)
                          .filter(n -> !n.resolved())
                          .filter(
                              n -> n.alert().equals(alert) || n.alert().equals(CAUSES.get(alert)))
                          .findFirst()
                          .orElse(null),
                  found -> found != null);
      paged = (notice.atNanos() - began) / 1e9;
    } finally {
      join(breaking);
      heals.run();
    }
    long healed = System.nanoTime();
    Awaitility.await("pages to resolve after " + name)
        .atMost(4, TimeUnit.MINUTES)
        .pollInterval(1, TimeUnit.SECONDS)
        .until(() -> {
          Set<String> left = pages();
          // The burn rate stays high until its windows are over.
          left.remove("DeliveryLossBurn");
          return left.isEmpty();
        });
    Set<String> others =
        alertmanager.notices().stream()
            .skip(told)
            // The notification that an earlier alert is resolved may come late.
            .filter(n -> n.receiver().equals("page") && !n.resolved() && !n.alert().equals(alert))
            .map(Notice::alert)
            .collect(Collectors.toCollection(TreeSet::new));
    String row =
        "| %s | %s %s | %.0f | %.0f | %.0f | %s |\n"
            .formatted(
                name, alert, replica, fired, paged, seconds(healed), String.join(", ", others));
    System.out.print(row);
    try {
      Files.writeString(TABLE, row, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    assertThat(others).as("other pages during " + name).isSubsetOf(explained);
    // Alerts without a "for" are never pending.
    assertThat(pending[0] || AT_ONCE.contains(alert)).as(alert + " was pending first").isTrue();
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  @Order(3)
  void aDeafReplicaIsPaged_byItsName() {
    RedisProxy network = NETWORKS.get(2);
    fault(
        "replica-3 is deaf",
        "ReplicaNotReceiving",
        "replica-3",
        44,
        LOSS,
        network::discard,
        network::pass);
  }

  @Test
  @Order(4)
  void fanOutThatIsLocalOnlyIsPagedWithinAMinute() {
    fault(
        "local-only",
        "DeliveryLost",
        "",
        60,
        Set.of("DeliveryLossBurn", "ReplicaNotReceiving", "PushDegraded"),
        () -> cluster.switchFanOut("local-only"),
        () -> cluster.switchFanOut("directed"));
  }

  @Test
  @Order(5)
  @EnabledIfSystemProperty(named = "lastmile.faults", matches = "all")
  void moreFaults() {
    LastmileProcess replica = cluster.replica(3);
    fault(
        "kill -9 of replica-3",
        "ReplicaMissing",
        "",
        40,
        BURN,
        replica::kill,
        () -> replica.start().awaitReady());
    fault("Redis is gone", "RedisUnreachable", "", 40, REFUSED, redis::kill, redis::start);
    fault(
        "Redis stands still",
        "RedisUnreachable",
        "",
        50,
        REFUSED,
        () -> redis.signal("STOP"),
        () -> redis.signal("CONT"));
    fault(
        "Redis is out of memory",
        "RedisRefusing",
        "",
        40,
        Set.of("DeliveryLossBurn", "CallbackErrors", "RedisUnreachable"),
        () -> redis.configure("maxmemory", "1"),
        () -> redis.configure("maxmemory", "0"));
    fault(
        "Redis became a replica",
        "RedisRefusing",
        "",
        40,
        Set.of("DeliveryLossBurn", "CallbackErrors", "RedisUnreachable"),
        () -> redis.configure("replicaof", "127.0.0.1 1"),
        () -> redis.configure("replicaof", "no one"));
    fault(
        "all replicas are deaf",
        "ReplicaNotReceiving",
        "replica-1",
        44,
        LOSS,
        () -> NETWORKS.forEach(RedisProxy::discard),
        () -> NETWORKS.forEach(RedisProxy::pass));
    Thread[] forger = new Thread[1];
    fault(
        "forged callbacks, 10/s",
        "CallbackErrors",
        "",
        60,
        Set.of(),
        () -> forger[0] = Thread.ofVirtual().start(AlertsIT::forge),
        () -> forger[0].interrupt());
    fault(
        "all replicas stopped",
        "CanaryAbsent",
        "",
        120,
        LOSS,
        () -> cluster.replicas().forEach(LastmileProcess::kill),
        () -> {
          cluster.replicas().forEach(LastmileProcess::start);
          cluster.replicas().forEach(LastmileProcess::awaitReady);
        });
  }

  private static void forge() {
    Webhooks stranger = new Webhooks("whsec_" + "A".repeat(44));
    while (!Thread.currentThread().isInterrupted()) {
      try {
        stranger.send(cluster.replica(1), "op1-" + "0".repeat(32), Webhooks.running(1, 1));
      } catch (RuntimeException e) {
        // The replica may be down.
      }
      LockSupport.parkNanos(100_000_000);
    }
  }
}
