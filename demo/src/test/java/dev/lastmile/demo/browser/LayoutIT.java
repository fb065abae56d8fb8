package dev.lastmile.demo.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ForcedColors;
import io.restassured.RestAssured;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests the layout: nothing shifts, nothing covers or widens the page, and states differ visibly.
 */
@Tag("long")
class LayoutIT extends BrowserTest {
  /**
   * Measures the cumulative layout shift: the largest burst of shifts without user input. The
   * shifts of a burst are less than 1 s apart and within 5 s (<a
   * href="https://web.dev/articles/cls">definition</a>).
   */
  private static final String WATCH =
      """
      globalThis.shift = 0;
      globalThis.shifted = [];
      globalThis.burst = 0;
      let first = 0;
      let last = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          if (!entry.hadRecentInput) {
            if (entry.startTime - last >= 1000 || entry.startTime - first >= 5000) {
              burst = 0;
              first = entry.startTime;
            }
            last = entry.startTime;
            burst += entry.value;
            shift = Math.max(shift, burst);
            shifted.push(entry.value.toFixed(3) + ' ' + entry.sources.map((it) =>
              (it.node?.id || it.node?.className || it.node?.nodeName)
                + ' ' + it.previousRect.y + '→' + it.currentRect.y).join(', '));
          }
        }
      }).observe({type: 'layout-shift', buffered: true});
      """;

  private Page watched() {
    Page page = context.newPage();
    page.addInitScript(WATCH);
    page.navigate(stage.balancer.uri().toString());
    page.waitForFunction("() => globalThis.lastmile?.state === 'live'");
    return page;
  }

  private void assertSteady(Page page, String when) {
    double shift = ((Number) page.evaluate("shift")).doubleValue();
    System.out.printf("REPORT cumulative layout shift %.4f, %s%n", shift, when);
    // Core Web Vitals rate values up to 0.1 as good.
    assertThat(shift).as("%s", page.evaluate("shifted.join('\\n')")).isLessThan(0.05);
  }

  private static void awaitTenEnded(Page page) {
    page.waitForFunction(
        "() => lastmile.operations.size === 10 && [...lastmile.operations.values()].every(it =>"
            + " it.status === 'SUCCEEDED' || it.status === 'FAILED')");
    page.waitForTimeout(1_000);
  }

  private void switchOn(String fault) {
    RestAssured.put(stage.balancer.uri() + "/api/demo/faults/" + fault).then().statusCode(200);
  }

  @Test
  void nothingJumps() {
    Page page = watched();
    page.locator("#start-ten").click();
    awaitTenEnded(page);
    assertSteady(page, "ten operations");
  }

  /** On a slow machine the stream may be faster than the response to a creation. */
  @Test
  void nothingJumps_whenUpdatesOvertakeTheResponses() {
    Page page = watched();
    page.evaluate(
        """
        globalThis.held = 0;
        const released = new Promise((resolve) => (globalThis.release = resolve));
        const send = globalThis.fetch;
        globalThis.fetch = async (url, init) => {
          const response = await send(url, init);
          if (init?.method === 'POST' && String(url).endsWith('/api/operations')) {
            held++;
            await released;
          }
          return response;
        };
        true
        """);
    page.locator("#start-ten").click();
    page.waitForFunction("() => held === 10 && lastmile.operations.size === 10");
    // A shift within 500 ms of an input does not count.
    page.waitForTimeout(1_000);
    page.evaluate("release()");
    awaitTenEnded(page);
    assertSteady(page, "ten operations with late responses");
  }

  /**
   * Faults and the strip change while the page is scrolled to the faults. Nothing may move there.
   */
  @ParameterizedTest
  @ValueSource(ints = {1_280, 390})
  void nothingJumps_whenScrolledToTheFaults(int width) {
    Page page = watched();
    page.setViewportSize(width, 844);
    page.evaluate(
        "Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(() => lastmile.create('export', {steps: 20,"
            + " durationMillis: 8000}))).then(() => true)");
    page.evaluate("document.getElementById('faults-title').scrollIntoView()");
    page.waitForTimeout(500);
    page.evaluate("shift = 0; burst = 0; shifted.length = 0; true");
    switchOn("local-only");
    page.locator("#strip[data-kind=broken]").waitFor();
    for (String fault :
        List.of("duplicate-callbacks", "reorder-callbacks", "deaf?replica=replica-2")) {
      switchOn(fault);
    }
    page.waitForFunction(
        "() => document.getElementById('strip-text').textContent.includes('deaf (replica-2)')");
    page.evaluate("lastmile.drop()");
    page.waitForFunction("() => lastmile.state !== 'live'");
    awaitLive(page);
    page.evaluate("lastmile.pause()");
    page.waitForTimeout(500);
    page.evaluate("lastmile.resume()");
    awaitLive(page);
    for (String fault : List.of("local-only", "duplicate-callbacks", "reorder-callbacks", "deaf")) {
      RestAssured.delete(stage.balancer.uri() + "/api/demo/faults/" + fault).then().statusCode(200);
    }
    page.waitForFunction(
        "() => !document.getElementById('strip-text').textContent.includes('Fan-out')");
    page.waitForTimeout(1_000);
    assertSteady(page, "at the faults, " + width + " wide");
    page.reload();
    awaitLive(page);
    page.waitForTimeout(2_000);
    assertSteady(page, "loaded again at the faults, " + width + " wide");
  }

  @Test
  void fitsAPhone() {
    Page page = page();
    page.setViewportSize(360, 740);
    page.locator("#start-one").click();
    page.locator("#cards > li").first().waitFor();
    assertThat(page.evaluate("document.documentElement.scrollWidth")).isEqualTo(360);
    @SuppressWarnings("unchecked")
    List<String> small =
        (List<String>)
            page.evaluate(
                "[...document.querySelectorAll('button')].filter(it => it.offsetParent &&"
                    + " it.getBoundingClientRect().height < 24).map(it => it.textContent)");
    assertThat(small).as("buttons that are too small to touch").isEmpty();
  }

  /** A replica's name, a message of the external system or an error may be one long word. */
  @ParameterizedTest
  @ValueSource(ints = {1_280, 360})
  void longWordsWrap(int width) {
    Page page = page();
    page.locator("#start-one").click();
    page.locator("#cards .message").first().waitFor();
    page.setViewportSize(width, 740);
    page.evaluate(
        """
        for (const node of document.querySelectorAll('p, .message, .says, .seen, .hint, .label,'
            + ' .facts dd, .equation dd, .where, .when, .expired span, #state-detail')) {
          if (!node.children.length) {
            node.hidden = false;
            node.textContent = 'unbroken'.repeat(40);
          }
        }
        """);
    assertThat(page.evaluate("document.documentElement.scrollWidth")).isEqualTo(width);
  }

  /** The strip stays at the top and must not cover the focused element. */
  @ParameterizedTest
  @ValueSource(ints = {1_280, 360})
  void whatHasTheFocusLiesNotUnderTheStrip(int width) {
    switchOn("local-only");
    switchOn("duplicate-callbacks");
    switchOn("reorder-callbacks");
    Page page = page();
    page.setViewportSize(width, 740);
    page.locator("#strip-off").waitFor();
    page.evaluate("scrollTo(0, document.body.scrollHeight)");
    page.locator("#slow-reader").focus();
    int seen = 0;
    while (!page.evaluate("document.activeElement.className").equals("skip")) {
      page.keyboard().press("Shift+Tab");
      page.waitForTimeout(30);
      Object covered =
          page.evaluate(
              """
              () => {
                const it = document.activeElement;
                const strip = document.getElementById('strip');
                const {top, bottom} = strip.getBoundingClientRect();
                const rect = it.getBoundingClientRect();
                const under = rect.top < bottom && rect.bottom > top && !strip.contains(it);
                return under && it !== document.body && it.className !== 'skip'
                  ? `${it.id || it.textContent}: ${rect.top} under ${bottom}` : '';
              }
              """);
      assertThat(covered).isEqualTo("");
      assertThat(++seen).isLessThan(100);
    }
    assertThat(seen).isGreaterThan(15);
  }

  /**
   * The values of each state. The key is the selector, the attribute, and the part and
   * pseudo-element that show the state.
   */
  private static final Map<String, List<String>> STATES =
      Map.ofEntries(
          Map.entry(
              "#state|data-state|.mark|", List.of("connecting", "live", "degraded", "offline")),
          Map.entry("#strip|data-kind||::before", List.of("well", "broken", "away")),
          Map.entry(".legend .via|data-via||", List.of("live", "replay", "poll", "created")),
          Map.entry(
              ".hops li|data-light|.dot|", List.of("passed", "waiting", "late", "lost", "skipped")),
          Map.entry(".steps li|data-step||", List.of("ahead", "now", "done")),
          Map.entry(".switch|aria-checked||::after", List.of("true", "false")),
          Map.entry("#offline|aria-pressed||", List.of("true", "false")),
          Map.entry("#drop|aria-disabled||", List.of("true", "false")));

  @Test
  @SuppressWarnings("unchecked")
  void statesAreToldApart_whereColoursAreForced() {
    Page page = page();
    page.locator("#start-one").click();
    page.locator("#cards .hops").first().waitFor();
    page.emulateMedia(new Page.EmulateMediaOptions().setForcedColors(ForcedColors.ACTIVE));
    STATES.forEach((group, values) -> {
      String[] parts = group.split("\\|", -1);
      List<String> looks =
          (List<String>)
              page.evaluate(
                  """
                  ([selector, name, part, pseudo, ...values]) => {
                    const owner = document.querySelector(selector);
                    const before = owner.getAttribute(name);
                    const looks = values.map((value) => {
                      owner.setAttribute(name, value);
                      const node = part ? owner.querySelector(part) : owner;
                      const it = getComputedStyle(node, pseudo || null);
                      return [it.backgroundColor, it.color, it.borderTopColor, it.borderTopStyle,
                        it.borderTopWidth, it.borderTopLeftRadius, it.transform, it.translate,
                        it.width].join(' ');
                    });
                    before === null ? owner.removeAttribute(name) : owner.setAttribute(name, before);
                    return looks;
                  }
                  """,
                  Stream.concat(Arrays.stream(parts), values.stream()).toList());
      assertThat(looks).as(group).doesNotHaveDuplicates().hasSameSizeAs(values);
    });
    // Areas must not have the colour of the canvas, on which they would be invisible.
    for (String filled : List.of(".legend .via[data-via=live]", ".level span")) {
      assertThat(
              page.evaluate(
                  "selector => getComputedStyle(document.querySelector(selector)).backgroundColor"
                      + " === getComputedStyle(document.documentElement).backgroundColor",
                  filled))
          .as(filled)
          .isEqualTo(false);
    }
  }
}
