package dev.lastmile.demo.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.microsoft.playwright.CDPSession;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.LastmileProcess;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Whatever breaks, the page is right again within its bound, without a reload. */
@Tag("long")
class FailuresIT extends BrowserTest {
  /** P2: within 5 s of being connected again; a little more for the browser to get there. */
  private static final long BOUND_MILLIS = 8_000;

  private static long millisUntil(Runnable seen) {
    long begun = System.nanoTime();
    seen.run();
    return (System.nanoTime() - begun) / 1_000_000;
  }

  @Test
  void replicaThatHoldsTheStreamIsKilled_pageIsRightWithinTheBound() {
    Page page = page();
    String id = create(page);
    awaitVersion(page, id, 1);
    LastmileProcess killed = streaming(page);
    LastmileProcess survivor = other(killed);
    killed.kill();
    try {
      stage.webhooks.outcome(survivor, id, Webhooks.succeeded(1));
      long millis = millisUntil(() -> awaitVersion(page, id, 2));
      System.out.printf("REPORT right %d ms after its replica was killed%n", millis);
      assertThat(millis).isLessThan(BOUND_MILLIS);
      awaitLive(page);
      assertThat(streaming(page)).isNotSameAs(killed);
      assertNotReloaded(page);
    } finally {
      killed.start().awaitReady();
    }
  }

  @Test
  void sleepsByItsButton_andKnowsEverythingWhenItWakes() {
    Page page = page();
    String id = create(page);
    page.clock().install();
    page.locator("#sleep").click();
    page.locator("#state[data-state=offline]").waitFor();
    stage.webhooks.outcome(stage.cluster.replica(1), id, Webhooks.succeeded(1));
    page.clock().runFor(29_000);
    assertThat(card(page, id).locator(".version").innerText()).isEqualTo("version 1");
    page.clock().runFor(3_000);
    page.clock().resume();
    awaitVersion(page, id, 2);
    assertThat(card(page, id).locator(".via-word").innerText()).isIn("replay", "poll");
    assertNotReloaded(page);
  }

  @Test
  void goesOfflineByItsButton_andComesBack() {
    Page page = page();
    String id = create(page);
    page.locator("#offline").click();
    page.locator("#state[data-state=offline]").waitFor();
    stage.webhooks.outcome(stage.cluster.replica(1), id, Webhooks.succeeded(1));
    page.locator("#offline").click();
    assertThat(millisUntil(() -> awaitVersion(page, id, 2))).isLessThan(BOUND_MILLIS);
  }

  @Test
  void networkIsGone_andComesBack() {
    Page page = page();
    String id = create(page);
    awaitVersion(page, id, 1);
    context.setOffline(true);
    stage.balancer.swallow(true);
    stage.webhooks.outcome(stage.cluster.replica(1), id, Webhooks.succeeded(1));
    page.waitForFunction("() => lastmile.state !== 'live'");
    stage.balancer.swallow(false);
    context.setOffline(false);
    assertThat(millisUntil(() -> awaitVersion(page, id, 2))).isLessThan(BOUND_MILLIS);
    assertNotReloaded(page);
  }

  /** Nothing says that it is gone: only the heartbeats that do not come. */
  @Test
  void networkSwallowsTheStreamInSilence_watchdogFindsIt() {
    Page page = page();
    String id = create(page);
    awaitVersion(page, id, 1);
    stage.balancer.swallow(true);
    stage.webhooks.outcome(stage.cluster.replica(1), id, Webhooks.succeeded(1));
    page.waitForFunction("() => lastmile.state !== 'live'");
    stage.balancer.swallow(false);
    assertThat(millisUntil(() -> awaitVersion(page, id, 2))).isLessThan(2 * BOUND_MILLIS);
    assertNotReloaded(page);
  }

  /** By the browser's own protocol, since Playwright waits for a load that does not come. */
  @Test
  void leftAndCameBack_fromTheBackForwardCache() {
    Page page = page();
    page.evaluate(
        "addEventListener('pageshow', e => { if (e.persisted) globalThis.cameBack = true; })");
    String id = create(page);
    awaitVersion(page, id, 1);
    CDPSession tools = context.newCDPSession(page);
    run(tools, "location.href = '/page/icon.svg'");
    await("the page to be left").until(() -> run(tools, "location.pathname").contains("icon.svg"));
    stage.webhooks.outcome(stage.cluster.replica(1), id, Webhooks.succeeded(1));
    run(tools, "history.back()");
    await("the page to be kept, not loaded anew")
        .until(() -> run(tools, "String(globalThis.cameBack)").contains("true"));
    String version =
        "document.querySelector('#cards > li[data-key=\"%s\"] .version').textContent".formatted(id);
    assertThat(
            millisUntil(
                () -> await("version 2").until(() -> run(tools, version).contains("version 2"))))
        .isLessThan(BOUND_MILLIS);
    assertThat(run(tools, "String(globalThis.sameDocument)")).contains("true");
  }

  /** What an expression gives, as the protocol tells it. */
  private static String run(CDPSession tools, String expression) {
    JsonObject arguments = new JsonObject();
    arguments.addProperty("expression", expression);
    return tools.send("Runtime.evaluate", arguments).toString();
  }

  @Test
  void callbackIsThereBeforeTheStream() {
    Page first = page();
    first.evaluate("lastmile.close()");
    String id =
        (String)
            first.evaluate(
                "fetch('/api/operations', {method: 'POST', headers: {'Content-Type':"
                    + " 'application/json'}, body: JSON.stringify({kind: 'export', input:"
                    + " {durationMillis: 3600000}})}).then(it => it.json()).then(it =>"
                    + " it.operationId)");
    stage.webhooks.outcome(stage.cluster.replica(2), id, Webhooks.succeeded(1));
    Page second = visit();
    awaitVersion(second, id, 2);
  }

  /** Created and called back while the stream cannot be opened at all. */
  @Test
  void streamCannotBeOpened_pagePolls() {
    AtomicInteger refused = new AtomicInteger();
    context.route(
        "**/api/stream*",
        route -> {
          refused.incrementAndGet();
          route.fulfill(new Route.FulfillOptions().setStatus(503));
        });
    Page page = visit();
    page.locator("#state[data-state=degraded]").waitFor();
    String id = create(page);
    stage.webhooks.outcome(stage.cluster.replica(2), id, Webhooks.succeeded(1));
    awaitVersion(page, id, 2);
    assertThat(card(page, id).locator(".via-word").innerText()).isEqualTo("poll");
    assertThat(refused).hasPositiveValue();
    context.unroute("**/api/stream*");
    awaitLive(page);
  }

  @Test
  void acksAreLost_andComeLater() {
    Page page = page();
    AtomicInteger lost = new AtomicInteger();
    context.route(
        "**/api/acks",
        route -> {
          lost.incrementAndGet();
          route.abort();
        });
    String id = create(page);
    stage.webhooks.outcome(stage.cluster.replica(2), id, Webhooks.succeeded(1));
    awaitVersion(page, id, 2);
    await("acks to be lost")
        .until(() -> {
          page.waitForTimeout(50);
          return lost.get() > 1;
        });
    assertThat(acked(page, id)).isEmpty();
    context.unroute("**/api/acks");
    page.waitForFunction("() => lastmile.connection.acksPending === 0");
    // That of version 2 covers version 1.
    await("the acks to arrive").until(() -> !acked(page, id).isEmpty());
    assertThat(acked(page, id)).allMatch(outcome -> outcome.equals("live"));
  }

  @SuppressWarnings("unchecked")
  private static List<String> acked(Page page, String id) {
    return (List<String>)
        page.evaluate(
            "id => fetch(`/api/operations/${id}/timeline`).then(it => it.json()).then(it =>"
                + " it.hops.filter(hop => hop.hop === 'client_acked').map(hop => hop.outcome))",
            id);
  }

  @Test
  void cookieExpires_anotherIdentityIsTaken_andTold() {
    Page page = page();
    String old = create(page);
    awaitVersion(page, old, 1);
    context.clearCookies();
    page.locator("#drop").click();
    page.waitForFunction("id => !lastmile.operations.has(id)", old);
    awaitLive(page);
    assertThat(card(page, old).count()).isZero();
    assertThat(page.locator("#connection-hint").innerText()).contains("you have a new one");
    String id = create(page);
    stage.webhooks.outcome(stage.cluster.replica(1), id, Webhooks.succeeded(1));
    awaitVersion(page, id, 2);
    assertNotReloaded(page);
  }

  @Test
  void redisIsAway_pageSaysSo_andIsRightAfterwards() {
    Page page = page();
    String id = create(page);
    awaitVersion(page, id, 1);
    stage.redis.kill();
    try {
      page.locator("#strip[data-kind=away]").waitFor();
      assertThat(page.locator("#strip-text").innerText()).startsWith("Redis is away.");
      assertThat(card(page, id).locator(".version").innerText()).isEqualTo("version 1");
    } finally {
      stage.redis.start();
    }
    page.locator("#strip[data-kind=well]").waitFor();
    await("a callback to be taken")
        .ignoreExceptions()
        .until(() ->
            stage.webhooks.outcome(stage.cluster.replica(2), id, Webhooks.succeeded(1)) != null);
    awaitVersion(page, id, 2);
    assertNotReloaded(page);
  }
}
