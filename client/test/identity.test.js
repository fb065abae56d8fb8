/** The anonymous identity: the first one, and the next one when the server does not accept it any more. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { problem } from '../testing/server.js';
import { Browser, hold, opened, settled } from '../testing/tab.js';

const IDENTITY = 'POST /api/identity';

test('a browser that is new gets an identity, and its stream', async () => {
  const browser = new Browser();
  const { client, events } = browser.tab();
  await settled();
  assert.equal(client.state, 'live');
  assert.equal(browser.server.count(IDENTITY), 1);
  assert.deepEqual(events.map(({ event }) => event), [{ state: 'live', previous: 'connecting' }]);
  client.close();
});

test('an identity that has expired is replaced once, and all state with it', async () => {
  const { server, browser, client, tab, clock } = await opened();
  server.create();
  server.identities.clear();
  server.operations.clear();
  tab.source.fail(2);
  await clock.pass(2_000);
  assert.equal(server.count(IDENTITY), 1);
  assert.notEqual(browser.cookie, 'known');
  assert.equal(client.state, 'live');
  assert.equal(client.operations.size, 0);
  assert.equal(tab.told('removed').length, 1);
  assert.ok(tab.told('problem').some(({ action }) => action === 'start-anew'));
  assert.equal(server.acks.length, 0);
  client.close();
});

test('a creation finds out as well', async () => {
  const { server, client } = await opened();
  server.identities.clear();
  const { operationId } = await client.create('export');
  await settled();
  assert.equal(server.count(IDENTITY), 1);
  assert.ok(client.operations.has(operationId));
  assert.equal(client.state, 'live');
  client.close();
});

test('and so does an ack', async () => {
  const { server, client, clock } = await opened();
  server.create();
  server.identities.clear();
  await clock.pass(1_000);
  assert.equal(server.count(IDENTITY), 1);
  assert.equal(client.state, 'live');
  client.close();
});

test('a browser that keeps no cookies is asked once a minute, not in a loop', async () => {
  const browser = new Browser();
  browser.server.cookies = false;
  const { client, events } = browser.tab();
  await browser.clock.pass(50_000);
  assert.equal(browser.server.count(IDENTITY), 1);
  assert.ok(browser.server.requests.length < 40, `${browser.server.requests.length} requests`);
  assert.equal(client.state, 'offline');
  assert.ok(events.some(({ event }) => event.action === 'give-up' && event.status === 401));
  await browser.clock.pass(60_000);
  assert.equal(browser.server.count(IDENTITY), 2);
  browser.server.cookies = true;
  await browser.clock.pass(70_000);
  assert.equal(client.state, 'live');
  client.close();
});

test('an identity that cannot be had now is asked for again', async () => {
  const browser = new Browser();
  browser.server.faults.set(IDENTITY, () => problem(503, 'away'));
  const { client } = browser.tab();
  await browser.clock.pass(5_000);
  assert.equal(client.state, 'offline');
  browser.server.faults.clear();
  await browser.clock.pass(15_000);
  assert.equal(client.state, 'live');
  client.close();
});

test('tabs that find out at the same time agree on one identity', async () => {
  const browser = new Browser();
  const tabs = [browser.tab(), browser.tab(), browser.tab()];
  await browser.clock.pass(1_000);
  assert.equal(browser.server.identities.size, 1);
  assert.deepEqual(tabs.map(({ client }) => client.state), ['live', 'live', 'live']);
  tabs.forEach(({ client }) => client.close());
});

test('shared tabs start anew together', async () => {
  const browser = Browser.known();
  const { server, clock } = browser;
  const tabs = [browser.tab({ share: true }), browser.tab({ share: true })];
  await clock.pass(1_000);
  server.create();
  await clock.pass(1_000);
  server.identities.clear();
  server.operations.clear();
  const created = await tabs[1].client.create('export');
  await clock.pass(2_000);
  for (const { client } of tabs) {
    assert.equal(client.state, 'live');
    assert.deepEqual([...client.operations.keys()], [created.operationId]);
    client.close();
  }
});

test('a tab that is frozen while it asks is not waited for', async () => {
  const browser = new Browser();
  const { server, clock } = browser;
  hold(server, IDENTITY);
  const frozen = browser.tab();
  await settled();
  assert.equal(server.count(IDENTITY), 1);
  frozen.freeze();
  const { client } = browser.tab();
  const creating = client.create('export');
  await clock.pass(20_000);
  assert.equal(server.count(IDENTITY), 2);
  assert.equal(client.state, 'live');
  assert.ok(client.operations.has((await creating).operationId));
  client.close();
  frozen.client.close();
});
