/** The cards of the operations, and the timeline of one. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { problem } from '../testing/server.js';
import { openPage } from '../testing/page.js';
import { Browser } from '../testing/tab.js';

test('the newest stands first, and what happens to the others moves none', async (t) => {
  const { clock, server, cards, create } = await openPage(t);
  const ids = [1, 2, 3].map(() => create());
  server.store(ids[0], { status: 'RUNNING' });
  await clock.pass(100);
  assert.deepEqual(cards(), [...ids].reverse());
});

test('after a reload they stand as before', async (t) => {
  const browser = Browser.known();
  const storage = new Map();
  const first = await openPage(t, { browser, storage });
  const ids = [1, 2, 3].map(() => first.create());
  await first.clock.pass(100);
  // The oldest is the last that changes: that is the order in which the server tells them.
  first.server.store(ids[1]);
  first.server.store(ids[0]);
  await first.clock.pass(100);
  const before = first.cards();
  assert.deepEqual(before, [...ids].reverse());
  const again = await openPage(t, { browser, storage });
  assert.deepEqual(again.cards(), before);
  const newest = again.create();
  await again.clock.pass(100);
  assert.deepEqual(again.cards(), [newest, ...before]);
});

test('what another tab has seen first has its place', async (t) => {
  const { clock, server, cards, create, storage } = await openPage(t);
  const id = create();
  server.push = false;
  const [first, second] = [create(), create()];
  await clock.pass(100);
  storage.set('lastmile order', JSON.stringify([id, second, first]));
  server.publish(server.update(first));
  server.publish(server.update(second));
  await clock.pass(100);
  assert.deepEqual(cards(), [first, second, id]);
});

test('what the storage holds is not believed, and may be refused', async (t) => {
  for (const text of ['{', '{"a": 1}', '[1, null]', 'null']) {
    const { clock, cards, create } = await openPage(t, { storage: new Map([['lastmile order', text]]) });
    const ids = [create(), create()];
    await clock.pass(100);
    assert.deepEqual(cards(), ids.reverse(), text);
  }
  const denied = new Map();
  denied.get = denied.set = () => {
    throw new Error('denied');
  };
  const { clock, cards, create } = await openPage(t, { storage: denied });
  const ids = [create(), create()];
  await clock.pass(100);
  assert.deepEqual(cards(), ids.reverse());
});

test('the order does not grow for ever', async (t) => {
  const old = Array.from({ length: 1_000 }, (_, i) => `old-${i}`);
  const storage = new Map([['lastmile order', JSON.stringify(old)]]);
  const { clock, cards, server, client, create } = await openPage(t, { storage });
  const id = create();
  await clock.pass(100);
  assert.deepEqual(cards(), [id]);
  assert.equal(JSON.parse(storage.get('lastmile order') ?? '').length, 400);
  server.renew();
  server.reset();
  await clock.pass(2_000);
  assert.equal(client.operations.size, 0);
  assert.equal(JSON.parse(storage.get('lastmile order') ?? '').length, 399);
});

test('the timeline that was asked for last is shown, whichever comes first', async (t) => {
  const { clock, demo, document, byId, text } = await openPage(t);
  const hop = (/** @type {string} */ replica) => ({
    version: 1, hop: 'initiated', at: '2026-01-01T00:00:00.5Z', replica, outcome: 'created',
  });
  const answer = (/** @type {string} */ name) => ({ correlationId: `${name}-0000`, hops: [hop(name)] });
  const expired = (/** @type {string} */ id) => ({
    at: '2026-01-01T00:00:00Z', reason: 'not_received', replica: 'replica-1',
    operationId: id, version: 1, correlationId: `${id}-correlation`, traceId: '',
  });
  demo.expired = [expired('slow'), expired('quick')];
  await clock.pass(2_000);
  let release = (/** @type {any} */ _) => {};
  demo.timelines.set('slow', new Promise((resolve) => (release = resolve)));
  demo.timelines.set('quick', answer('quick'));
  const [slow, quick] = /** @type {any[]} */ ([...document.querySelectorAll('#expired button')]);
  slow.click();
  assert.equal(text('timeline-ids'), 'slow: loading …');
  quick.click();
  await clock.pass(100);
  assert.equal(text('timeline-ids'), 'quick, correlation quick-0000');
  release(answer('slow'));
  await clock.pass(100);
  assert.equal(text('timeline-ids'), 'quick, correlation quick-0000');
  assert.equal(byId('timeline-rows').children.length, 1);
  assert.equal(byId('timeline-rows').children[0].children[2].textContent, 'quick');

  // And if it fails late.
  demo.timelines.set('slow', new Promise((_, reject) => (release = reject)));
  slow.click();
  quick.click();
  await clock.pass(100);
  release(new Error('away'));
  await clock.pass(100);
  assert.equal(text('timeline-ids'), 'quick, correlation quick-0000');
  assert.equal(byId('timeline-rows').children.length, 1);
});

test('what cannot be started is said, until something can', async (t) => {
  const { clock, server, press, byId, text } = await openPage(t);
  server.faults.set('POST /api/operations', () => problem(429, 'too many at a time'));
  await press('start-one');
  await clock.pass(1_000);
  assert.equal(text('operations-problem'), 'Not started: too many at a time.');
  server.faults.clear();
  await press('start-one');
  await clock.pass(1_000);
  assert.ok(byId('operations-problem').hasAttribute('hidden'));
});
