import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare } from '../list.js';

const found = new Map([
  ['bad.md', [{}]],
  ['good.md', []],
]);

test('a file with findings may be listed', () => {
  assert.deepEqual(compare('# head\nbad.md\n', found), { listed: ['bad.md'], wrong: [] });
});

test('other lines must go', () => {
  const { wrong } = compare('# head\ngood.md\ngone.md\nbad.md\nbad.md\n', found);
  assert.deepEqual(wrong, [
    { line: 2, message: 'good.md has no findings any more: remove this line' },
    { line: 3, message: 'gone.md does not exist, or is not checked: remove this line' },
    { line: 5, message: 'bad.md is listed twice: remove this line' },
  ]);
});
