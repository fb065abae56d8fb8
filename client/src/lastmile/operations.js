/**
 * The operations that this tab knows, and the cursor up to which it knows everything.
 *
 * Within an epoch a version replaces lower ones only. A restart (another epoch, a reset) makes all
 * operations stale: any version replaces them, and `prune` removes those that the next complete read
 * does not confirm. So the page is never empty in between.
 *
 * A term ends when another Redis server becomes the primary, which may have lost the last updates. Then
 * another version may have the number of a lost one. Up to where the stream goes on in the new term,
 * nothing is lost. If the tab shows more, the next list names its newest update, and the server answers
 * with a reset if that is lost.
 */

import { Problem } from './http.js';

/** @import {Operation, Operations, Parts, Received} from './types.js' */

/** Another channel, of another identity, counts as another epoch. @param {string} text */
export function parseCursor(text) {
  const [, epoch = '', sequence, term = '', channel = ''] =
    /^([0-9a-f]{16})-(\d{1,16})(?:-([0-9a-f]+)p?(\.\w+))?$/.exec(text) ?? [];
  if (!epoch) {
    throw new Problem(`not a cursor: ${text}`);
  }
  return { epoch: epoch + channel, sequence: Number(sequence), term };
}

const isFinal = (/** @type {Received} */ { status }) => status === 'SUCCEEDED' || status === 'FAILED';

/** @type {(parts: Parts) => Operations} */
export const createOperations = (parts) => {
  const { clock, maxOperations } = parts.settings;
  /** @type {Map<string, number>} the tick at which each was last confirmed */
  const confirmedAt = new Map();
  let ticks = 0;
  /** Operations that were confirmed before this tick are stale. */
  let staleBefore = 0;
  /** @type {{cursor: string, sequence: number} | null} everything up to here is known, in this epoch */
  let known = null;
  /** @type {{cursor: string, sequence: number} | null} the newest update that is shown */
  let newest = null;
  /** @type {Set<string>} terms of this epoch that were left */
  const over = new Set();

  const remove = (/** @type {Operation[]} */ removed) => {
    for (const { operationId } of removed) {
      operations.all.delete(operationId);
      confirmedAt.delete(operationId);
    }
    return removed;
  };

  /** @type {Operations} */
  const operations = {
    all: new Map(),
    epoch: null,
    term: null,
    termTick: 0,
    unverified: null,
    streamed: 0,
    seen: 0,
    restarts: 0,
    loaded: false,

    get cursor() {
      return known?.cursor ?? null;
    },

    get shown() {
      const above = newest && newest.sequence > (known?.sequence ?? 0) ? newest.cursor : null;
      return operations.unverified ?? above;
    },

    tick: () => ++ticks,

    hasPending: () => [...operations.all.values()].some((operation) => !isFinal(operation)),

    restart(epoch) {
      const another = operations.epoch !== epoch;
      operations.epoch = epoch;
      operations.replace(null);
      if (another) {
        over.clear();
      }
      operations.seen = 0;
      operations.restarts++;
      operations.loaded = false;
      staleBefore = operations.tick();
    },

    enterEpoch(epoch) {
      if (epoch !== operations.epoch) {
        parts.acks.clear();
        operations.restart(epoch);
      }
    },

    replace(term) {
      operations.startTerm(term);
      operations.unverified = null;
      operations.streamed = 0;
      newest = newest && parseCursor(newest.cursor).term === term ? newest : null;
      known = null;
    },

    startTerm(term) {
      if (term !== operations.term) {
        if (operations.term !== null) {
          over.add(operations.term);
        }
        operations.term = term;
        operations.termTick = operations.tick();
      }
      over.delete(term ?? '');
    },

    enterTerm(term, verified) {
      if (term === operations.term) {
        return false;
      }
      const more = newest !== null && newest.sequence > verified;
      if (operations.unverified !== null) {
        // Of two terms at once nothing is known.
        operations.restart(operations.epoch);
      } else if (more) {
        operations.unverified = newest?.cursor ?? null;
      }
      operations.startTerm(term);
      return more;
    },

    isOver: (term) => over.has(term),

    forgetTerms: () => over.clear(),

    isOfTerm: ({ cursor }) => !cursor || parseCursor(cursor).term === operations.term,

    merge(received, via, before = 0) {
      const { operationId, version, updatedAt, cursor } = received;
      const sequence = cursor ? parseCursor(cursor).sequence : 0;
      if (cursor && sequence > (newest?.sequence ?? 0)) {
        newest = { cursor, sequence };
      }
      const previous = operations.all.get(operationId);
      const confirmed = confirmedAt.get(operationId) ?? 0;
      // A lost version makes no other one older.
      const certain = operations.unverified === null || !cursor || (previous && operations.isOfTerm(previous));
      const older =
        certain && previous && confirmed >= Math.max(before, staleBefore) && version <= previous.version;
      if (!older || operations.unverified === null) {
        // Otherwise the shown version may be a lost one, which the list has to replace.
        confirmedAt.set(operationId, operations.tick());
      }
      if (previous) {
        if (older || (version === previous.version && updatedAt === previous.updatedAt)) {
          return [];
        }
      }
      const operation = Object.freeze({ ...received, via, receivedAt: clock.date() });
      operations.all.set(operationId, operation);
      return [{ operation, previous, via }];
    },

    prune(before = 0) {
      const limit = Math.max(before, staleBefore);
      staleBefore = 0;
      operations.loaded = true;
      return remove(
        [...operations.all.values()].filter((it) => (confirmedAt.get(it.operationId) ?? 0) < limit),
      );
    },

    evict() {
      const excess = operations.all.size - maxOperations;
      const order = (/** @type {Operation} */ it) => (isFinal(it) ? '0' : '1') + it.updatedAt;
      return excess <= 0
        ? []
        : remove(
            [...operations.all.values()]
              .sort((a, b) => (order(a) < order(b) ? -1 : 1))
              .slice(0, excess),
          );
    },

    isNext: (sequence) => known !== null && sequence <= known.sequence + 1,

    advance(cursor) {
      const { sequence } = parseCursor(cursor);
      if (!known || known.sequence < sequence) {
        known = { cursor, sequence };
      }
      operations.see(sequence);
    },

    forget() {
      known = null;
    },

    see(sequence) {
      operations.seen = Math.max(operations.seen, sequence);
    },
  };
  return operations;
};
