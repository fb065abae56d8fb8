/** What a client shows, whatever order things come in. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Server } from '../testing/server.js';
import { Browser, hold, opened, settled } from '../testing/tab.js';

const versions = (tab) => tab.told('operation').map(({ operation }) => operation.version);

test('what exists is there when the stream is ready, as replay', async () => {
  const server = new Server();
  const { operationId } = server.create();
  server.store(operationId, { status: 'RUNNING', progress: 40 });
  const { client, tab } = await opened(server);
  assert.equal(client.state, 'live');
  const operation = client.operations.get(operationId);
  assert.deepEqual(
    [operation?.version, operation?.progress, operation?.via],
    [2, 40, 'replay'],
  );
  assert.equal(tab.told('operation')[0].previous, undefined);
  assert.deepEqual(client.connection.recovered, { replay: 0, poll: 0 }, 'a first load recovers nothing');
  client.close();
});

test('a live update is told once, with what was before', async () => {
  const { server, client, tab, clock } = await opened();
  const { operationId } = server.create();
  const done = server.store(operationId, { status: 'SUCCEEDED', progress: 100 });
  const [first, second] = tab.told('operation');
  assert.equal(first.via, 'live');
  assert.equal(second.previous, first.operation);
  const { via, receivedAt, cursor, traceparent, publishedAt, ...operation } = second.operation;
  assert.deepEqual(operation, done);
  assert.equal(receivedAt, clock.now());
  assert.equal(cursor, server.cursor(2));
  assert.match(traceparent, /^00-/);
  assert.equal(publishedAt, done.updatedAt);
  client.close();
});

test('duplicates and reorderings change nothing and are acked all the same', async () => {
  const { server, client, tab, clock } = await opened();
  const { operationId } = server.create();
  const first = server.update(operationId);
  server.store(operationId, { progress: 50 });
  const second = server.update(operationId);
  await clock.pass(300);
  server.acks.length = 0;
  for (const event of [second, first, first, second]) {
    server.publish(event);
  }
  await clock.pass(300);
  assert.deepEqual(versions(tab), [1, 2]);
  assert.equal(client.operations.get(operationId)?.version, 2);
  assert.deepEqual(server.acks, [{ operationId, version: 2, via: 'live' }]);
  client.close();
});

test('a slow list does not overwrite what came live meanwhile', async () => {
  const { server, client, tab } = await opened();
  server.push = false;
  const { operationId } = server.create();
  const release = hold(server, 'GET /api/operations');
  const listed = client.reconcile();
  await settled();
  server.push = true;
  server.store(operationId, { status: 'SUCCEEDED' });
  await release();
  assert.equal(await listed, true);
  assert.equal(client.operations.get(operationId)?.status, 'SUCCEEDED');
  assert.deepEqual(versions(tab), [2]);
  client.close();
});

test('a full list does not remove what came live meanwhile', async () => {
  const server = new Server();
  const { operationId: deleted } = server.create({ status: 'FAILED' });
  const { client, tab } = await opened(server);
  server.store(server.create().operationId);
  server.delete(deleted);
  server.store(server.create().operationId);
  // Below what was deleted, so the server answers with everything.
  server.floor = server.head;
  server.push = false;
  server.store(server.create().operationId);
  server.floor = server.head;
  const release = hold(server, 'GET /api/operations');
  const listed = client.reconcile();
  await settled();
  server.push = true;
  const { operationId: fresh } = server.create();
  await release();
  await listed;
  assert.ok(client.operations.has(fresh));
  assert.deepEqual(tab.told('removed').map((it) => it.operationId), [deleted]);
  client.close();
});

test('a reset replaces: higher versions give way, what is gone goes, nothing is empty in between', async () => {
  const server = new Server();
  const kept = server.create();
  server.store(kept.operationId, { progress: 10 });
  const newest = server.store(kept.operationId, { progress: 20 });
  const gone = server.create();
  const { client, tab } = await opened(server);
  const sizes = new Set();
  client.on('operation', () => sizes.add(client.operations.size));
  client.on('removed', () => sizes.add(client.operations.size));

  const rolledBack = { ...newest, version: 2, progress: 10, updatedAt: '2023-01-01T00:00:00.000Z' };
  server.renew([rolledBack]);
  server.reset();
  assert.equal(client.operations.get(kept.operationId)?.version, 2);
  assert.deepEqual(tab.told('removed').map((it) => it.operationId), [gone.operationId]);
  assert.ok(!sizes.has(0));
  assert.equal(client.connection.epoch, server.epoch);
  client.close();
});

test('a reset to the same state tells nothing', async () => {
  const server = new Server();
  const operations = [server.create(), server.create()];
  const { client, tab } = await opened(server);
  tab.events.length = 0;
  server.renew(operations);
  server.reset();
  assert.deepEqual(tab.events, []);
  assert.equal(client.operations.size, 2);
  client.close();
});

test('a reset to nothing removes everything', async () => {
  const server = new Server();
  server.create();
  const { client, tab } = await opened(server);
  server.renew();
  server.reset();
  assert.equal(client.operations.size, 0);
  assert.equal(tab.told('removed').length, 1);
  client.close();
});

test('a list of an epoch that is over does not bring it back', async () => {
  const { server, client, tab } = await opened();
  server.push = false;
  const { operationId: old } = server.create();
  const release = hold(server, 'GET /api/operations');
  const listed = client.reconcile();
  await settled();
  server.push = true;
  server.renew();
  server.reset();
  const { operationId: fresh } = server.create();
  await release();
  assert.equal(await listed, true, 'it was asked for again');
  assert.ok(!client.operations.has(old));
  assert.ok(client.operations.has(fresh));
  assert.ok(!tab.told('operation').some(({ operation }) => operation.operationId === old));
  assert.equal(client.connection.cursor, server.cursor(1));
  client.close();
});

test('a delta of before a reset within the epoch does not count as complete', async () => {
  const server = new Server();
  const { operationId } = server.create();
  const { client } = await opened(server);
  const release = hold(server, 'GET /api/operations');
  const listed = client.reconcile();
  await settled();
  // A reset that does not bring the operation again before the delta is there.
  const stream = [...server.streams][0];
  stream?.send({ type: 'reset', data: { cursor: server.cursor(9), reason: 'retention' } });
  server.head = 9;
  await release();
  assert.equal(await listed, true);
  assert.ok(client.operations.has(operationId));
  const last = server.requests.filter((it) => it.what === 'GET /api/operations').at(-1);
  assert.equal(last?.query, 'limit=100', 'everything, not what is after a cursor');
  client.close();
});

test('a creation that was answered in an epoch that is over does not bring it back', async () => {
  const { server, client } = await opened();
  server.push = false;
  const release = hold(server, 'POST /api/operations');
  const creating = client.create('export');
  await settled();
  server.renew();
  server.reset();
  await release();
  const created = await creating;
  assert.equal(created.version, 1, 'who asked gets the answer');
  assert.ok(!client.operations.has(created.operationId));
  await settled();
  assert.equal(server.requests.at(-1)?.what, 'GET /api/operations');
  client.close();
});

test('a list that knows the new epoch first replaces everything and opens the stream anew', async () => {
  const server = new Server();
  const { operationId: old } = server.create();
  const { client, tab } = await opened(server);
  const late = server.update(old);
  server.renew();
  server.push = false;
  const { operationId: fresh } = server.create();
  server.push = true;
  await client.reconcile();
  assert.deepEqual([...client.operations.keys()], [fresh]);
  tab.sources[0]?.send(late);
  assert.deepEqual([...client.operations.keys()], [fresh], 'what the old stream had to say');
  await settled();
  assert.equal(tab.sources.length, 2);
  assert.equal(client.state, 'live');
  client.close();
});

test('an update of another epoch without a reset is not believed, but asked about', async () => {
  const { server, client, clock } = await opened();
  const { operationId } = server.create();
  await clock.pass(0);
  const lists = server.count('GET /api/operations');
  const event = server.update(operationId);
  event.data = { ...event.data, version: 7, cursor: 'ffffffffffffffff-9' };
  server.publish(event);
  assert.equal(client.operations.get(operationId)?.version, 1);
  await clock.pass(1_000);
  assert.equal(server.count('GET /api/operations'), lists + 1);
  client.close();
});

test('after a stream that broke in the middle of a reset the rest still comes, and the old goes', async () => {
  const server = new Server();
  const { operationId: old } = server.create();
  const { client, tab, clock } = await opened(server);
  server.renew();
  server.push = false;
  const first = server.create();
  const second = server.create();
  const stream = [...server.streams][0];
  stream?.send({ type: 'reset', data: { cursor: server.cursor(2), reason: 'epoch' } });
  stream?.send(server.update(first.operationId));
  assert.ok(client.operations.has(old), 'not yet replaced');
  tab.source.fail(2);
  await clock.pass(1_500);
  assert.deepEqual([...client.operations.keys()].sort(), [first, second].map((it) => it.operationId).sort());
  client.close();
});

test('the cursor comes from an update or a list, never from ready', async () => {
  const server = new Server();
  server.head = 5;
  const { client } = await opened(server);
  assert.equal(client.connection.cursor, null);
  server.create();
  assert.equal(client.connection.cursor, server.cursor(6));
  server.push = false;
  server.create();
  await client.reconcile();
  assert.equal(client.connection.cursor, server.cursor(7));
  client.close();
});

test('an update without an id leaves the cursor, and what it skipped is asked for', async () => {
  const { server, client, clock } = await opened();
  server.create();
  server.push = false;
  const missed = server.create();
  const shown = server.create();
  server.publish(server.update(shown.operationId, { id: false }));
  assert.ok(client.operations.has(shown.operationId));
  assert.equal(client.connection.cursor, server.cursor(1));
  await clock.pass(1_000);
  assert.ok(client.operations.has(missed.operationId));
  assert.equal(client.connection.cursor, server.cursor(3));
  assert.deepEqual(client.connection.recovered, { replay: 0, poll: 1 });
  client.close();
});

test('updates in a row without an id ask once', async () => {
  const { server, client, clock } = await opened();
  server.push = false;
  server.create();
  server.create();
  for (let i = 0; i < 5; i++) {
    server.publish(server.update(server.create().operationId, { id: false }));
  }
  await clock.pass(2_000);
  assert.equal(server.count('GET /api/operations'), 1);
  client.close();
});

test('a heartbeat that is further than what came shows a loss at the end', async () => {
  const { server, client, clock } = await opened();
  server.create();
  server.push = false;
  const { operationId } = server.create();
  server.heartbeat();
  await clock.pass(1_000);
  assert.equal(client.operations.get(operationId)?.via, 'poll');
  client.close();
});

test('gaps up to ready are no holes', async () => {
  const server = new Server();
  const { operationId } = server.create();
  for (let i = 0; i < 5; i++) {
    server.store(operationId, { progress: i });
  }
  server.create();
  const { client, clock } = await opened(server);
  await clock.pass(5_000);
  assert.equal(server.count('GET /api/operations'), 0);
  client.close();
});

test('of too many operations the oldest final ones go, then the oldest', async () => {
  const { server, client, tab } = await opened(new Server(), { maxOperations: 3 });
  const pending = server.create();
  const early = server.create({ status: 'SUCCEEDED' });
  const late = server.create({ status: 'FAILED' });
  const next = server.create();
  assert.deepEqual(tab.told('removed').map((it) => it.operationId), [early.operationId]);
  server.create();
  server.create();
  assert.deepEqual(
    tab.told('removed').map((it) => it.operationId),
    [early, late, pending].map((it) => it.operationId),
  );
  assert.equal(client.operations.size, 3);
  assert.ok(client.operations.has(next.operationId));
  client.close();
});

test('an operation that would be let go at once is not told', async () => {
  const { server, client, tab } = await opened(new Server(), { maxOperations: 1 });
  server.create();
  server.create({ status: 'FAILED' });
  assert.equal(tab.told('operation').length, 1);
  assert.deepEqual(tab.told('removed'), []);
  client.close();
});

test('10,000 updates leave what 200 operations need', async () => {
  const { server, client, clock } = await opened();
  for (let i = 0; i < 10_000; i++) {
    const { operationId } = server.create({ status: 'SUCCEEDED' });
    server.operations.delete(operationId);
    if (i % 500 === 0) {
      await clock.pass(10);
    }
  }
  assert.equal(client.operations.size, 200);
  assert.ok(client.connection.acksPending <= 1_024 + 256, String(client.connection.acksPending));
  assert.ok(clock.pending <= 5, String(clock.pending));
  client.close();
});

test('an event that cannot be read is told, and not left behind the cursor', async () => {
  for (const data of ['{"cursor":', 'null', '{}', '{"cursor":"nonsense"}']) {
    const { server, client, tab, clock } = await opened();
    server.create();
    server.push = false;
    const { operationId } = server.create();
    server.push = true;
    server.publish({ type: 'update', data, id: server.cursor(2) });
    server.create();
    assert.equal(tab.told('problem').length, 1);
    await clock.pass(1_500);
    assert.equal(client.state, 'live');
    assert.ok(client.operations.has(operationId));
    assert.equal(client.operations.size, 3);
    client.close();
  }
});

test('a listener that throws hurts no other, and one that is removed hears nothing', async () => {
  const { server, client } = await opened();
  const heard = [];
  const reported = [];
  const { reportError } = /** @type {any} */ (globalThis);
  /** @type {any} */ (globalThis).reportError = (error) => reported.push(error.message);
  try {
    client.on('operation', () => {
      throw new Error('mine');
    });
    const remove = client.on('operation', ({ operation }) => heard.push(operation.version));
    const { operationId } = server.create();
    remove();
    remove();
    server.store(operationId);
  } finally {
    /** @type {any} */ (globalThis).reportError = reportError;
  }
  assert.deepEqual(heard, [1]);
  assert.deepEqual(reported, ['mine', 'mine']);
  assert.throws(() => client.on(/** @type {any} */ ('updates'), () => {}), TypeError);
  client.close();
});

test('a listener that another one removes hears nothing any more', async () => {
  const { server, client } = await opened();
  const heard = [];
  client.on('operation', () => remove());
  const remove = client.on('operation', () => heard.push('removed'));
  server.create();
  assert.deepEqual(heard, []);
  client.close();
});

test('a listener may close the client', async () => {
  const server = new Server();
  server.create();
  server.create();
  const browser = Browser.known(server);
  const { client, events } = browser.tab();
  client.on('operation', () => client.close());
  await settled();
  assert.equal(events.filter(({ type }) => type === 'operation').length, 1);
  assert.equal(client.state, 'offline');
  assert.equal(browser.clock.pending, 0);
});

test('operations cannot be changed by who reads them', async () => {
  const { server, client } = await opened();
  const { operationId } = server.create();
  assert.ok(Object.isFrozen(client.operations.get(operationId)));
  client.close();
});

test('a failover that lost nothing is not noticed', async () => {
  const { server, client, tab, clock } = await opened();
  const { operationId } = server.create();
  await clock.pass(1_000);
  const lists = server.count('GET /api/operations');
  server.failover();
  server.heartbeat();
  server.store(operationId, { status: 'RUNNING' });
  await clock.pass(1_000);
  assert.equal(client.operations.get(operationId)?.version, 2);
  assert.equal(server.count('GET /api/operations'), lists);
  assert.equal(tab.sources.length, 1);
  assert.equal(client.connection.cursor, server.cursor());
  client.close();
});

test('a version that was lost gives way to its successor of the same number, after a reset of the stream', async () => {
  const { server, client, clock } = await opened();
  const { operationId } = server.create();
  server.store(operationId, { progress: 10 });
  server.failover(1);
  server.reset('term');
  server.store(operationId, { progress: 20 });
  await clock.pass(1_000);
  assert.equal(client.operations.get(operationId)?.version, 2);
  assert.equal(client.operations.get(operationId)?.progress, 20);
  client.close();
});

for (const first of ['heartbeat', 'update']) {
  test(`a lost version that only a list had shown gives way to its successor, ${first} first`, async () => {
    const { server, client, tab, clock } = await opened();
    const { operationId } = server.create();
    server.push = false;
    server.store(operationId, { progress: 10 });
    await client.reconcile();
    assert.equal(client.operations.get(operationId)?.progress, 10);
    const lost = server.cursor();
    server.push = true;
    server.failover(1);
    if (first === 'heartbeat') {
      server.heartbeat();
    }
    // The stream goes on: it had not brought what was lost.
    server.store(operationId, { progress: 20 });
    await clock.pass(3_000);
    const named = server.requests.filter(({ query }) => query.includes(`shown=${lost}`));
    assert.equal(named.length, 1, 'one list names what was shown');
    assert.equal(client.operations.get(operationId)?.version, 2);
    assert.equal(client.operations.get(operationId)?.progress, 20);
    assert.equal(client.connection.cursor, server.cursor());
    assert.equal(tab.sources.length, 1);
    client.close();
  });
}

test('an operation whose creation was lost goes', async () => {
  const { server, client, clock } = await opened();
  server.push = false;
  const { operationId } = await client.create('export');
  assert.ok(client.operations.has(operationId));
  server.push = true;
  server.failover(1);
  server.heartbeat();
  await clock.pass(3_000);
  assert.ok(!client.operations.has(operationId));
  client.close();
});

test('a creation that was answered in a term that is over is asked about', async () => {
  const { server, client, clock } = await opened();
  server.create();
  server.push = false;
  const release = hold(server, 'POST /api/operations');
  const creating = client.create('export');
  await settled();
  server.push = true;
  server.failover(1);
  server.heartbeat();
  await release();
  const { operationId } = await creating;
  await clock.pass(3_000);
  assert.ok(!client.operations.has(operationId));
  client.close();
});

test('two failovers in a row, of which no list was read in between, replace everything', async () => {
  const { server, client, tab, clock } = await opened();
  const { operationId: untouched } = server.create();
  const { operationId } = server.create();
  server.push = false;
  server.store(operationId, { progress: 10 });
  await client.reconcile();
  const release = hold(server, 'GET /api/operations');
  server.failover(1);
  server.heartbeat();
  server.failover();
  server.push = true;
  server.store(operationId, { progress: 20 });
  await clock.pass(2_000);
  await release();
  await clock.pass(3_000);
  assert.equal(client.operations.get(operationId)?.progress, 20);
  assert.ok(client.operations.has(untouched), 'also what has not changed since');
  assert.equal(tab.sources.length, 2, 'a new stream brings everything');
  client.close();
});

test('a heartbeat of the old term after a list of the new one changes nothing', async () => {
  const { server, client, tab, clock } = await opened();
  const { operationId } = server.create();
  const old = server.cursor();
  server.failover();
  server.push = false;
  server.store(operationId, { progress: 10 });
  await client.reconcile();
  server.publish({ type: 'heartbeat', data: { cursor: old } });
  server.push = true;
  server.store(operationId, { progress: 20 });
  await clock.pass(3_000);
  assert.equal(client.operations.get(operationId)?.progress, 20);
  assert.equal(tab.sources.length, 1);
  assert.ok(!server.requests.some(({ query }) => query.includes(`shown=${old.split('-')[0]}-3`)));
  client.close();
});

test('what was created and lost while the list that tells was under way goes', async () => {
  const { server, client, clock } = await opened();
  const { operationId } = server.create();
  server.push = false;
  const first = hold(server, 'POST /api/operations');
  const creating = client.create('export');
  await settled();
  server.failover(1);
  const second = hold(server, 'GET /api/operations');
  const listed = client.reconcile();
  await settled();
  await first();
  const created = await creating;
  assert.ok(client.operations.has(created.operationId), 'answered in the old term');
  await second();
  await listed;
  await clock.pass(3_000);
  assert.ok(!client.operations.has(created.operationId));
  assert.ok(client.operations.has(operationId));
  client.close();
});

test('a list of an old primary leads back, and the stream begins anew in the term that it leads back to', async () => {
  const { server, client, tab, clock } = await opened();
  const { operationId } = server.create();
  const old = { term: server.term, head: server.head, operations: server.operations, terms: server.terms };
  server.terms = new Map();
  server.failover();
  const present = server.term;
  server.store(operationId, { progress: 10 });
  await clock.pass(1_000);
  assert.equal(client.operations.get(operationId)?.version, 2);
  const answer = server.operations;
  const { head } = server;
  // The replica that answers does not know the new primary yet.
  Object.assign(server, { ...old, operations: new Map([...old.operations]) });
  const terms = new Map([[old.term, old.head]]);
  await client.reconcile();
  Object.assign(server, { term: present, head, operations: answer, terms });
  server.store(operationId, { progress: 20 });
  await clock.pass(3_000);
  server.store(operationId, { progress: 30 });
  await clock.pass(1_000);
  assert.equal(client.operations.get(operationId)?.progress, 30);
  assert.equal(client.state, 'live');
  assert.ok(tab.sources.length <= 3);
  client.close();
});

test('a version of the new term is not hidden by a lost one while the list is under way', async () => {
  const { server, client, clock } = await opened();
  const { operationId } = server.create();
  server.push = false;
  server.store(operationId, { progress: 10 });
  await client.reconcile();
  server.push = true;
  server.failover(1);
  const release = hold(server, 'GET /api/operations');
  server.heartbeat();
  await clock.pass(1_500);
  server.store(operationId, { progress: 20 });
  assert.equal(client.operations.get(operationId)?.progress, 20);
  await release();
  server.create();
  await clock.pass(3_000);
  assert.equal(client.operations.get(operationId)?.progress, 20);
  client.close();
});
