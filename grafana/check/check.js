// Compiles each dashboard as a literal of the type Board, so that the compiler sees every property: one that is unknown, missing or of another
// type is an error, on the line that it has in the JSON.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const dashboards = `${here}/../dashboards`;
const generated = `${here}/generated`;

const names = readdirSync(dashboards).filter((name) => name.endsWith('.json'));
if (names.length === 0) {
  throw new Error(`no dashboards in ${dashboards}`);
}
rmSync(generated, { recursive: true, force: true });
mkdirSync(generated);
for (const name of names) {
  const json = readFileSync(`${dashboards}/${name}`, 'utf8').trimEnd();
  const begin = `import type { Board, Dashboard } from '../board.ts'; const board = `;
  writeFileSync(`${generated}/${name}.ts`, `${begin}${json} satisfies Board;\nboard satisfies Dashboard;\nexport default board;\n`);
}
const tsc = spawnSync(`${here}/node_modules/.bin/tsc`, ['--project', here], { stdio: 'inherit' });
if (tsc.error) {
  throw tsc.error;
}
if (tsc.status === 0) {
  console.log(`${names.length} dashboards are what Grafana's types say: ${names.join(', ')}`);
}
process.exitCode = tsc.status ?? 1;
