package dev.lastmile.demo.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import io.restassured.RestAssured;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The page for everybody: screen reader, keyboard, phone, light and dark. */
@Tag("long")
class AccessIT extends BrowserTest {
  private static String axe() {
    try {
      Properties pom = new Properties();
      try (InputStream in = open("/META-INF/maven/org.webjars.npm/axe-core/pom.properties")) {
        pom.load(in);
      }
      String path =
          "/META-INF/resources/webjars/axe-core/" + pom.getProperty("version") + "/axe.min.js";
      try (InputStream in = open(path)) {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static InputStream open(String path) {
    InputStream in = AccessIT.class.getResourceAsStream(path);
    if (in == null) {
      throw new IllegalStateException("no " + path);
    }
    return in;
  }

  /**
   * The page once it knows the faults of the replicas. Its switches are disabled until then, and
   * they are on while a fault of the test before ends.
   */
  private Page pageWithoutFaults() {
    Page page = page();
    page.locator("#strip[data-kind=well]").waitFor();
    return page;
  }

  /** axe-core changes the document in ways that the page's own policy forbids. */
  @Override
  Browser.NewContextOptions options() {
    return super.options().setBypassCSP(true);
  }

  @SuppressWarnings("unchecked")
  private static void assertNothingSerious(Page page, String when) {
    List<String> found =
        (List<String>)
            page.evaluate(
                "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa',"
                    + " 'best-practice']}).then(it => it.violations.filter(v => ['serious',"
                    + " 'critical', 'moderate'].includes(v.impact)).map(v => `${v.impact} ${v.id}:"
                    + " ${v.nodes.map(n => n.html.slice(0, 200) + ' ' + n.failureSummary).join(' |"
                    + " ')}`))");
    assertThat(found).as(when).isEmpty();
  }

  @Test
  void axeFindsNothingSerious_inAnyStateOfThePage() {
    for (ColorScheme scheme : List.of(ColorScheme.LIGHT, ColorScheme.DARK)) {
      Page page = pageWithoutFaults();
      page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(scheme));
      page.evaluate(axe());
      assertNothingSerious(page, "empty, " + scheme);
      page.evaluate(
          "lastmile.create('export', {steps: 2, durationMillis: 300, fail: false}).then(() => true)");
      page.locator("#cards > li[data-status=SUCCEEDED]").first().waitFor();
      RestAssured.put(stage.balancer.uri() + "/api/demo/faults/local-only").then().statusCode(200);
      page.locator("#strip[data-kind=broken]").waitFor();
      page.evaluate(
          // So many updates that not all of them reach the owner's replica by chance.
          "lastmile.create('import', {steps: 9, durationMillis: 900, fail: true}).then(() => true)");
      page.locator("#cards > li").nth(1).waitFor();
      page.locator("#expired > li").first().waitFor();
      assertNothingSerious(page, "coordination off, " + scheme);
      page.locator("#expired button").first().click();
      page.locator("dialog[open]").waitFor();
      assertNothingSerious(page, "timeline, " + scheme);
      RestAssured.delete(stage.balancer.uri() + "/api/demo/faults/local-only");
      page.close();
    }
  }

  @Test
  void everythingIsReachedByKeyboard() {
    Page page = pageWithoutFaults();
    page.keyboard().press("Tab");
    assertThat(focused(page)).isEqualTo("Skip to the operations");
    page.keyboard().press("Enter");
    page.keyboard().press("Tab");
    assertThat(focused(page)).isEqualTo("Start one");
    page.keyboard().press("Enter");
    page.locator("#cards > li").first().waitFor();
    page.locator("[role=switch]").first().focus();
    page.keyboard().press("Space");
    page.locator("#strip[data-kind=broken]").waitFor();
    assertThat(page.locator("[role=switch]").first().getAttribute("aria-checked"))
        .isEqualTo("true");
    page.keyboard().press("Space");
    page.locator("#strip[data-kind=well]").waitFor();
  }

  /** A browser takes the focus from what is disabled or hidden, and begins at the top again. */
  @Test
  void whatIsPressedKeepsTheFocus_orHandsItOn() {
    Page page = pageWithoutFaults();
    page.locator("#drop").focus();
    page.keyboard().press("Enter");
    page.locator("#drop[aria-disabled=true]").waitFor();
    assertThat(focusedId(page)).isEqualTo("drop");
    awaitLive(page);
    page.locator("[data-key=local-only] .switch").focus();
    page.keyboard().press("Space");
    page.locator("#strip[data-kind=broken]").waitFor();
    page.locator("#strip-off").focus();
    page.keyboard().press("Enter");
    page.locator("#strip[data-kind=well]").waitFor();
    assertThat(focusedId(page)).isEqualTo("strip");
    page.keyboard().press("Tab");
    assertThat(focusedId(page)).isEqualTo("story-play");
    page.locator("#sleep").focus();
    page.keyboard().press("Enter");
    page.locator("#sleep[aria-disabled=true]").waitFor();
    page.waitForTimeout(1_500);
    assertThat(focusedId(page)).isEqualTo("sleep");
  }

  private static Object focusedId(Page page) {
    return page.evaluate("document.activeElement.id");
  }

  private static Object focused(Page page) {
    return page.evaluate("document.activeElement.textContent.trim()");
  }

  @Test
  void whatHappensIsSaid() {
    Page page = page();
    page.evaluate(
        "globalThis.said = []; new MutationObserver(() =>"
            + " said.push(document.getElementById('announcer').textContent))"
            + ".observe(document.getElementById('announcer'), {childList: true})");
    page.locator("#start-one").click();
    page.waitForFunction("() => said.includes('1 operation started.')");
    page.waitForFunction("() => said.some(it => /(succeeded|failed), learnt live/.test(it))");
  }
}
