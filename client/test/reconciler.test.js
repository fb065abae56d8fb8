/** When lists are asked for. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { problem, Server } from '../testing/server.js';
import { hold, opened, settled } from '../testing/tab.js';

const LIST = 'GET /api/operations';
const CREATE = 'POST /api/operations';

/** Lists in a time in which the stream beats. */
async function listsIn(seconds, { server, clock }) {
  const before = server.count(LIST);
  for (let i = 0; i < seconds; i++) {
    await clock.pass(1_000);
    server.heartbeat(0);
  }
  return server.count(LIST) - before;
}

test('every 10 s while something is pending, every 60 s otherwise', async () => {
  const it = await opened();
  assert.equal(await listsIn(121, it), 2);
  const { operationId } = it.server.create();
  assert.equal(await listsIn(101, it), 10);
  it.server.store(operationId, { status: 'SUCCEEDED' });
  assert.equal(await listsIn(121, it), 2);
  it.client.close();
});

test('something pending does not wait for the end of a long pause', async () => {
  const it = await opened();
  await listsIn(30, it);
  it.server.create();
  assert.equal(await listsIn(1, it), 1);
  it.client.close();
});

test('every 5 s while the stream is down', async () => {
  const it = await opened();
  it.server.faults.set('GET /api/stream', () => true);
  it.tab.source.fail(2);
  await it.clock.pass(1_000);
  assert.equal(await listsIn(51, it), 10);
  it.client.close();
});

test('failed lists are asked for again with longer pauses, as the server wishes', async () => {
  const it = await opened();
  const { server, client, clock, tab } = it;
  let retryAfter = {};
  server.faults.set(LIST, () => problem(503, 'the store cannot be reached', {}, retryAfter));
  assert.equal(await client.reconcile(), false);
  assert.equal(client.state, 'live', 'the stream is not affected');
  assert.deepEqual(tab.told('problem'), [
    { title: 'the store cannot be reached', status: 503, retryAfterSeconds: 1, action: 'retry' },
  ]);
  assert.ok((await listsIn(60, it)) <= 11, 'at most 10 s between two');
  retryAfter = { 'Retry-After': '30' };
  await listsIn(11, it);
  assert.ok((await listsIn(60, it)) <= 2);
  server.faults.clear();
  server.push = false;
  const { operationId } = server.create();
  await listsIn(30, it);
  assert.ok(client.operations.has(operationId));
  client.close();
});

test('Retry-After is a number of seconds, or a date by the clock of the server', async () => {
  const { server, client, clock } = await opened();
  const date = (/** @type {number} */ millis) => new Date(millis).toUTCString();
  for (const [headers, seconds] of [
    [{ 'Retry-After': '20' }, 20],
    [{ 'Retry-After': '0' }, 0],
    [{ 'Retry-After': date(clock.now() + 20_000) }, 20],
    [{ 'Retry-After': date(1_000_020_000), Date: date(1_000_000_000) }, 20],
    [{ 'Retry-After': date(clock.now() + 3_600_000) }, 60],
    [{ 'Retry-After': date(clock.now() - 3_600_000) }, 0],
    // None of these is one of the two forms.
    ...['soon', '', '-5', '5 s', '5.5', 'Nonsense GMT'].map((text) => [{ 'Retry-After': text }, undefined]),
  ]) {
    server.faults.set(CREATE, () => problem(429, 'too often', {}, headers));
    await assert.rejects(client.create('export'), { retryAfterSeconds: seconds }, JSON.stringify(headers));
  }
  client.close();
});

test('those who hear the same Retry-After do not come at the same moment', async () => {
  for (const [randomness, millis] of [[0, 20_000], [0.5, 20_500], [0.999, 20_999]]) {
    const { server, client, clock } = await opened();
    clock.randomness = randomness;
    server.faults.set(LIST, () => problem(503, 'away', {}, { 'Retry-After': '20' }));
    await client.reconcile();
    const before = server.count(LIST);
    await clock.pass(millis - 1);
    assert.equal(server.count(LIST), before);
    await clock.pass(1);
    assert.equal(server.count(LIST), before + 1);
    client.close();
  }
});

test('a Retry-After of an hour is not believed', async () => {
  const it = await opened();
  it.server.faults.set(LIST, () => problem(503, 'away', {}, { 'Retry-After': '3600' }));
  await it.client.reconcile();
  assert.equal(await listsIn(61, it), 1);
  it.client.close();
});

test('what is asked for during a list gets the next one', async () => {
  const { server, client } = await opened();
  server.push = false;
  const release = hold(server, LIST);
  const first = client.reconcile();
  await settled();
  const { operationId } = server.create();
  const second = client.reconcile();
  const third = client.reconcile();
  assert.equal(second, third, 'one for all who wait');
  await release();
  assert.deepEqual(await Promise.all([first, second, third]), [true, true, true]);
  assert.ok(client.operations.has(operationId));
  assert.equal(server.count(LIST), 2);
  client.close();
});

test('only what changed is asked for', async () => {
  const { server, client } = await opened();
  server.create();
  await client.reconcile();
  assert.equal(server.requests.at(-1)?.query, `limit=100&after=${server.cursor(1)}`);
  client.close();
});

test('when the page is seen again, is shown again, or is online again', async () => {
  const { server, client, tab } = await opened();
  const wakings = [
    () => tab.show(true),
    () => tab.window.dispatchEvent(new Event('online')),
    () => {
      tab.window.dispatchEvent(new Event('pagehide'));
      tab.window.dispatchEvent(new Event('pageshow'));
    },
  ];
  server.push = false;
  for (const wake of wakings) {
    const { operationId } = server.create();
    wake();
    await settled();
    assert.ok(client.operations.has(operationId), String(wake));
  }
  client.close();
});

test('a page that is shown looks at the clock before its late timers do', async () => {
  const { client, tab, clock } = await opened();
  tab.freeze();
  await clock.pass(60_000);
  assert.equal(tab.sources.length, 1);
  tab.thaw({ lose: true });
  tab.show(true);
  await clock.pass(0);
  assert.equal(tab.sources.length, 2);
  assert.equal(client.state, 'live');
  client.close();
});

test('online again opens a stream that waits for its next try', async () => {
  const { client, tab, clock, server } = await opened();
  tab.online = false;
  tab.source.fail(2);
  await clock.pass(60_000);
  assert.equal(client.state, 'offline');
  tab.online = true;
  server.create();
  tab.window.dispatchEvent(new Event('online'));
  await settled();
  assert.equal(client.state, 'live');
  client.close();
});

test('an answer that is not from us is no list', async () => {
  const { server, client, tab } = await opened();
  server.create();
  const answers = [
    { status: 200, text: '<html>please log in</html>' },
    { status: 200, text: 'null' },
    { status: 200, json: { operations: [], cursor: 'elsewhere' } },
    { status: 204 },
  ];
  for (const answer of answers) {
    server.faults.set(LIST, () => answer);
    assert.equal(await client.reconcile(), false);
  }
  assert.equal(tab.told('problem').length, 4);
  assert.equal(client.operations.size, 1);
  client.close();
});

test('a cursor that the server does not know as one is forgotten', async () => {
  const { server, client } = await opened();
  server.create();
  server.faults.set(LIST, () => problem(400, 'after must be a cursor', { field: 'after' }));
  assert.equal(await client.reconcile(), false);
  server.faults.clear();
  assert.equal(await client.reconcile(), true);
  assert.equal(server.requests.at(-1)?.query, 'limit=100');
  client.close();
});

test('a request that never ends is given up', async () => {
  const { server, client, clock } = await opened();
  server.faults.set(LIST, () => new Promise(() => {}));
  const listed = client.reconcile();
  await clock.pass(10_100);
  assert.equal(await listed, false);
  client.close();
});

/** A server with so many operations, without an update on the stream. */
function full(count, server = new Server()) {
  server.push = false;
  for (let i = 0; i < count; i++) {
    server.create();
  }
  server.push = true;
  return server;
}

const queries = (server) => server.requests.filter((it) => it.what === LIST).map((it) => it.query);

test('a long list is read page by page, and its cursor is known after the last page', async () => {
  const { server, client } = await opened(new Server(), { maxOperations: 1_000 });
  full(250, server);
  const first = server.count(LIST);
  assert.equal(await client.reconcile(), true);
  assert.equal(client.operations.size, 250);
  assert.deepEqual(queries(server).slice(first), [
    'limit=100',
    `limit=100&next=${server.cursor(100)}_250`,
    `limit=100&next=${server.cursor(200)}_250`,
  ]);
  assert.equal(await client.reconcile(), true);
  assert.equal(queries(server).at(-1), `limit=100&after=${server.cursor(250)}`);
  client.close();
});

test('what changes between two pages comes with the next list, also without the stream', async () => {
  const { server, client } = await opened();
  full(150, server);
  const last = [...server.operations.keys()].at(-1);
  let pages = 0;
  server.faults.set(LIST, (next) => {
    if (++pages === 2) {
      server.push = false;
      server.store(last, { status: 'SUCCEEDED' });
      server.create();
    }
    return next();
  });
  assert.equal(await client.reconcile(), true);
  assert.equal(await client.reconcile(), true);
  const shown = `&shown=${server.cursor(152)}`;
  assert.equal(queries(server).at(-1), `limit=100&after=${server.cursor(150)}${shown}`, 'the second page shows more');
  assert.equal(client.operations.size, 151);
  assert.equal(client.operations.get(last)?.status, 'SUCCEEDED');
  client.close();
});

test('a list that fails between two pages removes nothing, and goes on there', async () => {
  const { server, client, clock, tab } = await opened();
  full(150, server);
  await client.reconcile();
  full(40, server);
  server.floor = server.head - 1;
  const [gone] = server.operations.keys();
  server.operations.delete(gone);
  let pages = 0;
  server.faults.set(LIST, (next) => (++pages === 2 ? problem(503, 'away') : next()));
  const first = server.count(LIST);
  assert.equal(await client.reconcile(), false);
  assert.deepEqual(tab.told('removed'), []);
  await clock.pass(2_000);
  const [, second, third] = queries(server).slice(first);
  assert.match(second, /next=/);
  assert.equal(third, second);
  assert.equal(client.operations.size, server.operations.size);
  assert.deepEqual(tab.told('removed').map((it) => it.operationId), [gone]);
  client.close();
});

test('a list whose first page failed begins at the cursor that is known by then', async () => {
  const { server, client, clock } = await opened();
  await client.reconcile();
  server.faults.set(LIST, () => problem(503, 'away'));
  assert.equal(await client.reconcile(), false);
  server.faults.delete(LIST);
  server.create();
  await settled();
  await clock.pass(2_000);
  assert.equal(queries(server).at(-1), `limit=100&after=${server.cursor()}`);
  client.close();
});

test('another epoch between two pages makes the earlier pages void', async () => {
  const { server, client } = await opened();
  full(150, server);
  const kept = [...server.operations.values()].slice(100, 110).map((it) => it.operation);
  let pages = 0;
  server.faults.set(LIST, (next) => {
    if (++pages === 2) {
      server.renew(kept);
    }
    return next();
  });
  assert.equal(await client.reconcile(), true);
  assert.deepEqual([...client.operations.keys()], kept.map((it) => it.operationId));
  assert.equal(await client.reconcile(), true);
  assert.equal(queries(server).at(-1), `limit=100&after=${server.cursor(10)}`);
  client.close();
});

test('a list of another identity replaces everything, and the stream is opened again', async () => {
  const { server, client, clock } = await opened();
  const { operationId: before } = server.create();
  assert.ok(client.operations.has(before));
  const streams = server.count('GET /api/stream');
  // The cookie is that of another identity now, in the same partition: its epoch is the same, its head is lower.
  server.check = '0badcafe';
  server.operations.clear();
  server.head = 0;
  server.push = false;
  const { operationId: now } = server.create();
  server.push = true;
  await client.reconcile();
  await clock.pass(1_000);
  assert.deepEqual([...client.operations.keys()], [now]);
  assert.equal(server.count('GET /api/stream'), streams + 1);
  assert.equal(server.requests.filter((it) => it.what === 'GET /api/stream').at(-1)?.query, server.cursor(1));
  await client.reconcile();
  assert.equal(queries(server).at(-1), `limit=100&after=${server.cursor(1)}`);
  server.create();
  assert.equal(client.operations.size, 2, 'live again');
  assert.ok(server.acks.every((ack) => ack.operationId !== before));
  client.close();
});
