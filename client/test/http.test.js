/** The same client over real HTTP, with the EventSource of another project, in real time. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { connect } from '../testing/lastmile.js';
import { listen } from '../testing/http.js';
import { nodeBrowser } from '../testing/node.js';
import { problem, Server } from '../testing/server.js';

/** A server and a client whose stream is ready; both end with the test. */
async function opened(t, server = new Server(), options = {}) {
  const { url, close } = await listen(server);
  t.after(close);
  const client = connect({
    ...nodeBrowser(),
    baseUrl: url,
    share: false,
    retryMillis: 20,
    ackDelayMillis: 10,
    ...options,
  });
  t.after(() => client.close());
  await until(client, () => client.state === 'live');
  return { server, client, url, close };
}

/** Resolves as soon as it is so; looks whenever the client tells something. */
function until(client, isSo) {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (isSo()) {
        clearTimeout(timer);
        removers.forEach((remove) => remove());
        resolve(undefined);
      }
    };
    const removers = ['state', 'operation', 'removed', 'connection'].map((type) => client.on(type, look));
    const timer = setTimeout(() => {
      removers.forEach((remove) => remove());
      reject(new Error(`not so in time: ${isSo}`));
    }, 10_000);
    look();
  });
}

test('create, live, ack', async (t) => {
  const { server, client } = await opened(t);
  const { operationId } = await client.create('export', { rows: 3 });
  server.store(operationId, { status: 'RUNNING', progress: 50 });
  server.store(operationId, { status: 'SUCCEEDED', progress: 100 });
  await until(client, () => client.operations.get(operationId)?.status === 'SUCCEEDED');
  assert.equal(client.operations.get(operationId)?.via, 'live');
  await until(client, () => client.connection.acksPending === 0 && server.acks.length > 0);
  assert.deepEqual(server.acks.at(-1), { operationId, version: 3, via: 'live' });
});

test('a stream that is cut comes back by the browser, from the last id', async (t) => {
  const { server, client } = await opened(t);
  const { operationId } = server.create();
  await until(client, () => client.operations.has(operationId));
  server.push = false;
  server.store(operationId, { progress: 70 });
  const opens = server.count('GET /api/stream');
  server.cut();
  await until(client, () => client.connection.reconnects === 1);
  await until(client, () => client.operations.get(operationId)?.version === 2);
  const streams = server.requests.filter((it) => it.what === 'GET /api/stream');
  assert.equal(streams.length, opens + 1);
  assert.equal(streams.at(-1)?.query, server.cursor(1));
});

test('a replica that refuses streams is asked again until it does not', async (t) => {
  const { server, client } = await opened(t);
  server.faults.set('GET /api/stream', () => true);
  server.cut();
  await until(client, () => client.state === 'degraded');
  const { operationId } = server.create();
  await until(client, () => client.operations.has(operationId));
  server.faults.clear();
  await until(client, () => client.state === 'live');
});

test('a reset replaces the state', async (t) => {
  const { server, client } = await opened(t);
  const { operationId: old } = server.create();
  await until(client, () => client.operations.has(old));
  server.renew();
  server.reset();
  const { operationId: fresh } = server.create();
  await until(client, () => client.operations.has(fresh) && !client.operations.has(old));
});

test('a silent stream is replaced', async (t) => {
  const server = new Server();
  server.heartbeatSeconds = 0.1;
  const { client } = await opened(t, server);
  await until(client, () => client.connection.reconnects >= 2);
});

test('a server that is gone and back', async (t) => {
  const { server, client, url, close } = await opened(t, new Server(), { degradedPollMillis: 100 });
  await close();
  await until(client, () => client.state === 'offline');
  const { operationId } = server.create();
  const second = await listen(server, Number(new URL(url).port));
  t.after(second.close);
  await until(client, () => client.state === 'live' && client.operations.has(operationId));
});

test('the example of the documentation works', async (t) => {
  const server = new Server();
  const { url, close } = await listen(server);
  t.after(close);
  const example = /```js\n(.*?)```/s.exec(await readGuide())?.[1] ?? '';
  assert.ok(example.trimEnd().split('\n').length <= 15, 'at most 15 lines');
  // What is replaced below is there, and so is what it imports.
  assert.match(example, /^import \{ connect \} from '\.\/lastmile\.js';$/m);
  assert.match(example, /^const client = connect\(\);$/m);
  const lines = [];
  const page = { textContent: '', append: (line) => lines.push(line) };
  const client = await run(example, url, page, (it) => t.after(() => it.close()));
  const [id] = server.operations.keys();
  assert.ok(lines.includes(`${id} was created\n`), lines.join('\n'));
  server.store(String(id), { status: 'SUCCEEDED', progress: 100 });
  await until(client, () => client.operations.get(String(id))?.status === 'SUCCEEDED');
  assert.match(page.textContent, /live/);
  assert.ok(lines.some((line) => line.includes('SUCCEEDED')), lines.join('\n'));
  server.faults.set('GET /api/operations', () => problem(503, 'the store is away'));
  await client.reconcile();
  assert.ok(lines.includes('the store is away: retry\n'), lines.join('\n'));
});

test('the size that the documentation tells is that of the modules', async () => {
  const src = new URL('../src/', import.meta.url);
  const names = ['lastmile.js', ...(await readdir(new URL('lastmile/', src))).map((name) => `lastmile/${name}`)];
  const modules = names.filter((name) => name.endsWith('.js'));
  const files = await Promise.all(modules.map((name) => readFile(new URL(name, src))));
  const [, count, plain, packed] = /(\d+) modules, (\d+) kB, or (\d+) kB after gzip/.exec(await readGuide()) ?? [];
  assert.equal(modules.length, Number(count));
  const sum = (/** @type {Buffer[]} */ buffers) => buffers.reduce((bytes, { length }) => bytes + length, 0);
  const bytes = sum(files);
  assert.ok(Math.abs(bytes / 1_000 - Number(plain)) <= 1, `${bytes} bytes`);
  const zipped = sum(files.map((file) => gzipSync(file, { level: 9 })));
  assert.ok(Math.abs(zipped / 1_000 - Number(packed)) <= 1, `${zipped} bytes after gzip`);
  // Each module is compressed on its own, so many small ones cost more than few: 5 % above the one that they replaced,
  // and 1,700 bytes for terms.
  assert.ok(zipped <= 18_142 + 1_700, `${zipped} bytes after gzip`);
});

test('the entry point exports what its types declare', async () => {
  const types = await readFile(new URL('../src/lastmile.d.ts', import.meta.url), 'utf8');
  const declared = [...types.matchAll(/^export (?:declare const (\w+)|\{ (\w+) \})/gm)].map(([, a, b]) => a ?? b);
  assert.deepEqual(declared.sort(), Object.keys(await import('../src/lastmile.js')).sort());
});

const readGuide = () => readFile(new URL('../../docs/reference/client-library.md', import.meta.url), 'utf8');

/** Runs the example as the module that it is, with a page and a browser around it. */
async function run(example, url, page, opened) {
  const body = example
    .replace(/^import .*$/m, '')
    .replace('connect()', 'connect(options)')
    .replace(/^const client .*$/m, '$& opened(client);')
    .concat('\nreturn client;');
  const AsyncFunction = /** @type {any} */ (async () => {}).constructor;
  const document = { querySelector: () => page };
  const options = { ...nodeBrowser(), baseUrl: url, share: false };
  const program = new AsyncFunction('connect', 'options', 'document', 'opened', body);
  return program(connect, options, document, opened);
}
