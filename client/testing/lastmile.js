/** The client, also on Node 18: that has no global crypto, and takes a lone `.js` file for CommonJS. */
import { webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';

globalThis.crypto ??= /** @type {Crypto} */ (webcrypto);
const file = new URL('../../app/src/main/resources/static/lastmile.js', import.meta.url);
const source = await readFile(file, 'utf8');

/** @type {typeof import('../../app/src/main/resources/static/lastmile.js')} */
export const { connect, Problem } = await import(
  `data:text/javascript,${encodeURIComponent(source)}`
);
