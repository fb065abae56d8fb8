/** What the page says of the cluster: its faults and its account, also while no replica answers. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { Demo } from '../testing/demo.js';
import { openPage } from '../testing/page.js';

test('all faults of the service stand in the document before anybody has answered', async (t) => {
  const demo = new Demo();
  demo.reachable = false;
  const { document, byId } = await openPage(t, { demo });
  const file = new URL('../../demo/src/main/java/dev/lastmile/demo/page/DemoFault.java', import.meta.url);
  const names = [...(await readFile(file, 'utf8')).matchAll(/^ {2}([A-Z_]+)\(/gm)].map(([, name]) =>
    String(name).toLowerCase().replaceAll('_', '-'),
  );
  assert.ok(names.length >= 7);
  const rows = [...byId('switches').children].map((it) => it.dataset.key);
  assert.deepEqual(rows, [...names, 'slow-reader']);
  for (const name of names) {
    assert.ok(byId(`fault-${name}`).textContent.length > 3);
  }
  assert.ok([...document.querySelectorAll('.switch')].every((it) => it.getAttribute('aria-disabled') === 'true'));
});

test('faults are switched where they are, and said at the top', async (t) => {
  const { clock, demo, document, press, text, byId } = await openPage(t);
  const toggle = document.querySelector('[data-key=local-only] .switch');
  await press(toggle);
  await clock.pass(100);
  assert.equal(toggle?.getAttribute('aria-checked'), 'true');
  assert.equal(text('strip-text'), 'On: Fan-out off.');
  const [, second] = document.querySelectorAll('[data-key=deaf] .choice');
  await press(second);
  await clock.pass(100);
  assert.equal(text('strip-text'), 'On: Fan-out off; A replica is deaf (replica-2).');
  assert.equal(second?.getAttribute('aria-pressed'), 'true');
  assert.ok(demo.requests.includes('PUT /api/demo/faults/deaf?replica=replica-2'));
  await press('strip-off');
  await clock.pass(100);
  assert.equal(text('strip-text'), 'Nothing is broken on purpose.');
  assert.equal(byId('strip').dataset.kind, 'well');
});

test('a slow reader is seen while it is on, by everybody', async (t) => {
  const { clock, demo, press, text, byId, said } = await openPage(t);
  assert.equal(text('slow-reader-state'), 'no slow reader');
  await press('slow-reader');
  await clock.pass(100);
  assert.equal(text('slow-reader-state'), 'on at replica-1, 25 s at most');
  assert.equal(text('strip-text'), 'On: Slow reader (replica-1).');
  assert.equal(byId('strip').dataset.kind, 'broken');
  assert.ok(byId('strip-off').hasAttribute('hidden'), 'it ends by itself');
  await clock.pass(5_000);
  assert.ok(said.includes('On: Slow reader (replica-1).'));
  demo.slow = ['replica-3'];
  await clock.pass(2_000);
  assert.equal(text('slow-reader-state'), 'on at replica-3, 25 s at most');
  demo.slow = [];
  await clock.pass(2_000);
  assert.equal(text('slow-reader-state'), 'no slow reader');
  assert.equal(byId('strip').dataset.kind, 'well');
});

test('faults that are on are said while Redis is away, too', async (t) => {
  const { clock, demo, document, byId, text } = await openPage(t);
  demo.switch('deaf', true, 'replica-2');
  demo.switch('lose-callbacks', true);
  await clock.pass(2_000);
  demo.redis = false;
  await clock.pass(2_000);
  assert.equal(byId('strip').dataset.kind, 'away');
  assert.equal(
    text('strip-text'),
    'Redis is away. Streams stay open, nothing is lost; what needs the store waits.' +
      ' On: A replica is deaf (replica-2); Lose callbacks.',
  );
  assert.equal(document.querySelectorAll('[data-key=deaf] .choice').length, 3, 'none of them went');
  assert.ok(byId('strip-off').hasAttribute('hidden'), 'nobody could do that now');
  demo.reachable = false;
  await clock.pass(2_000);
  assert.match(text('strip-text'), /^No replica answers .* On: A replica is deaf/);
  demo.redis = demo.reachable = true;
  await clock.pass(2_000);
  assert.equal(byId('strip').dataset.kind, 'broken');
});

test('an account that is old is shown as old', async (t) => {
  const demo = new Demo();
  demo.total.expected = 7;
  const { clock, text, byId, document } = await openPage(t, { demo });
  const number = () => document.querySelector('[data-term=expected] .number')?.textContent;
  assert.equal(text('account-age'), 'live');
  demo.total.expected = 9;
  demo.redis = false;
  for (let i = 0; i < 3; i++) {
    await clock.pass(10_000);
  }
  assert.match(text('account-age'), /^as of (29|30) s ago: Redis is away$/);
  assert.ok(byId('account-age').hasAttribute('data-stale'));
  demo.reachable = false;
  await clock.pass(10_000);
  assert.match(text('account-age'), /^as of (39|40) s ago: the server cannot be reached$/);
  demo.redis = demo.reachable = true;
  await clock.pass(2_000);
  assert.equal(text('account-age'), 'live');
  assert.ok(!byId('account-age').hasAttribute('data-stale'));
  assert.equal(number(), '9');
});

test('an account that nobody has told says why', async (t) => {
  const demo = new Demo();
  demo.reachable = false;
  const { text } = await openPage(t, { demo });
  assert.equal(text('account-age'), 'the server cannot be reached');
});
