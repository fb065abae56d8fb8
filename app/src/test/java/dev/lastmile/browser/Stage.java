package dev.lastmile.browser;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Playwright;
import dev.lastmile.testing.Balancer;
import dev.lastmile.testing.Cluster;
import dev.lastmile.testing.Ports;
import dev.lastmile.testing.RedisServer.RedisProcess;
import dev.lastmile.testing.Tool;
import dev.lastmile.testing.Webhooks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What all browser tests play on: a Redis, three replicas with the demo, a balancer in front, and
 * the system's Chromium. Made once; it ends with this process.
 */
final class Stage {
  private static Stage shared;

  final RedisProcess redis;
  final Cluster cluster;
  final Balancer balancer;
  final Webhooks webhooks;
  final Browser chromium;
  private final Playwright playwright;

  private Stage(Path program) {
    Path data;
    try {
      data = Files.createTempDirectory("lastmile-browser");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    redis = new RedisProcess(Ports.free(), data, true);
    redis.start();
    cluster =
        Cluster.builder().redis(redis.uri()).demo().with("lastmile.stream.heartbeat", "2s").start();
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

  /** The stage; skips the test that asks where there is no Chromium, and says so. */
  static synchronized Stage get() {
    Path program = Tool.of("chromium");
    if (shared == null) {
      shared = new Stage(program);
      Runtime.getRuntime().addShutdownHook(new Thread(shared::close));
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
