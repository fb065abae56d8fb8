/**
 * usage: .ci/prose          checks all files that are not in not-rewritten.txt, and that list
 *        .ci/prose FILE...  prints the findings of these files, whether they are in the list or not
 *        .ci/prose --fix FILE...  first lets markdownlint repair what it can in these files (blank lines, spaces)
 *        .ci/prose --list   prints the list anew: all files that have findings
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { check, repair } from './check.js';
import { compare, HEAD, LIST } from './list.js';

const all = () =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { encoding: 'utf8' })
    .split('\0')
    .filter((path) => path && existsSync(path));

function print(path, findings) {
  for (const { line, message } of findings) {
    console.log(`${path}:${line}: ${message}`);
  }
  return findings.length;
}

const options = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const files = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
if (options.includes('--fix')) {
  await repair(files);
}
if (options.includes('--list')) {
  const found = await check(all());
  const paths = [...found].filter(([, findings]) => findings.length > 0).map(([path]) => path);
  process.stdout.write([...HEAD, ...paths.sort()].join('\n') + '\n');
} else {
  const found = await check(files.length > 0 ? files : all());
  const { listed, wrong } =
    files.length > 0 ? { listed: [], wrong: [] } : compare(readFileSync(LIST, 'utf8'), found);
  let count = print(LIST, wrong);
  for (const [path, findings] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!listed.includes(path)) {
      count += print(path, findings);
    }
  }
  console.log(`${found.size} files checked, ${count} findings, ${listed.length} files not rewritten yet`);
  process.exitCode = count > 0 ? 1 : 0;
}
