/** How a stream is kept, lost and opened again, and what state the client says it is in. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { problem, Server } from '../testing/server.js';
import { Browser, opened, settled } from '../testing/tab.js';

const states = (tab) => tab.told('state').map(({ state }) => state);
const streams = (server) => server.requests.filter((it) => it.what === 'GET /api/stream');

test('connecting, live, degraded, offline, live again', async () => {
  const { server, client, tab, clock } = await opened();
  server.faults.set('GET /api/stream', () => true);
  server.cut();
  assert.equal(client.state, 'degraded');
  await clock.pass(6_000);
  assert.equal(client.state, 'degraded', 'lists answer');
  server.faults.set('GET /api/operations', () => problem(503, 'away'));
  await clock.pass(6_000);
  assert.equal(client.state, 'offline');
  server.faults.clear();
  await clock.pass(15_000);
  assert.deepEqual(states(tab), ['live', 'degraded', 'offline', 'degraded', 'live']);
  client.close();
  assert.equal(client.state, 'offline');
});

test('without a stream from the beginning the lists have to do', async () => {
  const browser = Browser.known();
  const { server, clock } = browser;
  server.create();
  const tab = browser.tab({ EventSource: class extends EventTarget { close() {} } });
  await settled();
  assert.equal(tab.client.state, 'connecting');
  await clock.pass(2_300);
  assert.equal(tab.client.state, 'degraded');
  assert.equal(tab.client.operations.size, 1);
  tab.client.close();
});

test('without anything it is offline, and asks less and less often', async () => {
  const browser = Browser.known();
  const { server, clock } = browser;
  const tab = browser.tab();
  tab.online = false;
  await clock.pass(0);
  assert.equal(tab.client.state, 'offline');
  await clock.pass(60_000);
  const tries = tab.sources.length;
  await clock.pass(60_000);
  assert.ok(tab.sources.length - tries <= 9, `${tab.sources.length - tries} streams in a minute`);
  tab.online = true;
  server.create();
  await clock.pass(15_000);
  assert.equal(tab.client.state, 'live');
  assert.equal(tab.client.operations.size, 1);
  tab.client.close();
});

test('a stream resumes after the last update', async () => {
  const { server, client, tab, clock } = await opened();
  const { operationId } = server.create();
  tab.source.fail(2);
  server.store(operationId, { progress: 50 });
  server.faults.set('GET /api/operations', () => problem(503, 'away'));
  await clock.pass(1_000);
  assert.deepEqual(streams(server).map(({ query }) => query), ['', server.cursor(1)]);
  const { via, version } = /** @type {any} */ (client.operations.get(operationId));
  assert.deepEqual({ via, version }, { via: 'replay', version: 2 });
  assert.deepEqual(client.connection.recovered, { replay: 1, poll: 0 });
  assert.equal(client.connection.reconnects, 1);
  client.close();
});

test('a stream that is lost is followed by a list within a second', async () => {
  const { server, client, tab, clock } = await opened();
  server.faults.set('GET /api/stream', () => true);
  server.push = false;
  const { operationId } = server.create();
  tab.source.fail(2);
  await clock.pass(1_000);
  assert.equal(client.operations.get(operationId)?.via, 'poll');
  client.close();
});

test('every reconnect is followed by a list', async () => {
  const { server, client, tab, clock } = await opened();
  await clock.pass(1_000);
  tab.source.fail(2);
  await clock.pass(900);
  const before = server.count('GET /api/operations');
  await clock.pass(1_000);
  assert.equal(client.state, 'live');
  assert.ok(server.count('GET /api/operations') > before);
  client.close();
});

test("the browser's own try is left to it, since only it knows retry", async () => {
  const { server, client, tab, clock } = await opened();
  server.create();
  server.cut();
  await clock.pass(14_000);
  assert.equal(tab.sources.length, 1);
  tab.source.connect();
  assert.equal(client.state, 'live');
  assert.equal(streams(server).at(-1)?.query, server.cursor(1));
  await clock.pass(20_000);
  assert.equal(tab.sources.length, 1);
  client.close();
});

test("when the browser's own try fails, or takes too long, the client takes over", async () => {
  for (const lose of [(source) => source.fail(0), (source) => source.fail(2), () => {}]) {
    const { server, client, tab, clock } = await opened();
    server.cut();
    await clock.pass(2_000);
    lose(tab.source);
    await clock.pass(14_000);
    assert.equal(tab.sources.length, 2);
    assert.equal(client.state, 'live');
    client.close();
  }
});

test('refused streams are tried again with longer pauses, up to a limit, and jitter', async () => {
  const { server, client, tab, clock } = await opened();
  server.faults.set('GET /api/stream', () => true);
  const at = [];
  tab.source.fail(2);
  for (let i = 0; i < 60_000; i += 50) {
    const { length } = tab.sources;
    await clock.pass(50);
    if (tab.sources.length > length) {
      at.push(clock.now());
    }
  }
  const pauses = at.slice(1).map((it, i) => it - at[i]);
  assert.deepEqual(pauses.map((it) => Math.round(it / 100) / 10), [1.5, 3, 6, 11.3, 11.3, 11.3, 11.3]);
  clock.randomness = 0;
  await clock.pass(15_000);
  const { length } = tab.sources;
  await clock.pass(7_600);
  assert.equal(tab.sources.length, length + 1, 'half the pause, by chance');
  client.close();
});

test('a stream that becomes ready and breaks at once gets longer pauses, one that lasts does not', async () => {
  const { server, client, tab, clock } = await opened();
  for (let i = 0; i < 4; i++) {
    tab.source.fail(2);
    await clock.pass(15_000);
    assert.equal(client.state, 'live');
  }
  tab.source.fail(2);
  await clock.pass(9_000);
  assert.equal(client.state, 'degraded');
  await clock.pass(6_000);
  server.heartbeat();
  tab.source.fail(2);
  await clock.pass(1_000);
  assert.equal(client.state, 'live');
  client.close();
});

test('silence for 2.5 heartbeats ends a stream: a new one and a list at once', async () => {
  const { server, client, tab, clock } = await opened();
  await clock.pass(10_000);
  server.heartbeat();
  await clock.pass(24_900);
  assert.equal(tab.sources.length, 1);
  server.push = false;
  const { operationId } = server.create();
  server.faults.set('GET /api/stream', () => true);
  await clock.pass(200);
  assert.equal(tab.sources[0]?.readyState, 2);
  assert.equal(tab.sources.length, 2);
  assert.ok(client.operations.has(operationId), 'within 26 s');
  client.close();
});

test('the server says how often it beats', async () => {
  const server = new Server();
  server.heartbeatSeconds = 2;
  const { client, tab, clock } = await opened(server);
  await clock.pass(4_900);
  assert.equal(tab.sources.length, 1);
  await clock.pass(200);
  assert.equal(tab.sources.length, 2);
  client.close();
});

test('updates are signs of life too', async () => {
  const { server, client, tab, clock } = await opened();
  for (let i = 0; i < 10; i++) {
    await clock.pass(20_000);
    server.create();
  }
  assert.equal(tab.sources.length, 1);
  client.close();
});

test('a stream that does not begin is given up', async () => {
  const browser = Browser.known();
  const tab = browser.tab();
  tab.source.close = () => {};
  tab.source.connect = () => {};
  await browser.clock.pass(15_900);
  assert.equal(tab.sources.length, 2);
  assert.equal(tab.client.state, 'live');
  tab.client.close();
});

test('what an abandoned stream still says is not heard', async () => {
  const { server, client, tab } = await opened();
  const { operationId } = server.create();
  const [first] = tab.sources;
  client.drop();
  first.readyState = 1;
  server.push = false;
  server.store(operationId, { progress: 50 });
  first.send(server.update(operationId));
  assert.equal(client.operations.get(operationId)?.version, 1);
  client.close();
});

test('drop loses the stream as a fault would', async () => {
  const { server, client, tab, clock } = await opened();
  client.drop();
  assert.equal(server.streams.size, 0);
  assert.equal(client.state, 'degraded');
  client.drop();
  await clock.pass(1_000);
  assert.equal(client.state, 'live');
  assert.equal(client.connection.reconnects, 1);
  assert.equal(tab.sources.length, 2);
  client.close();
});

test('heartbeats and the replica are told', async () => {
  const { server, client, clock } = await opened();
  const seen = [];
  client.on('connection', (connection) => seen.push(connection));
  await clock.pass(10_000);
  server.heartbeat();
  await settled();
  assert.equal(seen.length, 1);
  assert.equal(seen[0].lastHeartbeatAt, clock.now());
  assert.equal(seen[0].replica, 'replica-1');
  assert.deepEqual(seen[0], client.connection);
  client.close();
});
