package dev.lastmile.demo.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ReducedMotion;
import dev.lastmile.testkit.cluster.LastmileProcess;
import io.restassured.RestAssured;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * A browser with a new identity for each test, and the checks after each test: no violation of the
 * Content Security Policy, no uncaught error, no reload of the page.
 *
 * <p>All of them share one cluster and one browser, so one test runs at a time, also where other
 * classes run beside it. Playwright may be called by several threads, but by one at a time.
 */
@ResourceLock("browser")
abstract class BrowserTest {
  static final Map<String, ?> AN_HOUR = Map.of("durationMillis", 3_600_000);

  final BrowserEnvironment stage = BrowserEnvironment.get();
  BrowserContext context;
  private final List<String> faults = new ArrayList<>();

  @BeforeEach
  void open() {
    context = stage.chromium.newContext(options());
    context.setDefaultTimeout(20_000);
    context.addInitScript(
        "globalThis.violations = []; addEventListener('securitypolicyviolation', e =>"
            + " violations.push(e.violatedDirective + ' ' + e.blockedURI));");
    context.onWebError(error -> faults.add(error.error()));
    context.onConsoleMessage(message -> {
      // Errors of the network are caused by the test, not by the page.
      boolean network = message.text().contains("Failed to load resource");
      if (message.type().equals("error") && !network) {
        faults.add(message.text());
      }
    });
  }

  /** The options of the browser context. */
  Browser.NewContextOptions options() {
    return new Browser.NewContextOptions()
        .setReducedMotion(ReducedMotion.REDUCE)
        .setViewportSize(1_280, 900);
  }

  @AfterEach
  void close() {
    for (Page page : context.pages()) {
      if (page.url().startsWith("http")) {
        assertThat(page.evaluate("globalThis.violations ?? []"))
            .as("violations of the policy")
            .isEqualTo(List.of());
      }
    }
    context.close();
    for (String fault :
        List.of(
            "local-only", "deaf", "refuse-callbacks", "duplicate-callbacks", "reorder-callbacks")) {
      RestAssured.delete(stage.balancer.uri() + "/api/demo/faults/" + fault);
    }
    assertThat(faults).as("uncaught errors").isEmpty();
  }

  static ConditionFactory await(String what) {
    return Awaitility.await(what)
        .atMost(20, TimeUnit.SECONDS)
        .pollInterval(50, TimeUnit.MILLISECONDS)
        .pollInSameThread();
  }

  /** Opens the page in a new tab, waits until it is live, and marks it to detect a reload. */
  Page page() {
    Page page = visit();
    awaitLive(page);
    return page;
  }

  /** Opens the page in a new tab and waits until its scripts run. */
  Page visit() {
    Page page = context.newPage();
    page.navigate(stage.balancer.uri().toString());
    page.waitForFunction("() => globalThis.lastmile");
    page.evaluate("globalThis.sameDocument = true");
    return page;
  }

  static void awaitLive(Page page) {
    page.waitForFunction("() => lastmile.state === 'live'");
  }

  static void assertNotReloaded(Page page) {
    assertThat(page.evaluate("globalThis.sameDocument")).isEqualTo(true);
  }

  /** Creates an operation that gets no callbacks except those of the test. */
  static String create(Page page) {
    return (String)
        page.evaluate(
            "input => lastmile.create('export', input).then(it => it.operationId)", AN_HOUR);
  }

  /** The card of an operation. */
  static Locator card(Page page, String operationId) {
    return page.locator("#cards > li[data-key='" + operationId + "']");
  }

  /** Waits for a card to show a version. */
  static void awaitVersion(Page page, String operationId, long version) {
    card(page, operationId)
        .locator(".version", new Locator.LocatorOptions().setHasText("version " + version))
        .waitFor();
  }

  /** The replica that holds the stream. */
  LastmileProcess streaming(Page page) {
    String name = (String) page.evaluate("lastmile.connection.replica");
    return stage.cluster.replicas().stream()
        .filter(replica -> replica.name().equals(name))
        .findAny()
        .orElseThrow();
  }

  /** A running replica that does not hold the stream. */
  LastmileProcess other(LastmileProcess streaming) {
    return stage.cluster.replicas().stream()
        .filter(replica -> replica != streaming && replica.isAlive())
        .findAny()
        .orElseThrow();
  }
}
