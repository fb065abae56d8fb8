/** The story, on a cluster that does at once what it is told. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Demo } from '../testing/demo.js';
import { openPage } from '../testing/page.js';

/** The page; what it starts comes to its end, in the way that the faults allow. */
async function opened(t) {
  const demo = new Demo();
  const page = await openPage(t, { demo });
  const { server, clock } = page;
  let started = 0;
  server.faults.set('POST /api/operations', async (next) => {
    started++;
    // Updates arrive while fan-out is on, or while the page's own replica accepts the callbacks.
    server.push = !demo.faults.get('local-only')?.size || !demo.faults.get('refuse-callbacks')?.has('replica-1');
    const answer = await next();
    const { operationId } = answer.json;
    for (let report = 1; report <= 4; report++) {
      clock.setTimeout(() => {
        const last = report === 4;
        server.store(operationId, { status: last ? 'SUCCEEDED' : 'RUNNING', progress: report * 25 });
        demo.total.not_received += server.push ? 0 : 1;
      }, report * 500);
    }
    return answer;
  });
  const steps = () => [...page.byId('story-steps').children].map((it) => it.dataset.step);
  return { ...page, steps, starts: () => started, seen: (/** @type {string} */ step) => page.text(`step-${step}`) };
}

/** Lets time pass in which the stream beats. */
async function pass({ clock, server }, seconds) {
  for (let i = 0; i < seconds; i++) {
    await clock.pass(1_000);
    server.heartbeat(0);
  }
}

test('it plays to its end and leaves nothing broken', async (t) => {
  const page = await opened(t);
  await page.press('story-play');
  assert.equal(page.text('story-play'), 'Stop the story');
  await pass(page, 75);
  assert.deepEqual(page.steps(), ['done', 'done', 'done', 'done', 'done', 'done']);
  assert.match(page.seen('single'), /4 of 4 reports came live\.$/);
  assert.match(page.seen('silent'), /No report came live\. .* 12 lost\.$/);
  assert.match(page.seen('reconcile'), /3 of 3 operations brought to their end by poll/);
  assert.match(page.seen('broadcast'), /12 of 12 reports came live/);
  assert.match(page.seen('directed'), /12 of 12 reports came live/);
  assert.match(page.seen('healthy'), /12 deliveries lost on the way, .*; no page was wrong at the end\.$/);
  assert.equal(page.text('story-play'), 'Play the story');
  assert.equal(page.text('strip-text'), 'Nothing is broken on purpose.');
  assert.equal(page.starts(), 10);
});

test('stopped, it ends what it has broken; played again at once, only the new one plays', async (t) => {
  const page = await opened(t);
  for (const seconds of [0, 2, 9, 12]) {
    const before = page.starts();
    await page.press('story-play');
    await pass(page, seconds);
    const stopped = page.starts() - before;
    await page.press('story-play');
    assert.equal(page.text('story-play'), 'Play the story');
    await page.press('story-play');
    await pass(page, 75);
    assert.deepEqual(page.steps(), ['done', 'done', 'done', 'done', 'done', 'done'], `after ${seconds} s`);
    assert.equal(page.starts() - before - stopped, 10, `after ${seconds} s`);
    assert.equal(page.text('strip-text'), 'Nothing is broken on purpose.');
    assert.equal(page.text('story-play'), 'Play the story');
  }
});

test('a tab that sleeps plays none, and says so', async (t) => {
  const page = await opened(t);
  await page.press('offline');
  await page.press('story-play');
  await pass(page, 5);
  assert.match(page.seen('single'), /The story stops here: there is no stream\.$/);
  assert.equal(page.text('story-play'), 'Play the story');
  assert.equal(page.text('strip-text'), 'Nothing is broken on purpose.');
});
