package dev.lastmile.demo.browser;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.ForcedColors;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Takes the pictures of the page, into {@code -Dlastmile.pictures=<folder>}; those in {@code
 * docs/pictures} were made smaller with {@code pngquant}.
 */
@EnabledIfSystemProperty(named = "lastmile.pictures", matches = ".+")
@Tag("long")
class PicturesIT extends BrowserTest {
  private static void take(Page page, String name, boolean whole) {
    page.evaluate("document.fonts.ready.then(() => true)");
    page.waitForTimeout(400);
    page.screenshot(
        new Page.ScreenshotOptions()
            .setPath(Path.of(System.getProperty("lastmile.pictures"), name + ".png"))
            .setFullPage(whole));
  }

  private static void scheme(Page page, ColorScheme scheme) {
    page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(scheme));
  }

  @Test
  void takesThem() {
    Page page = page();
    page.setViewportSize(1_280, 1_000);
    scheme(page, ColorScheme.LIGHT);
    take(page, "empty", false);
    page.locator("#story-play").click();
    page.locator("#step-silent[data-step=now]").waitFor();
    page.waitForTimeout(7_000);
    take(page, "silent", false);
    scheme(page, ColorScheme.DARK);
    take(page, "silent-dark", false);
    page.setViewportSize(390, 844);
    take(page, "silent-phone", true);
    page.setViewportSize(1_280, 1_000);
    scheme(page, ColorScheme.LIGHT);
    page.locator("#step-healthy[data-step=done]")
        .waitFor(new Locator.WaitForOptions().setTimeout(60_000));
    page.waitForTimeout(1_500);
    take(page, "healed", true);
    scheme(page, ColorScheme.DARK);
    take(page, "healed-dark", true);
    page.setViewportSize(390, 844);
    take(page, "healed-phone", true);
    page.emulateMedia(new Page.EmulateMediaOptions().setForcedColors(ForcedColors.ACTIVE));
    page.setViewportSize(1_280, 1_000);
    take(page, "healed-forced-colours", true);
    page.emulateMedia(new Page.EmulateMediaOptions().setForcedColors(ForcedColors.NONE));
    page.setViewportSize(390, 844);
    page.evaluate("document.querySelector('#expired button').click()");
    page.locator("#timeline-rows tr").first().waitFor();
    page.setViewportSize(1_280, 1_000);
    take(page, "timeline-dark", false);
  }
}
