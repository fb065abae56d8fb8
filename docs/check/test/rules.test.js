import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comments, wording } from '../check.js';
import { longSentences } from '../rules.js';

const lines = (findings) => findings.map(({ line, message }) => `${line}: ${message}`);
const many = (count) => Array.from({ length: count }, (_, i) => `word${i}`).join(' ');

test('a sentence may have 25 words', () => {
  assert.deepEqual(longSentences(`${many(25)}. ${many(25)}.`), []);
  assert.deepEqual(longSentences(`Short. ${many(26)}.`), [{ index: 7, message: 'a sentence of 26 words: at most 25' }]);
});

test('where a sentence ends', async () => {
  const count = async (text) => (await wording('a.md', text)).length;
  const half = many(20);
  assert.equal(await count(`${half}. ${half}? ${half}! nchan ${half}`), 0);
  assert.equal(await count(`**${half}.** ${half} ([link, section\n7.1](who.md)). ${half}`), 0);
  assert.equal(await count(`${half}, e.g. ${half}`), 1);
  assert.equal(await count(`${half} 1.5 ${half}`), 1);
});

test('code is one word of a sentence, and dashes are none', async () => {
  assert.deepEqual(await wording('a.md', `${many(24)} \`a b c d\` – ·.`), []);
});

test('sentences of paragraphs, lists and cells, not of code', async () => {
  const text = `# Title\n\n${many(26)}.\n\n- ${many(26)}\n\n| a |\n|---|\n| ${many(26)} |\n\n\`\`\`\n${many(26)}\n\`\`\`\n`;
  assert.deepEqual((await wording('a.md', text)).map(({ line }) => line), [3, 5, 9]);
});

test('a sentence may go on in the next line', async () => {
  assert.deepEqual(lines(await wording('a.md', `Short.\n${many(20)}\n${many(6)}.`)), ['2: a sentence of 26 words: at most 25']);
});

test('words of documents, on their line, not in code', async () => {
  const text = 'The replica\nthat nobody sees, `nobody` and [link](who.md).\n\n## Whoever reads\n';
  assert.deepEqual(lines(await wording('a.md', text)), [
    '2: "nobody": name the part or the role',
    '4: "Whoever": name the part or the role',
  ]);
});

test('"what … is" names a thing by a riddle; questions and clauses do not', async () => {
  const found = async (text) => (await wording('a.md', text)).length;
  assert.equal(await found('Logs say what was published is lost.'), 1);
  assert.equal(await found('All of what\na client sent is kept.'), 1);
  assert.equal(await found('What does a replica is called, and what is it?'), 0);
  assert.equal(await found('The page shows what happens when Redis is away.'), 0);
  assert.equal(await found('Say what it is.'), 0);
});

test('old names: distinct ones anywhere, others as code, none in the changelog', async () => {
  const text = 'RedisLink, RedisLinks and `lastmile.external.url`; the Account and `Account`.\n';
  assert.deepEqual(lines(await wording('a.md', text)), [
    '1: "RedisLink": is now RedisConnection',
    '1: "lastmile.external": is now lastmile.jobs',
    '1: "Account": is now LedgerTotals',
  ]);
  assert.deepEqual(await wording('CHANGELOG.md', text), []);
});

test('words of comments, on their line', () => {
  const text = '/**\n * Closes it, whoever\n * asks.\n */\nString who = "who"; // timeout, not time-out\n';
  assert.deepEqual(lines(comments('A.java', text)), [
    '2: "whoever": name the part or the role',
    '5: "time-out": timeout',
  ]);
});

test('only the demo page says deaf', () => {
  assert.equal(comments('demo/src/main/resources/demo/page.html', '<p>deaf</p>').length, 0);
  assert.equal(comments('app/A.java', '// deaf').length, 1);
});
