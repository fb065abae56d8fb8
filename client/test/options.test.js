/** What `connect` takes, and what it refuses. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect } from '../testing/lastmile.js';
import { Browser, opened, settled } from '../testing/tab.js';

test('options have limits', () => {
  for (const options of [
    { ackDelayMillis: -1 },
    { idlePollMillis: Infinity },
    { maxOperations: NaN },
    { requestMillis: /** @type {any} */ ('soon') },
  ]) {
    assert.throws(() => connect({ ...options, share: false, EventSource }).close(), RangeError);
  }
});

test('what is no number is refused by name, even if it looks like one', () => {
  for (const name of ['retryMillis', 'retryMaxMillis', 'ackDelayMillis', 'pendingPollMillis', 'maxOperations']) {
    for (const value of ['500', '', null, true, [500], {}]) {
      assert.throws(
        () => connect(/** @type {any} */ ({ [name]: value, EventSource, share: false })).close(),
        (error) => error instanceof RangeError && error.message.startsWith(`${name} must be a number from `),
        `${name}: ${JSON.stringify(value)}`,
      );
    }
  }
});

test('anything else that would fail later is refused by name at once', () => {
  for (const options of [
    { baseUrl: null },
    { baseUrl: new URL('http://localhost') },
    { share: 'false' },
    { fetch: null },
    { EventSource: undefined },
    { EventSource: 'EventSource' },
    { clock: null },
  ]) {
    const [[name]] = Object.entries(options);
    assert.throws(
      () => connect(/** @type {any} */ ({ EventSource, ...options })).close(),
      (error) => error instanceof TypeError && error.message.startsWith(`${name} must be a `),
    );
  }
});

test('an option that is undefined is as if it were absent', async () => {
  const server = Browser.known().server;
  const names = ['baseUrl', 'share', 'ackDelayMillis', 'retryMillis', 'maxOperations', 'openMillis', 'leaderMillis'];
  const { client, clock } = await opened(server, Object.fromEntries(names.map((name) => [name, undefined])));
  assert.equal(client.state, 'live');
  const { operationId } = await client.create('export');
  assert.equal(client.operations.get(operationId)?.version, 1);
  await clock.pass(1_000);
  assert.equal(server.acks.length, 1);
  client.close();
});

test('undefined parts of the environment are those of the platform', async () => {
  const browser = Browser.known();
  const tab = browser.tab();
  tab.client.close();
  const fake = Object.assign(tab, { sources: [] });
  const client = connect({
    clock: undefined,
    locks: undefined,
    sendBeacon: undefined,
    window: undefined,
    document: undefined,
    share: false,
    fetch: async () => new Response('', { status: 503 }),
    EventSource: /** @type {any} */ (
      class extends EventTarget {
        constructor(url) {
          super();
          fake.sources.push(url);
        }
        close() {}
      }
    ),
  });
  await settled();
  assert.deepEqual(fake.sources, ['/api/stream']);
  client.close();
});

class EventSource extends EventTarget {
  close() {}
}
