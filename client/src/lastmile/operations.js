/**
 * The operations that this tab knows, and the cursor up to which it knows everything.
 *
 * Within an epoch a version replaces lower ones only. A restart (another epoch, a reset) makes all
 * operations stale: any version replaces them, and `prune` removes those that the next complete read
 * does not confirm. So the page is never empty in between.
 */

import { Problem } from './http.js';

/** @import {Operation, Operations, Parts, Received} from './types.js' */

/** Another channel, of another identity, counts as another epoch. @param {string} text */
export function parseCursor(text) {
  const [, epoch = '', sequence, channel = ''] = /^([0-9a-f]{16})-(\d{1,16})(?:-\w+(\.\w+))?$/.exec(text) ?? [];
  if (!epoch) {
    throw new Problem(`not a cursor: ${text}`);
  }
  return { epoch: epoch + channel, sequence: Number(sequence) };
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
    seen: 0,
    restarts: 0,
    loaded: false,

    get cursor() {
      return known?.cursor ?? null;
    },

    tick: () => ++ticks,

    hasPending: () => [...operations.all.values()].some((operation) => !isFinal(operation)),

    restart(epoch) {
      operations.epoch = epoch;
      known = null;
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

    merge(received, via, before = 0) {
      const { operationId, version, updatedAt } = received;
      const previous = operations.all.get(operationId);
      const confirmed = confirmedAt.get(operationId) ?? 0;
      confirmedAt.set(operationId, operations.tick());
      if (previous) {
        const older = confirmed >= Math.max(before, staleBefore) && version <= previous.version;
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
