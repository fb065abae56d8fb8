package dev.lastmile.demo.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Playwright;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Balancer;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.process.Tool;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import io.restassured.RestAssured;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/**
 * What all browser tests play on: a Redis, three replicas with the demo, a balancer in front, and
 * the system's Chromium. Made once; it ends with this process.
 */
final class BrowserEnvironment {
  private static BrowserEnvironment shared;

  final RedisProcess redis;
  final Cluster cluster;
  final Balancer balancer;
  final Webhooks webhooks;
  final Browser chromium;
  private final Playwright playwright;

  private BrowserEnvironment(Path program) {
    Path data;
    try {
      data = Files.createTempDirectory("lastmile-browser");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    redis = new RedisProcess(Ports.free(), data, true);
    redis.start();
    cluster = Cluster.builder().redis(redis.uri()).with("lastmile.stream.heartbeat", "2s").start();
    balancer = Balancer.of(cluster.replicas());
    webhooks = new Webhooks(cluster.secret());
    playwright =
        Playwright.create(
            new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
    chromium =
        playwright
            .chromium()
            .launch(
                new BrowserType.LaunchOptions()
                    .setExecutablePath(program)
                    .setArgs(List.of("--no-sandbox", "--js-flags=--expose-gc"))
                    // Pages that were left are to be kept, as a real browser does.
                    .setIgnoreDefaultArgs(List.of("--disable-back-forward-cache")));
  }

  /**
   * The story switches faults at the replicas that the page lists when it begins. Other classes
   * start their processes at the same time, so that this takes a while on a small machine.
   */
  private void awaitListsOfReplicas() {
    Awaitility.await("every replica to list all replicas")
        .atMost(60, TimeUnit.SECONDS)
        .untilAsserted(() -> {
          for (LastmileProcess replica : cluster.replicas()) {
            assertThat(
                    RestAssured.get(replica.uri().resolve("/api/demo/account"))
                        .jsonPath()
                        .getList("replicas.replica"))
                .as("replicas that %s lists", replica.name())
                .hasSize(cluster.replicas().size());
          }
        });
  }

  /** The stage; skips the test that asks where there is no Chromium, and says so. */
  static synchronized BrowserEnvironment get() {
    Path program = Tool.of("chromium");
    if (shared == null) {
      shared = new BrowserEnvironment(program);
      Runtime.getRuntime().addShutdownHook(new Thread(shared::close));
      shared.awaitListsOfReplicas();
    }
    return shared;
  }

  private void close() {
    try {
      playwright.close();
    } finally {
      balancer.close();
      cluster.close();
      redis.close();
    }
  }
}
