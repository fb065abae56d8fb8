/** The keyboard focus keeps its place, whatever becomes of the element that was pressed. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Demo } from '../testing/demo.js';
import { openPage } from '../testing/page.js';

const off = (button) => button.getAttribute('aria-disabled') === 'true';

test('a button that cannot be used any more keeps the focus, and does nothing', async (t) => {
  const { clock, server, client, byId, press, focused } = await openPage(t);
  const drops = () => server.count('GET /api/stream');
  await press('drop');
  await clock.pass(10);
  assert.equal(client.state, 'degraded');
  assert.ok(off(byId('drop')));
  assert.equal(focused().id, 'drop');
  const before = drops();
  await press('drop');
  await clock.pass(3_000);
  assert.equal(drops(), before + 1, 'it came back once');
  assert.equal(focused().id, 'drop');
  assert.ok(!off(byId('drop')));

  await press('sleep');
  assert.ok(off(byId('sleep')) && off(byId('offline')) && off(byId('drop')));
  assert.equal(focused().id, 'sleep');
  await clock.pass(10_000);
  await press('sleep');
  await press('offline');
  assert.equal(byId('offline').getAttribute('aria-pressed'), 'false');
  await clock.pass(21_000);
  assert.equal(client.state, 'live', 'it did not begin to sleep anew');
  assert.equal(focused().id, 'offline');
  assert.ok(!off(byId('sleep')) && !off(byId('offline')));
});

test('what hides with the focus gives it to its surroundings', async (t) => {
  const demo = new Demo();
  demo.switch('local-only', true);
  const { clock, byId, press, focused } = await openPage(t, { demo });
  assert.ok(!byId('strip-off').hasAttribute('hidden'));
  await press('strip-off');
  await clock.pass(2_000);
  assert.ok(byId('strip-off').hasAttribute('hidden'));
  assert.equal(focused().id, 'strip');
  assert.equal(byId('strip').getAttribute('tabindex'), '-1', 'by the program, not by the Tab key');

  byId('drop').focus();
  demo.switch('local-only', true);
  await clock.pass(2_000);
  demo.switch('local-only', false);
  await clock.pass(2_000);
  assert.equal(focused().id, 'drop', 'of others it takes nothing');
});

test('a switch whose state nobody knows keeps the focus', async (t) => {
  const { clock, demo, document, press, focused } = await openPage(t);
  const toggle = /** @type {any} */ (document.querySelector('[data-key=slow-external] .switch'));
  await press(toggle);
  await clock.pass(2_000);
  assert.equal(toggle.getAttribute('aria-checked'), 'true');
  demo.external = null;
  await clock.pass(2_000);
  assert.ok(off(toggle));
  assert.ok(focused() === toggle);
  const before = demo.requests.length;
  toggle.click();
  assert.equal(demo.requests.length, before);
});

test('what goes with the focus leaves it to its list, and what stays keeps it', async (t) => {
  const { clock, demo, byId, focused, document } = await openPage(t);
  const example = (/** @type {number} */ version) => ({
    at: '2026-01-01T00:00:00Z', reason: 'not_received', replica: 'replica-1',
    operationId: 'op7-1', version, correlationId: '12345678-0', traceId: '',
  });
  demo.expired = [1, 2, 3].map(example);
  await clock.pass(2_000);
  const [, second, third] = document.querySelectorAll('#expired button');
  /** @type {any} */ (third).focus();
  demo.expired = [3].map(example);
  await clock.pass(2_000);
  assert.ok(focused() === third);
  assert.ok(!(/** @type {any} */ (second).isConnected));
  demo.expired = [4].map(example);
  await clock.pass(2_000);
  assert.equal(focused().id, 'expired');
});
