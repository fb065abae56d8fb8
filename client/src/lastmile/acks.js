/**
 * Acks: which versions this browser has applied, waiting and sent in batches.
 *
 * All tabs queue acks and the leader sends them; the other tabs forget what was sent, so the next
 * leader sends the rest. An ack covers all lower versions of its operation, and the first to cover
 * one says how it was learned; so waiting acks of one operation are joined unless they differ in
 * that. The server takes a batch as a whole or rejects it. A rejected ack (its operation was
 * deleted) is dropped; a batch that did not arrive waits in front of the rest.
 */

import { createBackoff, createTimer, Problem } from './http.js';

/** @import {Ack, Acks, Parts} from './types.js' */

/** The server's limit per request (`lastmile.operations.acks-per-request`). */
const ACKS_PER_REQUEST = 256;
/** Limit of waiting acks; the oldest are dropped. */
const MAX_WAITING = 1_024;

/** @type {(parts: Parts) => Acks} */
export const createAcks = (parts) => {
  const { http, operations, settings } = parts;
  /** @type {Ack[]} */
  let waiting = [];
  /** @type {Ack[]} */
  let sending = [];
  let running = false;
  const timer = createTimer(settings.clock, () => void send());
  const backoff = createBackoff(settings);

  const queue = (/** @type {Ack[]} */ all) => {
    const excess = Math.max(0, all.length - MAX_WAITING);
    acks.dropped += excess;
    waiting = all.slice(excess);
  };

  const schedule = (millis = settings.ackDelayMillis) => {
    if (running && waiting.length && timer.at === Infinity && !sending.length) {
      timer.start(millis);
    }
  };

  /** @type {Acks} */
  const acks = {
    dropped: 0,

    get pending() {
      return waiting.length + sending.length;
    },

    start() {
      running = true;
      schedule();
    },

    stop() {
      running = false;
      timer.stop();
    },

    forget(sent) {
      const versions = new Map(sent.map(({ operationId, version }) => [operationId, version]));
      waiting = waiting.filter((it) => it.version > (versions.get(it.operationId) ?? 0));
    },

    clear() {
      waiting = [];
      sending = [];
    },

    flush() {
      timer.stop();
      schedule(0);
    },

    add({ operationId, version }, via) {
      if (parts.tabs.following && !operations.loaded) {
        // The leader has acked what this tab loads first.
        return;
      }
      const last = waiting.findLast((it) => it.operationId === operationId);
      if (last?.via === via) {
        last.version = Math.max(last.version, version);
      } else if (!last || last.version < version) {
        queue([...waiting, { operationId, version, via }]);
      }
      schedule();
    },

    leave() {
      // A page that runs again sends them again: a duplicate ack is harmless, a lost one is not.
      for (let i = 0; i < waiting.length; i += ACKS_PER_REQUEST) {
        const body = { acks: waiting.slice(i, i + ACKS_PER_REQUEST) };
        const blob = new Blob([JSON.stringify(body)], { type: 'application/json' });
        if (!settings.sendBeacon?.(`${settings.baseUrl}/api/acks`, blob)) {
          http.send('POST', '/api/acks', { body, keepalive: true }).catch(() => undefined);
        }
      }
    },
  };

  async function send() {
    const batch = waiting.splice(0, ACKS_PER_REQUEST);
    if (!batch.length) {
      return;
    }
    sending = batch;
    /** @type {Problem | null} */
    let problem = null;
    try {
      await http.send('POST', '/api/acks', { body: { acks: batch }, keepalive: true });
    } catch (error) {
      problem = Problem.of(error);
    }
    if (batch !== sending) {
      return;
    }
    sending = [];
    if (problem?.retryable) {
      queue([...batch, ...waiting]);
      schedule(backoff.next(problem.retryAfterSeconds));
    } else {
      backoff.tries = 0;
      const done = problem ? drop(batch, problem) : batch;
      schedule();
      if (done.length) {
        // Not sent again.
        parts.tabs.send({ type: 'acked', epoch: operations.epoch, acks: done });
      }
    }
    parts.status.changed();
  }

  /**
   * @param {Ack[]} batch
   * @param {Problem} problem names the rejected ack; otherwise all are rejected
   */
  function drop(batch, problem) {
    const index = Number(/^acks\[(\d+)\]/.exec(problem.field ?? '')?.[1] ?? -1);
    const left = index in batch ? batch.filter((_, i) => i !== index) : [];
    const dropped = batch.filter((it) => !left.includes(it));
    acks.dropped += dropped.length;
    queue([...left, ...waiting]);
    if (problem.status === 401) {
      void parts.lifecycle.renewIdentity();
    } else {
      parts.notifier.problem(problem, 'drop');
    }
    return dropped;
  }

  return acks;
};
