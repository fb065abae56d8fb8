/** Acks that the client sends. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { problem, Server } from '../testing/server.js';
import { hold, opened, settled } from '../testing/tab.js';

const ACKS = 'POST /api/acks';
const batches = (server) => server.requests.filter((it) => it.what === ACKS).map(({ body }) => body.acks);

test('acks go together, one per operation, after a moment', async () => {
  const { server, client, clock } = await opened();
  const first = server.create();
  server.store(first.operationId, { progress: 1 });
  const second = server.create();
  assert.equal(client.connection.acksPending, 2);
  await clock.pass(199);
  assert.equal(batches(server).length, 0);
  await clock.pass(2);
  assert.deepEqual(batches(server), [
    [
      { operationId: first.operationId, version: 2, via: 'live' },
      { operationId: second.operationId, version: 1, via: 'live' },
    ],
  ]);
  assert.equal(client.connection.acksPending, 0);
  client.close();
});

test('each says how its version was learnt', async () => {
  const server = new Server();
  const { operationId } = server.create();
  const { client, clock } = await opened(server);
  server.store(operationId, { progress: 1 });
  server.push = false;
  server.store(operationId, { progress: 2 });
  await client.reconcile();
  await clock.pass(1_000);
  assert.deepEqual(server.acks, [
    { operationId, version: 1, via: 'replay' },
    { operationId, version: 2, via: 'live' },
    { operationId, version: 3, via: 'poll' },
  ]);
  client.close();
});

test('256 at most in one request', async () => {
  const { server, client, clock } = await opened();
  for (let i = 0; i < 600; i++) {
    server.create();
  }
  await clock.pass(1_000);
  assert.deepEqual(batches(server).map((it) => it.length), [256, 256, 88]);
  client.close();
});

test('what did not get through is sent again, in front, with longer pauses', async () => {
  const { server, client, clock } = await opened();
  const first = server.create();
  const release = hold(server, ACKS, () => problem(503, 'away'));
  await clock.pass(1_000);
  const second = server.create();
  assert.equal(client.connection.acksPending, 2);
  await release();
  server.faults.set(ACKS, () => problem(503, 'away', {}, { 'Retry-After': '2' }));
  await clock.pass(1_000);
  assert.equal(batches(server).length, 2);
  await clock.pass(1_500);
  assert.equal(batches(server).length, 2, 'the server wants 2 s');
  server.faults.clear();
  await clock.pass(5_000);
  assert.deepEqual(server.acks.map((it) => it.operationId), [first.operationId, second.operationId]);
  assert.equal(client.connection.acksPending, 0);
  client.close();
});

test('what is not yet acked when a page pauses is acked when it resumes', async () => {
  const { server, client, clock } = await opened();
  server.faults.set(ACKS, () => problem(503, 'away'));
  const { operationId } = server.create();
  await clock.pass(1_000);
  client.pause();
  await clock.pass(5_000);
  assert.equal(client.connection.acksPending, 1);
  server.faults.clear();
  client.resume();
  await clock.pass(5_000);
  assert.deepEqual(server.acks.map((it) => it.operationId), [operationId]);
  assert.equal(client.connection.acksPending, 0);
  client.close();
});

test('an ack whose answer got lost is sent again', async () => {
  const { server, client, clock } = await opened();
  const { operationId } = server.create();
  server.faults.set(ACKS, async (next) => {
    server.faults.clear();
    await next();
    throw new Error('connection reset');
  });
  await clock.pass(2_000);
  assert.deepEqual(server.acks.map((it) => it.operationId), [operationId, operationId]);
  client.close();
});

test('a refused ack is dropped alone, and told', async () => {
  const { server, client, tab, clock } = await opened();
  const [first, second, third] = [server.create(), server.create(), server.create()];
  server.operations.delete(second.operationId);
  await clock.pass(1_000);
  assert.deepEqual(server.acks.map((it) => it.operationId), [first.operationId, third.operationId]);
  assert.deepEqual(
    tab.told('problem').map(({ status, action }) => [status, action]),
    [[404, 'drop']],
  );
  assert.equal(client.connection.acksDropped, 1);
  client.close();
});

test('a batch that is refused without saying why is dropped, not repeated', async () => {
  const { server, client, clock } = await opened();
  server.create();
  server.faults.set(ACKS, () => problem(403, 'another site'));
  await clock.pass(60_000);
  assert.equal(batches(server).length, 1);
  assert.equal(client.connection.acksPending, 0);
  assert.equal(client.connection.acksDropped, 1);
  client.close();
});

test('while the server is away acks are kept up to a limit, the newest ones', async () => {
  const { server, client, clock } = await opened();
  server.faults.set(ACKS, () => problem(503, 'away'));
  await clock.pass(0);
  for (let i = 0; i < 2_000; i++) {
    const { operationId } = server.create({ status: 'SUCCEEDED' });
    if (i < 1_900) {
      server.operations.delete(operationId);
    }
    if (i % 100 === 0) {
      await clock.pass(300);
    }
  }
  await clock.pass(5_000);
  assert.ok(client.connection.acksPending <= 1_024, String(client.connection.acksPending));
  assert.ok(client.connection.acksDropped >= 976, String(client.connection.acksDropped));
  client.close();
});

test('acks of an epoch that is over are not sent, however it is learnt', async () => {
  for (const learn of [
    ({ server }) => server.reset(),
    ({ client }) => client.reconcile(),
    ({ tab }) => tab.source.connect(),
  ]) {
    const it = await opened();
    const { server, client, clock } = it;
    server.create();
    server.renew();
    await learn(it);
    await clock.pass(5_000);
    assert.equal(client.connection.epoch, server.epoch);
    assert.equal(batches(server).length, 0, String(learn));
    client.close();
  }
});

test('a batch under way when the epoch ends is not sent again', async () => {
  const { server, client, clock } = await opened();
  server.create();
  let fail = () => {};
  server.faults.set(ACKS, () => new Promise((_, reject) => (fail = () => reject(new Error()))));
  await clock.pass(300);
  server.renew();
  server.reset();
  fail();
  server.faults.clear();
  await clock.pass(20_000);
  assert.equal(batches(server).length, 1);
  client.close();
});

test('a page that leaves hands its acks to the browser', async () => {
  const { server, client, tab, clock } = await opened();
  for (let i = 0; i < 300; i++) {
    server.create();
  }
  tab.window.dispatchEvent(new Event('pagehide'));
  await settled();
  assert.equal(tab.beacons.length, 2);
  assert.equal(tab.beacons[0].type, 'application/json');
  assert.equal(server.acks.length, 300);
  // It cannot know that; if it comes back it says so again.
  assert.equal(client.connection.acksPending, 300);
  tab.window.dispatchEvent(new Event('pageshow'));
  await clock.pass(1_000);
  assert.equal(client.connection.acksPending, 0);
  client.close();
});

test('where the browser takes no beacon the request outlives the page', async () => {
  for (const options of [{ sendBeacon: null }, {}]) {
    const { server, client, tab } = await opened(new Server(), options);
    tab.takesBeacons = false;
    server.create();
    client.close();
    await settled();
    assert.equal(server.acks.length, 1);
  }
});

test('a page that is hidden sends at once', async () => {
  const { server, client, tab, clock } = await opened();
  server.create();
  tab.show(false);
  await clock.pass(0);
  assert.equal(server.acks.length, 1);
  client.close();
});

test('one request at a time', async () => {
  const { server, client, clock } = await opened();
  server.create();
  const release = hold(server, ACKS);
  await clock.pass(300);
  server.create();
  await clock.pass(3_000);
  assert.equal(batches(server).length, 1);
  assert.equal(client.connection.acksPending, 2);
  await release();
  await clock.pass(300);
  assert.equal(server.acks.length, 2);
  client.close();
});
