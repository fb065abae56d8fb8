package dev.lastmile.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ReducedMotion;
import dev.lastmile.testing.LastmileProcess;
import io.restassured.RestAssured;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * A browser with an identity of its own for each test, and what all of them have to keep: no
 * violation of the page's policy, no error that nobody caught, no page loaded twice.
 */
abstract class Scene {
  static final Map<String, ?> AN_HOUR = Map.of("durationMillis", 3_600_000);

  final Stage stage = Stage.get();
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
      // What the network says when a test takes it away is no fault of the page.
      boolean network = message.text().contains("Failed to load resource");
      if (message.type().equals("error") && !network) {
        faults.add(message.text());
      }
    });
  }

  /** How the browser is opened. */
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
    assertThat(faults).as("errors that nobody caught").isEmpty();
  }

  static ConditionFactory await(String what) {
    return Awaitility.await(what)
        .atMost(20, TimeUnit.SECONDS)
        .pollInterval(50, TimeUnit.MILLISECONDS)
        .pollInSameThread();
  }

  /** The page in a new tab, live, marked so that a reload would show. */
  Page page() {
    Page page = visit();
    awaitLive(page);
    return page;
  }

  /** The page in a new tab, as soon as its program runs. */
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

  /** Creates an operation that only reports when the test does. */
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

  /** One that runs and does not hold the stream. */
  LastmileProcess other(LastmileProcess streaming) {
    return stage.cluster.replicas().stream()
        .filter(replica -> replica != streaming && replica.isAlive())
        .findAny()
        .orElseThrow();
  }
}
