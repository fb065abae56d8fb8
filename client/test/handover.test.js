/** The stream moves from one tab to another: every tab reports its true state, and no ack is lost. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { problem } from '../testing/server.js';
import { Browser, Channel, settled } from '../testing/tab.js';

const ACKS = 'POST /api/acks';

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

const close = (tabs) => tabs.forEach(({ client }) => client.close());
const role = ({ client: { connection } }) => [connection.leader, connection.following];

test('a tab says whether it leads, follows, or neither', async () => {
  const { tabs, clock } = await shared(2);
  assert.deepEqual(tabs.map(role), [[true, false], [false, true]]);
  tabs[0].client.pause();
  assert.deepEqual([role(tabs[0]), tabs[0].client.paused], [[false, false], true]);
  await clock.pass(100);
  tabs[0].client.resume();
  assert.deepEqual([role(tabs[0]), tabs[0].client.paused], [[false, false], false]);
  await clock.pass(100);
  assert.deepEqual(tabs.map(role), [[false, true], [true, false]]);
  close(tabs);
  assert.deepEqual(tabs.map(role), [[false, false], [false, false]]);
});

test('a tab that resumes is not live before it hears a leader', async () => {
  const { tabs, clock } = await shared(2);
  const [leader, tab] = tabs;
  tab.client.pause();
  tab.events.length = 0;
  tab.client.resume();
  assert.equal(tab.client.state, 'connecting');
  await settled();
  assert.equal(tab.client.state, 'live');

  tab.client.pause();
  leader.freeze();
  tab.client.resume();
  await clock.pass(2_900);
  assert.notEqual(tab.client.state, 'live', 'the leader says nothing');
  await clock.pass(200);
  assert.deepEqual(role(tab), [true, false]);
  assert.equal(tab.client.state, 'live');
  leader.thaw();
  close(tabs);
});

test('a hidden tab whose leader is frozen says so, and asks by itself', async () => {
  const { tabs, server, clock } = await shared(2);
  const [leader, tab] = tabs;
  tab.show(false);
  leader.freeze();
  await clock.pass(29_000);
  assert.equal(tab.client.state, 'degraded');
  server.push = false;
  const { operationId } = server.create();
  await clock.pass(6_000);
  assert.ok(tab.client.operations.has(operationId));
  leader.thaw();
  await clock.pass(100);
  assert.deepEqual([tab.client.state, role(tab)], ['live', [false, true]]);
  close(tabs);
});

test('a tab that steals a lock that it has just been given goes on leading', async () => {
  const { browser, tabs, server, clock } = await shared(2);
  const [leader, tab] = tabs;
  // The browser tells that a lock is lost after it has told that it is had: by another way.
  const { locks } = browser;
  const request = locks.request.bind(locks);
  locks.request = (...all) =>
    request(...all).catch(async (error) => {
      await new Promise((resolve) => setImmediate(resolve));
      throw error;
    });
  leader.freeze();
  await clock.pass(24_000);
  tab.client.pause();
  tab.client.resume();
  await clock.pass(2_999);
  // In the same moment in which it gives the leader up, the leader ends.
  leader.crash();
  clock.jump(1);
  await clock.pass(10_000);
  assert.deepEqual(role(tab), [true, false]);
  assert.equal(tab.client.state, 'live');
  assert.equal(server.streams.size, 1);
  const { length } = tab.sources;
  await clock.pass(10_000);
  assert.equal(tab.sources.length, length, 'and does not begin again and again');
  close([tab]);
});

test('acks that a leader could not send are sent by the next one', async () => {
  const { tabs, server, clock } = await shared(2);
  server.faults.set(ACKS, () => problem(503, 'away'));
  const first = server.create();
  server.push = false;
  const second = server.create();
  await tabs[0].client.reconcile();
  await clock.pass(1_000);
  assert.equal(tabs[1].client.connection.acksPending, 2);
  tabs[0].crash();
  server.faults.clear();
  await clock.pass(1_000);
  assert.deepEqual(server.acks, [
    { operationId: first.operationId, version: 1, via: 'live' },
    { operationId: second.operationId, version: 1, via: 'poll' },
  ]);
  close(tabs.slice(1));
});

test('what a tab learns by itself while its leader is frozen is acked when it leads', async () => {
  const { tabs, server, clock } = await shared(2);
  tabs[0].freeze();
  await clock.pass(1_000);
  const { operationId } = server.create();
  tabs[1].show(true);
  await settled();
  assert.ok(tabs[1].client.operations.has(operationId));
  await clock.pass(5_000);
  assert.deepEqual(server.acks, [{ operationId, version: 1, via: 'poll' }]);
  tabs[0].crash();
  close(tabs.slice(1));
});

test('what a leader has acked no other acks again', async () => {
  const { browser, tabs, server, clock } = await shared(2);
  const { operationId } = server.create();
  await clock.pass(1_000);
  server.store(operationId, { progress: 1 });
  const refused = server.create();
  server.operations.delete(refused.operationId);
  await clock.pass(1_000);
  // One that comes later has it all from its first list.
  tabs.push(browser.tab({ share: true }));
  await clock.pass(1_000);
  assert.deepEqual(server.acks.map(({ version }) => version), [1, 2]);
  tabs[0].crash();
  await clock.pass(1_000);
  tabs[1].crash();
  await clock.pass(1_000);
  assert.deepEqual(role(tabs[2]), [true, false]);
  assert.equal(server.acks.length, 2);
  assert.equal(server.requests.filter(({ what }) => what === ACKS).length, 3);
  close(tabs.slice(2));
});

test('a tab that follows leaves its acks to the leader, one that does not takes care of them', async () => {
  for (const [leave, acks] of [
    [([, tab]) => tab.client.close(), 0],
    [([, tab]) => tab.window.dispatchEvent(new Event('pagehide')), 0],
    [([leader]) => leader.client.close(), 1],
    // A paused tab receives no messages.
    [([, tab]) => (tab.client.pause(), tab.client.close()), 1],
  ]) {
    const { tabs, server } = await shared(2);
    server.create();
    await settled();
    leave(tabs);
    await settled();
    assert.equal(server.acks.length, acks, String(leave));
    close(tabs);
  }
});

test('acks of an epoch that is over are forgotten by all tabs', async () => {
  const { tabs, server, clock } = await shared(2);
  server.faults.set(ACKS, () => problem(503, 'away'));
  server.create();
  await clock.pass(1_000);
  server.renew();
  server.reset();
  await clock.pass(1_000);
  tabs[0].crash();
  server.faults.clear();
  await clock.pass(5_000);
  assert.deepEqual(server.acks, []);
  close(tabs.slice(1));
});

test('a message that a newer version of the client sends is ignored', async () => {
  const { browser, tabs, server, clock } = await shared(2);
  const other = new Channel(tabs[0].channel.name, browser, (run) => run());
  other.postMessage({ type: 'lease', term: 0 });
  other.postMessage({ type: 'lease', term: clock.now() });
  await clock.pass(1_000);
  for (const tab of tabs) {
    assert.deepEqual(tab.told('problem'), []);
    assert.equal(tab.client.state, 'live');
    assert.equal(tab.told('state').length, 1);
  }
  assert.equal(server.streams.size, 1);
  assert.equal(browser.channels.size, 3);
  other.close();
  close(tabs);
});
