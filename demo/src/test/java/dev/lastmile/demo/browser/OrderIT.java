package dev.lastmile.demo.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.CDPSession;
import com.microsoft.playwright.Page;
import dev.lastmile.testkit.browser.Webhooks;
import io.restassured.RestAssured;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is seen never goes back, and does not grow. */
@Tag("long")
class OrderIT extends BrowserTest {
  private static final int OPERATIONS = 10;

  /** Notes each version that each card shows, whenever its text changes. */
  private static final String WATCH =
      """
      globalThis.shown = {};
      new MutationObserver(() => {
        for (const card of document.querySelectorAll('#cards > li')) {
          const version = Number(card.querySelector('.version').textContent.replace(/\\D/g, ''));
          const seen = (shown[card.dataset.key] ??= []);
          if (seen.at(-1) !== version) {
            seen.push(version);
          }
        }
      }).observe(document.getElementById('cards'), {subtree: true, childList: true, characterData: true})
      """;

  /** Lists have everything, and arrive late: what the stream has brought meanwhile is newer. */
  private static final String LATE_LISTS =
      """
      const quick = globalThis.fetch;
      globalThis.fetch = async (url, init) => {
        if (!String(url).includes('/api/operations?limit=100&after=')) {
          return quick(url, init);
        }
        const answer = await quick('/api/operations', init);
        const text = await answer.text();
        await new Promise(resolve => setTimeout(resolve, 700));
        return new Response(text, {status: answer.status, headers: answer.headers});
      };
      """;

  @Test
  @SuppressWarnings("unchecked")
  void duplicatesAndReorderingsNeverFlickerBack() {
    context.addInitScript(LATE_LISTS);
    Page page = page();
    for (String fault : List.of("duplicate-callbacks", "reorder-callbacks")) {
      RestAssured.put(stage.balancer.uri() + "/api/demo/faults/" + fault).then().statusCode(200);
    }
    page.evaluate(WATCH);
    page.evaluate(
        "Promise.all([1, 2, 3, 4, 5, 6].map(() => lastmile.create('report', {steps: 8,"
            + " durationMillis: 2000, fail: false}))).then(() => true)");
    // Polls beside the stream, each 0.7 s staler than it.
    page.evaluate("globalThis.asking = setInterval(() => { lastmile.reconcile(); }, 100); true");
    page.waitForFunction(
        "() => lastmile.operations.size === 6 && [...lastmile.operations.values()].every(it =>"
            + " it.status === 'SUCCEEDED')");
    page.evaluate("clearInterval(globalThis.asking)");
    page.waitForTimeout(500);
    Map<String, List<Integer>> shown = (Map<String, List<Integer>>) page.evaluate("shown");
    assertThat(shown).hasSize(6);
    shown.forEach((id, versions) ->
        assertThat(versions).as(id).isSorted().doesNotHaveDuplicates().isNotEmpty());
    assertThat(page.locator("#cards > li .status").allInnerTexts())
        .allMatch(status -> status.contains("succeeded"));
  }

  /**
   * What lives after two forced collections, before and after ten thousand updates of the same ten
   * operations; and how many nodes the document has.
   */
  @Test
  void memoryIsFlatOverTenThousandUpdates() throws InterruptedException {
    Page page = page();
    List<String> ids = new java.util.ArrayList<>();
    for (int i = 0; i < OPERATIONS; i++) {
      ids.add(create(page));
    }
    CDPSession tools = context.newCDPSession(page);
    send(page, ids, 1, 200);
    double[] before = measure(page, tools);
    send(page, ids, 201, 1_200);
    double[] after = measure(page, tools);
    System.out.printf(
        "REPORT heap of the page %.2f MB after 2000 updates, %.2f MB after 12000; nodes %.0f, %.0f;"
            + " listeners %.0f, %.0f%n",
        before[0] / 1e6, after[0] / 1e6, before[1], after[1], before[2], after[2]);
    assertThat(after[0] - before[0]).as("bytes that stayed").isLessThan(250_000);
    assertThat(after[1]).as("nodes").isLessThanOrEqualTo(before[1] + 50);
    assertThat(after[2]).as("listeners").isLessThanOrEqualTo(before[2] + 5);
  }

  private void send(Page page, List<String> ids, int from, int to) throws InterruptedException {
    try (ExecutorService senders = Executors.newFixedThreadPool(OPERATIONS)) {
      for (String id : ids) {
        senders.execute(() -> {
          for (int revision = from; revision <= to; revision++) {
            stage.webhooks.outcome(
                stage.cluster.replica(1 + revision % 3),
                id,
                Webhooks.running(revision, revision % 100));
          }
        });
      }
    }
    ids.forEach(id -> awaitVersion(page, id, to + 1));
    page.waitForFunction("() => lastmile.connection.acksPending === 0");
  }

  private static double[] measure(Page page, CDPSession tools) {
    // Timelines and polls under way are over.
    page.waitForTimeout(9_000);
    tools.send("HeapProfiler.enable");
    tools.send("HeapProfiler.collectGarbage");
    tools.send("HeapProfiler.collectGarbage");
    tools.send("Performance.enable");
    com.google.gson.JsonObject metrics = tools.send("Performance.getMetrics");
    return new double[] {
      metric(metrics, "JSHeapUsedSize"),
      metric(metrics, "Nodes"),
      metric(metrics, "JSEventListeners")
    };
  }

  private static double metric(com.google.gson.JsonObject metrics, String name) {
    for (com.google.gson.JsonElement each : metrics.getAsJsonArray("metrics")) {
      if (each.getAsJsonObject().get("name").getAsString().equals(name)) {
        return each.getAsJsonObject().get("value").getAsDouble();
      }
    }
    throw new IllegalStateException("no metric " + name);
  }
}
