/**
 * The client against a cluster that runs: `npm run cluster [-- URL ...]`, by default that of the README. Requests go round
 * the replicas, as behind a load balancer. Says what it sees, and fails if that is wrong.
 */
import assert from 'node:assert/strict';
import { connect } from './lastmile.js';
import { nodeBrowser } from './node.js';

const [, , ...given] = process.argv;
const replicas = given.length ? given : [8081, 8082, 8083].map((port) => `http://127.0.0.1:${port}`);
const client = connect({ ...nodeBrowser(replicas), share: false });
const say = (...words) => console.log(new Date().toISOString().slice(11, 23), ...words);

client.on('state', ({ state, previous }) => say(`${previous} -> ${state}`, client.connection.replica));
client.on('problem', (problem) => say('problem', JSON.stringify(problem)));
client.on('operation', ({ operation: { operationId, version, status, progress }, via }) =>
  say(operationId.slice(0, 8), `v${version}`, status, progress, via),
);

const until = async (what, isSo, seconds = 30) => {
  for (const end = Date.now() + seconds * 1_000; !isSo(); ) {
    assert.ok(Date.now() < end, `not ${what} within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  say(what);
};
const done = ({ operationId }) => client.operations.get(operationId)?.status === 'SUCCEEDED';
const job = (steps, durationMillis) => client.create('export', { steps, durationMillis, fail: false });

try {
  await until('live', () => client.state === 'live');

  const first = await job(4, 1_000);
  await until('an operation is done', () => done(first));
  assert.equal(client.operations.get(first.operationId)?.via, 'live');
  await until('all is acked', () => client.connection.acksPending === 0);

  const dropped = await job(6, 3_000);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  client.drop();
  await until('reconnected after a drop', () => client.connection.reconnects === 1);
  await until('the operation under way is done', () => done(dropped));

  const slept = await job(3, 500);
  client.pause();
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  assert.ok(!done(slept));
  client.resume();
  await until('what happened during a pause is known', () => done(slept), 5);

  const many = await Promise.all(Array.from({ length: 20 }, () => job(5, 1_000)));
  await until('twenty at once are done', () => many.every(done));
  await until('all is acked', () => client.connection.acksPending === 0);
  assert.equal(client.connection.acksDropped, 0);
  say(JSON.stringify(client.connection));
} finally {
  client.close();
}
