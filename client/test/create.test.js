/** Starting operations. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Problem } from '../testing/lastmile.js';
import { problem } from '../testing/server.js';
import { hold, opened, settled } from '../testing/tab.js';

const CREATE = 'POST /api/operations';
const creations = (server) => server.requests.filter((it) => it.what === CREATE);

test('a creation is one visible change, whether its answer or its update is first', async () => {
  for (const updateFirst of [true, false]) {
    const { server, client, tab } = await opened();
    server.push = updateFirst;
    const created = await client.create('report', { pages: 3 });
    assert.equal(created, client.operations.get(created.operationId));
    assert.equal(created.via, updateFirst ? 'live' : 'created');
    server.publish(server.update(created.operationId));
    assert.equal(tab.told('operation').length, 1);
    assert.deepEqual(creations(server)[0]?.body, { kind: 'report', input: { pages: 3 } });
    client.close();
  }
});

test('an answer that is slower than the work does not move it back', async () => {
  const { server, client } = await opened();
  const release = hold(server, CREATE);
  const creating = client.create('export');
  await settled();
  const [id] = server.operations.keys();
  server.store(String(id), { status: 'SUCCEEDED' });
  await release();
  assert.equal((await creating).version, 2);
  assert.equal(client.operations.get(String(id))?.status, 'SUCCEEDED');
  client.close();
});

test('no answer, or a server that is away: asked again with the same key, created once', async () => {
  const { server, client, tab, clock } = await opened();
  const faults = [
    () => problem(503, 'away', {}, { 'Retry-After': '1' }),
    () => problem(502, 'gateway'),
    // Created, but the answer is lost.
    async (next) => (await next(), Promise.reject(new TypeError('network'))),
  ];
  server.faults.set(CREATE, (next) => (faults.shift() ?? ((it) => it()))(next));
  const creating = client.create('export');
  await clock.pass(30_000);
  const { operationId } = await creating;
  assert.equal(server.operations.size, 1);
  assert.ok(client.operations.has(operationId));
  const keys = creations(server).map(({ key }) => key);
  assert.equal(keys.length, 4);
  assert.equal(new Set(keys).size, 1);
  assert.deepEqual(tab.told('problem').map(({ action }) => action), ['retry', 'retry', 'retry']);
  client.close();
});

test('five tries at most', async () => {
  const { server, client, tab, clock } = await opened();
  server.faults.set(CREATE, () => problem(503, 'away'));
  const creating = assert.rejects(
    client.create('export'),
    (error) => error instanceof Problem && error.status === 503 && error.message === 'away',
  );
  await clock.pass(60_000);
  await creating;
  assert.equal(creations(server).length, 5);
  assert.equal(tab.told('problem').at(-1).action, 'give-up');
  client.close();
});

test('what the server refuses is not asked again', async () => {
  const { server, client, tab } = await opened();
  for (const status of [400, 422, 429]) {
    server.faults.set(CREATE, () => problem(status, 'no', { field: 'kind' }, { 'Retry-After': '5' }));
    await assert.rejects(client.create('nonsense'), { status, field: 'kind', retryAfterSeconds: 5 });
  }
  assert.equal(creations(server).length, 3);
  assert.deepEqual(tab.told('problem').map(({ action }) => action), ['give-up', 'give-up', 'give-up']);
  client.close();
});

test('each call has its own key, unless it is given one', async () => {
  const { server, client } = await opened();
  await client.create('export');
  await client.create('export');
  const first = await client.create('export', {}, { idempotencyKey: 'mine' });
  const again = await client.create('export', {}, { idempotencyKey: 'mine' });
  assert.equal(first.operationId, again.operationId);
  assert.equal(server.operations.size, 3);
  for (const { key } of creations(server)) {
    assert.match(String(key), /^[\x21-\x7e]{1,128}$/);
  }
  client.close();
});

test('before the stream is ready the list tells of a creation', async () => {
  const { server, client, clock, tab } = await opened();
  client.pause();
  server.faults.set('GET /api/stream', () => true);
  client.close();
  const { Browser } = await import('../testing/tab.js');
  const early = Browser.known(server, clock).tab();
  const { operationId } = await early.client.create('export');
  await settled();
  assert.equal(early.client.operations.get(operationId)?.version, 1);
  early.client.close();
  assert.equal(tab.client.state, 'offline');
});

test('an answer that is no operation is refused', async () => {
  const { server, client, clock } = await opened();
  server.faults.set(CREATE, () => ({ status: 200, text: '<html>' }));
  const creating = assert.rejects(client.create('export'), Problem);
  await clock.pass(60_000);
  await creating;
  server.faults.set(CREATE, () => ({ status: 204 }));
  const empty = assert.rejects(client.create('export'), Problem);
  await clock.pass(60_000);
  await empty;
  client.close();
});

test('a paused client creates nothing; what was under way goes on', async () => {
  const { server, client, tab, clock } = await opened();
  server.faults.set(CREATE, () => problem(503, 'away'));
  const early = client.create('export');
  await settled();
  client.pause();
  await assert.rejects(client.create('export'), { name: 'Problem', message: 'the client is paused' });
  assert.equal(creations(server).length, 1);
  assert.equal(tab.told('problem').length, 1, 'that is no problem of the server');
  server.faults.clear();
  await clock.pass(5_000);
  const { operationId } = await early;
  client.resume();
  await clock.pass(100);
  assert.ok(client.operations.has(operationId));
  await client.create('export');
  assert.equal(server.operations.size, 2);
  client.close();
});

test('a closed client creates nothing, and stops trying', async () => {
  const { server, client, clock } = await opened();
  server.faults.set(CREATE, () => problem(503, 'away'));
  const creating = assert.rejects(client.create('export'), Problem);
  await settled();
  client.close();
  await clock.pass(60_000);
  await creating;
  assert.equal(creations(server).length, 1);
  await assert.rejects(client.create('export'), Problem);
});
