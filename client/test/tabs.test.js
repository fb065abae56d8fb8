/** One stream for all tabs of a browser. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { problem, Server } from '../testing/server.js';
import { Browser, settled } from '../testing/tab.js';

/** A browser with some tabs, the first of which leads. */
async function shared(count, options = {}) {
  const browser = Browser.known();
  const tabs = [];
  for (let i = 0; i < count; i++) {
    tabs.push(browser.tab({ share: true, ...options }));
    await browser.clock.pass(100);
  }
  return { browser, tabs, server: browser.server, clock: browser.clock };
}

const sees = (tab, { operationId }) => tab.client.operations.get(operationId)?.version;
const leaders = (tabs) => tabs.map(({ client }) => client.connection.leader);
const close = (tabs) => tabs.forEach(({ client }) => client.close());

test('eight tabs, one stream, one ack', async () => {
  const { tabs, server, clock } = await shared(8);
  assert.equal(server.streams.size, 1);
  assert.deepEqual(leaders(tabs), [true, false, false, false, false, false, false, false]);
  const operation = server.create();
  server.store(operation.operationId, { progress: 50 });
  await clock.pass(1_000);
  for (const tab of tabs) {
    assert.equal(tab.client.state, 'live');
    assert.equal(sees(tab, operation), 2);
    assert.equal(tab.told('operation').at(-1).via, 'live');
    assert.equal(tab.client.connection.replica, 'replica-1');
    assert.equal(tab.client.connection.cursor, server.cursor(2));
  }
  assert.deepEqual(server.acks, [{ operationId: operation.operationId, version: 2, via: 'live' }]);
  close(tabs);
});

test('a tab that comes later has everything, and is live', async () => {
  const { browser, tabs, server, clock } = await shared(1);
  const operation = server.create();
  server.create();
  tabs.push(browser.tab({ share: true }));
  await clock.pass(100);
  assert.equal(tabs[1].client.state, 'live');
  assert.equal(tabs[1].client.operations.size, 2);
  assert.equal(sees(tabs[1], operation), 1);
  close(tabs);
});

test('what is published while a tab comes is not missed', async () => {
  const { browser, tabs, server, clock } = await shared(1);
  server.create();
  const tab = browser.tab({ share: true });
  for (let i = 0; i < 20; i++) {
    server.create();
    await Promise.resolve();
  }
  await clock.pass(1_500);
  assert.equal(tab.client.operations.size, 21);
  close([...tabs, tab]);
});

test('the leader polls for all', async () => {
  const { tabs, server, clock } = await shared(3);
  server.push = false;
  const operation = server.create();
  const before = server.count('GET /api/operations');
  await tabs[0].client.reconcile();
  await settled();
  assert.equal(server.count('GET /api/operations'), before + 1);
  assert.deepEqual(tabs.map((tab) => sees(tab, operation)), [1, 1, 1]);
  for (let i = 0; i < 12; i++) {
    await clock.pass(10_000);
    server.heartbeat(0);
  }
  assert.ok(server.count('GET /api/operations') - before <= 14, 'one list per 10 s for all tabs');
  close(tabs);
});

test('a tab that follows reconciles by itself', async () => {
  const { tabs, server } = await shared(2);
  server.push = false;
  const operation = server.create();
  assert.equal(await tabs[1].client.reconcile(), true);
  assert.equal(sees(tabs[1], operation), 1);
  close(tabs);
});

test('a creation is seen once in every tab, whichever starts it', async () => {
  const { tabs, server, clock } = await shared(3);
  server.push = false;
  const operation = await tabs[2].client.create('export');
  await settled();
  assert.deepEqual(tabs.map((tab) => sees(tab, operation)), [1, 1, 1]);
  server.publish(server.update(operation.operationId));
  await clock.pass(1_000);
  assert.deepEqual(tabs.map((tab) => tab.told('operation').length), [1, 1, 1]);
  assert.equal(server.acks.length, 1);
  close(tabs);
});

test('when the leader closes another goes on where it was', async () => {
  const { tabs, server, clock } = await shared(3);
  const operation = server.create();
  await settled();
  tabs[0].client.close();
  server.store(operation.operationId, { progress: 50 });
  await clock.pass(100);
  assert.deepEqual(leaders(tabs), [false, true, false]);
  assert.equal(server.streams.size, 1);
  assert.equal(server.requests.filter((it) => it.what === 'GET /api/stream').at(-1)?.query, server.cursor(1));
  assert.deepEqual(tabs.slice(1).map((tab) => sees(tab, operation)), [2, 2]);
  assert.equal(tabs[1].client.connection.reconnects, 1);
  await clock.pass(1_000);
  const { operationId } = operation;
  assert.deepEqual(
    server.acks,
    [
      { operationId, version: 1, via: 'live' },
      // The next one cannot know whether that got through.
      { operationId, version: 1, via: 'live' },
      { operationId, version: 2, via: 'replay' },
    ],
    'what waited was sent',
  );
  close(tabs);
});

test('when the leader dies another goes on where it was', async () => {
  const { tabs, server, clock } = await shared(3);
  const operation = server.create();
  await settled();
  tabs[0].crash();
  server.store(operation.operationId, { progress: 50 });
  await clock.pass(100);
  assert.equal(server.streams.size, 1);
  assert.deepEqual(leaders(tabs).slice(1), [true, false]);
  assert.deepEqual(tabs.slice(1).map((tab) => sees(tab, operation)), [2, 2]);
  close(tabs.slice(1));
});

test('a tab that takes over without a stream asks at once', async () => {
  const { tabs, server, clock } = await shared(2);
  server.push = false;
  server.create();
  await tabs[0].client.reconcile();
  server.faults.set('GET /api/stream', () => true);
  const missed = server.create();
  tabs[0].crash();
  await clock.pass(100);
  assert.equal(sees(tabs[1], missed), 1);
  close(tabs.slice(1));
});

test('a leader that sleeps or goes into the cache gives the stream away, and follows when it comes back', async () => {
  for (const [sleep, wake] of [
    [(tab) => tab.client.pause(), (tab) => tab.client.resume()],
    [
      (tab) => tab.window.dispatchEvent(new Event('pagehide')),
      (tab) => tab.window.dispatchEvent(new Event('pageshow')),
    ],
  ]) {
    const { tabs, server, clock } = await shared(2);
    sleep(tabs[0]);
    await clock.pass(100);
    assert.deepEqual(leaders(tabs), [false, true]);
    const operation = server.create();
    await clock.pass(1_000);
    wake(tabs[0]);
    await clock.pass(100);
    assert.deepEqual(leaders(tabs), [false, true]);
    assert.equal(tabs[0].client.state, 'live');
    assert.equal(sees(tabs[0], operation), 1);
    assert.equal(server.streams.size, 1);
    close(tabs);
  }
});

test('a frozen leader is replaced within 30 s by a tab that is visible', async () => {
  const { tabs, server, clock } = await shared(3);
  tabs[1].show(false);
  tabs[0].freeze();
  await clock.pass(20_000);
  const operation = server.create();
  await clock.pass(9_000);
  assert.deepEqual(leaders(tabs), [true, false, true], 'the first cannot know yet');
  assert.equal(sees(tabs[2], operation), 1);
  tabs[0].thaw();
  await clock.pass(100);
  assert.deepEqual(leaders(tabs), [false, false, true]);
  assert.equal(server.streams.size, 1);
  assert.equal(sees(tabs[0], operation), 1);
  assert.equal(tabs[0].client.state, 'live');
  close(tabs);
});

test('what a frozen leader says when it wakes does not bring an old epoch back', async () => {
  const { tabs, server, clock } = await shared(3);
  const old = server.create();
  await settled();
  tabs[0].freeze();
  const late = server.update(old.operationId);
  server.publish(late);
  server.reset();
  await clock.pass(40_000);
  server.renew();
  server.reset();
  const fresh = server.create();
  await clock.pass(1_500);
  const told = tabs[2].events.length;
  tabs[0].thaw();
  await clock.pass(100);
  for (const tab of tabs) {
    assert.deepEqual([...tab.client.operations.keys()], [fresh.operationId]);
  }
  assert.equal(tabs[2].events.length, told, 'not even for a moment');
  close(tabs);
});

test('a tab that is shown finds a frozen leader out at once', async () => {
  const { tabs, server, clock } = await shared(2);
  tabs[1].show(false);
  tabs[0].freeze();
  await clock.pass(60_000);
  assert.deepEqual(leaders(tabs), [true, false], 'nobody looks');
  tabs[1].show(true);
  await clock.pass(3_100);
  assert.equal(tabs[1].client.connection.leader, true);
  assert.equal(tabs[1].client.state, 'live');
  tabs[0].thaw();
  await clock.pass(100);
  assert.equal(server.streams.size, 1);
  close(tabs);
});

test('a slow leader keeps the stream', async () => {
  const { tabs, server, clock } = await shared(2);
  for (let i = 0; i < 20; i++) {
    await clock.pass(10_000);
    server.heartbeat();
  }
  assert.deepEqual(leaders(tabs), [true, false]);
  assert.equal(tabs[0].sources.length, 1);
  close(tabs);
});

test('tabs that follow know that the stream is down, and that nothing works', async () => {
  const { tabs, server, clock } = await shared(2);
  server.faults.set('GET /api/stream', () => true);
  tabs[0].source.fail(2);
  await clock.pass(2_000);
  assert.equal(tabs[1].client.state, 'degraded');
  server.faults.set('GET /api/operations', () => problem(503, 'the store cannot be reached'));
  await clock.pass(6_000);
  assert.equal(tabs[1].client.state, 'offline');
  assert.ok(tabs[1].told('problem').some(({ title }) => title === 'the store cannot be reached'));
  close(tabs);
});

test('drop in a tab that follows drops the stream of all', async () => {
  const { tabs, clock } = await shared(2);
  tabs[1].client.drop();
  await settled();
  assert.deepEqual(tabs.map(({ client }) => client.state), ['degraded', 'degraded']);
  await clock.pass(1_000);
  assert.deepEqual(tabs.map(({ client }) => client.state), ['live', 'live']);
  assert.equal(tabs[1].client.connection.reconnects, 1);
  close(tabs);
});

test('a new epoch reaches every tab', async () => {
  const { tabs, server, clock } = await shared(3);
  const kept = server.create();
  const gone = server.create();
  await settled();
  server.renew([{ ...kept, progress: 1, updatedAt: '2023-01-01T00:00:00.000Z' }]);
  server.reset();
  await clock.pass(1_500);
  for (const tab of tabs) {
    assert.deepEqual([...tab.client.operations.values()].map((it) => it.progress), [1]);
    assert.deepEqual(tab.told('removed').map((it) => it.operationId), [gone.operationId]);
    assert.equal(tab.client.connection.epoch, server.epoch);
  }
  close(tabs);
});

test('a tab whose first list fails takes no cursor from others', async () => {
  const { browser, tabs, server, clock } = await shared(1);
  const operation = server.create();
  server.faults.set('GET /api/operations', () => problem(503, 'away'));
  tabs.push(browser.tab({ share: true }));
  await clock.pass(100);
  server.create();
  await settled();
  assert.equal(tabs[1].client.connection.cursor, null);
  tabs[0].crash();
  await clock.pass(100);
  assert.equal(sees(tabs[1], operation), 1, 'the new leader begins from nothing');
  close(tabs.slice(1));
});

test('without locks, or without channels, each tab has its own stream', async () => {
  for (const options of [{ locks: null }, { BroadcastChannel: null }, { share: false }]) {
    const { tabs, server } = await shared(2, options);
    assert.equal(server.streams.size, 2);
    const operation = server.create();
    assert.deepEqual(tabs.map((tab) => sees(tab, operation)), [1, 1]);
    close(tabs);
  }
});

test('where locks or channels exist but may not be used each tab has its own stream', async () => {
  const denied = () => new DOMException('opaque origin', 'SecurityError');
  for (const options of [
    { locks: { request: () => Promise.reject(denied()) } },
    {
      BroadcastChannel: class {
        constructor() {
          throw denied();
        }
      },
    },
  ]) {
    const { tabs, server } = await shared(2, options);
    assert.equal(server.streams.size, 2);
    close(tabs);
  }
});

test('browsers do not share', async () => {
  const server = new Server();
  const first = await Browser.known(server).tab({ share: true });
  const second = await Browser.known(server).tab({ share: true });
  await settled();
  assert.equal(server.streams.size, 2);
  close([first, second]);
});
