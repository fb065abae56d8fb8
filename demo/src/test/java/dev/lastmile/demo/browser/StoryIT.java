package dev.lastmile.demo.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import dev.lastmile.testkit.telemetry.LedgerAudit;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Plays the whole story with one click. */
class StoryIT extends BrowserTest {
  /** The result of a step when it is done, or why the story stopped. */
  private static String seen(Page page, String step) {
    Locator over =
        page.locator("#step-" + step + "[data-step=done] .seen")
            .or(page.locator(".seen", new Page.LocatorOptions().setHasText("The story stops")))
            .first();
    over.waitFor(new Locator.WaitForOptions().setTimeout(60_000));
    return over.innerText();
  }

  @Test
  void singleWorks_scaledOutIsSilent_reconciliationSavesThePage_broadcastAndDirectedWork() {
    Page page = page();
    page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Play the story")).click();

    assertThat(seen(page, "single")).matches("([1-4]) of \\1 reports came live\\.");
    assertThat(page.locator("#strip-text").innerText()).contains("Fan-out off");
    assertThat(seen(page, "silent")).startsWith("No report came live. No error anywhere");
    assertThat(page.locator("#step-silent .seen").innerText()).matches("(?s).*says: \\d+ lost.*");
    assertThat(seen(page, "reconcile"))
        .startsWith("3 of 3 operations brought to their end by poll");
    assertThat(seen(page, "broadcast")).matches("(?s)(\\d+) of \\1 reports came live.*");
    assertThat(seen(page, "directed")).matches("(?s)(\\d+) of \\1 reports came live.*");
    assertThat(seen(page, "healthy")).contains("no page was wrong at the end");

    assertNotReloaded(page);
    assertThat(page.locator("#strip-text").innerText()).isEqualTo("Nothing is broken on purpose.");
    assertThat(page.locator("#cards > li .status").allInnerTexts())
        .hasSize(10)
        .allMatch(status -> status.contains("succeeded"));
    assertThat(page.locator("#expired > li").count()).isPositive();
    LedgerAudit books = LedgerAudit.read(stage.redis.uri());
    books.assertBalanced();
    // Twelve, or fewer if a callback that was rejected at first arrived too late to be stored.
    assertThat(books.total("not_received")).isGreaterThanOrEqualTo(9);
  }

  /** A story that is stopped half-way switches its faults off. */
  @Test
  void stoppedStory_switchesItsFaultsOff() {
    Page page = page();
    page.locator("#story-play").click();
    page.locator("#strip[data-kind=broken]").waitFor();
    page.locator("#story-play").click();
    page.locator("#strip[data-kind=well]").waitFor();
    assertThat(page.locator("#story-play").innerText()).isEqualTo("Play the story");
    assertThat(page.locator("[aria-checked=true]").allInnerTexts()).isEqualTo(List.of());
  }
}
