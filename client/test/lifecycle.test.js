/** Sleeping, waking and ending: nothing is left behind. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { problem } from '../testing/server.js';
import { Browser, hold, opened, settled } from '../testing/tab.js';

test('a paused client does nothing at all, and reconciles when it resumes', async () => {
  for (const share of [true, false]) {
    const { server, client, tab, clock } = await opened(undefined, { share });
    server.create();
    client.pause();
    client.pause();
    await settled();
    assert.equal(client.state, 'offline');
    assert.equal(server.streams.size, 0);
    assert.equal(clock.pending, 0);
    const { length } = server.requests;
    server.create();
    tab.show(true);
    tab.window.dispatchEvent(new Event('online'));
    assert.equal(await client.reconcile(), false);
    client.drop();
    await clock.pass(600_000);
    assert.equal(server.requests.length, length);
    assert.equal(client.operations.size, 1);

    server.faults.set('GET /api/stream', () => true);
    client.resume();
    await settled();
    assert.equal(client.operations.size, 2);
    assert.equal(client.state, 'degraded');
    server.faults.clear();
    await clock.pass(15_000);
    assert.equal(client.state, 'live');
    client.close();
  }
});

test('a page comes back from the cache with a stream that resumes', async () => {
  const { server, client, tab, clock } = await opened();
  server.create();
  tab.window.dispatchEvent(new Event('pagehide'));
  assert.equal(server.streams.size, 0, 'an open one would keep it out');
  assert.equal(clock.pending, 0);
  await clock.pass(60_000);
  server.create();
  tab.window.dispatchEvent(new Event('pageshow'));
  await settled();
  assert.equal(client.state, 'live');
  assert.equal(client.operations.size, 2);
  assert.ok(server.requests.some((it) => it.query === server.cursor(1)));
  client.close();
});

test('a paused page that comes back from the cache stays paused', async () => {
  const { server, client, tab } = await opened();
  client.pause();
  tab.window.dispatchEvent(new Event('pagehide'));
  tab.window.dispatchEvent(new Event('pageshow'));
  await settled();
  assert.equal(server.streams.size, 0);
  client.resume();
  await settled();
  assert.equal(client.state, 'live');
  client.close();
});

test('the first pageshow of a page changes nothing', async () => {
  const { server, client, tab } = await opened();
  const { length } = server.requests;
  tab.window.dispatchEvent(new Event('pageshow'));
  await settled();
  assert.equal(server.requests.length, length);
  client.close();
});

test('close ends everything, sends what is to be acked, and may be called again', async () => {
  for (const share of [true, false]) {
    const { server, client, tab, clock } = await opened(undefined, { share });
    const { operationId } = server.create();
    client.close();
    const told = tab.events.length;
    client.close();
    await settled();
    assert.deepEqual(server.acks.map((it) => it.operationId), [operationId]);
    assert.equal(server.streams.size, 0);
    assert.equal(clock.pending, 0);
    const { length } = server.requests;
    client.resume();
    client.drop();
    tab.window.dispatchEvent(new Event('pageshow'));
    tab.window.dispatchEvent(new Event('online'));
    tab.show(true);
    assert.equal(await client.reconcile(), false);
    await clock.pass(600_000);
    assert.equal(server.requests.length, length);
    assert.equal(tab.events.length, told);
    assert.equal(client.operations.size, 1, 'it can still be read');
  }
});

test('what is under way when it closes comes to nothing, and rejects nobody', async () => {
  const { server, client, clock } = await opened();
  server.create();
  const release = hold(server, 'GET /api/operations');
  const first = client.reconcile();
  const second = client.reconcile();
  await settled();
  client.close();
  await release();
  assert.deepEqual(await Promise.all([first, second]), [false, false]);
  await clock.pass(60_000);
  assert.equal(clock.pending, 0);
});

test('a pause and resume in one breath', async () => {
  for (const share of [true, false]) {
    const { server, client } = await opened(undefined, { share });
    client.pause();
    client.resume();
    client.pause();
    client.resume();
    await settled();
    assert.equal(client.state, 'live');
    assert.equal(server.streams.size, 1);
    client.close();
  }
});

test('with everything failing nothing is left unhandled', async () => {
  const unhandled = [];
  const note = (reason) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  const browser = new Browser();
  const { server, clock } = browser;
  const fail = () => Promise.reject(new TypeError('network'));
  for (const what of ['GET /api/operations', 'POST /api/acks', 'POST /api/identity', 'POST /api/operations']) {
    server.faults.set(what, fail);
  }
  const tab = browser.tab({ share: true });
  tab.takesBeacons = false;
  tab.client.create('export').catch(() => {});
  await clock.pass(60_000);
  server.identities.add('known');
  browser.cookie = 'known';
  await clock.pass(20_000);
  server.create();
  await clock.pass(60_000);
  tab.client.close();
  await clock.pass(60_000);
  await settled();
  process.off('unhandledRejection', note);
  assert.deepEqual(unhandled, []);
});

test('a stream that flaps for an hour leaves no timers and asks a bounded number of times', async () => {
  const { server, client, tab, clock } = await opened();
  for (let i = 0; i < 360; i++) {
    await clock.pass(10_000);
    server.heartbeat();
    tab.source.fail(i % 2 ? 2 : 0);
  }
  assert.ok(clock.pending <= 5, String(clock.pending));
  assert.ok(server.requests.length < 360 * 6, String(server.requests.length));
  client.close();
  assert.equal(clock.pending, 0);
});

test('problems are told with a title, a status and what is done', async () => {
  const { server, client, tab } = await opened();
  server.faults.set('GET /api/operations', () => problem(503, 'the store cannot be reached'));
  await client.reconcile();
  const [{ title, status, action }] = tab.told('problem');
  assert.deepEqual({ title, status, action }, {
    title: 'the store cannot be reached',
    status: 503,
    action: 'retry',
  });
  client.close();
});
