/** What the page says of its connection, and what its buttons do. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { problem } from '../testing/server.js';
import { openPage } from '../testing/page.js';
import { Browser, settled } from '../testing/tab.js';

const USUAL = /^One stream serves all tabs/;

test('a problem is said until it is over', async (t) => {
  const { server, clock, text, tab } = await openPage(t);
  assert.match(text('connection-hint'), USUAL);
  server.faults.set('GET /api/stream', () => true);
  tab.source.fail(2);
  await clock.pass(100);
  assert.match(text('connection-hint'), /^The client met a problem: the stream was refused\. It tries again in \d+ s\.$/);
  server.faults.clear();
  await clock.pass(15_000);
  assert.match(text('connection-hint'), USUAL);
});

test('a problem that leaves the stream alone is over when it does not come back', async (t) => {
  const { server, client, clock, text } = await openPage(t);
  server.create();
  server.faults.set('GET /api/operations', () => problem(503, 'the store is away'));
  await client.reconcile();
  for (let i = 0; i < 6; i++) {
    await clock.pass(10_000);
    server.heartbeat();
    assert.match(text('connection-hint'), /the store is away/);
  }
  server.faults.clear();
  await clock.pass(22_000);
  server.heartbeat();
  await clock.pass(22_000);
  assert.equal(client.state, 'live');
  assert.match(text('connection-hint'), USUAL);
});

test('another identity is said, also when the connection is live again', async (t) => {
  const { server, clock, client, tab, text } = await openPage(t);
  server.create();
  server.identities.clear();
  tab.source.fail(2);
  await clock.pass(5_000);
  assert.equal(client.state, 'live');
  assert.match(text('connection-hint'), /you have a new one/);
});

test('a tab that sleeps says that, and not that another one is listened to', async (t) => {
  const { clock, byId, client, text, fact, press, said } = await openPage(t);
  assert.equal(fact('This tab'), 'holds the stream');
  await press('sleep');
  assert.equal(fact('This tab'), 'sleeps');
  assert.equal(fact('State'), 'offline: as you wished');
  assert.match(text('state'), /offline as you wished/);
  assert.match(text('connection-hint'), /^This tab sleeps/);
  await clock.pass(100);
  assert.match(text('operations-empty'), /^This tab sleeps/);
  await clock.pass(29_500);
  assert.match(text('sleep'), /^Asleep, [12] s$/);
  await clock.pass(2_000);
  assert.equal(client.state, 'live');
  assert.equal(fact('This tab'), 'holds the stream');
  assert.match(text('connection-hint'), USUAL);
  await clock.pass(5_000);
  assert.deepEqual(said, [
    'Nothing is broken on purpose.',
    'The connection is offline.',
    'Asleep for 30 seconds.',
    'Awake again.',
    'The connection is live.',
  ]);
  await press('offline');
  assert.equal(fact('This tab'), 'sleeps');
  assert.equal(byId('offline').getAttribute('aria-pressed'), 'true');
  await press('offline');
  await clock.pass(100);
  assert.equal(client.state, 'live');
});

test('a tab that follows, and one that hears nobody, say that', async (t) => {
  const browser = Browser.known();
  const leader = browser.tab({ share: true });
  t.after(() => leader.client.close());
  await settled();
  const { clock, fact, tab } = await openPage(t, { browser, share: true });
  assert.equal(fact('This tab'), 'listens to another tab');
  tab.show(false);
  leader.freeze();
  await clock.pass(30_000);
  assert.equal(fact('This tab'), 'looks for the stream');
  leader.thaw();
});

test('a tab that sleeps starts nothing, and says why until it wakes', async (t) => {
  const { server, clock, byId, press, text, said, cards } = await openPage(t);
  await press('offline');
  await clock.pass(5_000);
  for (const id of ['start-one', 'start-ten']) {
    assert.equal(byId(id).getAttribute('aria-disabled'), 'true');
    assert.equal(byId(id).getAttribute('aria-describedby'), 'connection-hint');
    await press(id);
    await clock.pass(2_000);
    assert.equal(text('operations-problem'), 'Not started: this tab sleeps.');
    assert.equal(said.at(-1), 'Not started: this tab sleeps.');
  }
  assert.deepEqual(cards(), []);
  assert.equal(server.operations.size, 0);
  await press('offline');
  await clock.pass(100);
  assert.ok(byId('operations-problem').hasAttribute('hidden'));
  assert.ok(!byId('start-one').hasAttribute('aria-disabled'));
  await press('start-one');
  await clock.pass(100);
  assert.equal(server.operations.size, 1);
  assert.equal(cards().length, 1);
});
