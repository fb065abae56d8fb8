/** The client, also on Node 18, which has no global crypto. */
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= /** @type {Crypto} */ (webcrypto);

export const { connect, Problem } = await import('../src/lastmile.js');
