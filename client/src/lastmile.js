/**
 * Lastmile's browser client: the entry point. `lastmile/` holds its parts.
 *
 * Stored state is authoritative; the stream only makes it arrive fast. When an update may have been
 * missed, the client requests the list of what changed since its cursor. Stream and list are merged
 * by version, so no operation moves backwards.
 *
 * @module
 */

import { createAcks } from './lastmile/acks.js';
import { createBackoff, createHttp, Problem } from './lastmile/http.js';
import { createLifecycle } from './lastmile/lifecycle.js';
import { createOperations } from './lastmile/operations.js';
import { createReconciler } from './lastmile/reconciler.js';
import { createNotifier, createStatus } from './lastmile/status.js';
import { createStream } from './lastmile/stream.js';
import { createTabs } from './lastmile/tabs.js';

export { Problem };

/** @import {Connect, Numbers, Operation, PageClient, Parts, Settings} from './lastmile/types.js' */

/**
 * Options that are numbers: default, minimum, maximum.
 *
 * @type {{[name in keyof Numbers]: [number, number, number]}}
 */
const NUMBERS = {
  ackDelayMillis: [200, 0, 5_000],
  pendingPollMillis: [10_000, 50, 60_000],
  idlePollMillis: [60_000, 50, 600_000],
  degradedPollMillis: [5_000, 50, 60_000],
  retryMillis: [1_000, 10, 10_000],
  retryMaxMillis: [15_000, 10, 60_000],
  openMillis: [15_000, 100, 120_000],
  requestMillis: [10_000, 100, 60_000],
  leaderMillis: [3_000, 50, 30_000],
  maxOperations: [200, 1, 1_000],
};

/** Types of other options; a wrong one would fail later, and far from here. */
const TYPES = {
  baseUrl: 'string',
  share: 'boolean',
  fetch: 'function',
  EventSource: 'function',
  clock: 'object',
};

const CREATE_TRIES = 5;

/** @type {Connect} */
export const connect = (options = {}) => {
  const global = /** @type {any} */ (globalThis);
  const { navigator } = global;
  // An option that is undefined counts as absent.
  const given = /** @type {Partial<Settings>} */ (
    Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  );
  const numbers = /** @type {Numbers} */ ({});
  for (const name of /** @type {(keyof Numbers)[]} */ (Object.keys(NUMBERS))) {
    const [standard, min, max] = NUMBERS[name];
    const { [name]: value = standard } = given;
    // Not '500' either: adding to it would append.
    if (!(typeof value === 'number' && value >= min && value <= max)) {
      throw new RangeError(`${name} must be a number from ${min} to ${max}`);
    }
    numbers[name] = value;
  }
  /** @type {Settings} */
  const settings = {
    baseUrl: '',
    share: true,
    fetch: (...request) => globalThis.fetch(...request),
    EventSource: global.EventSource,
    locks: navigator?.locks ?? null,
    BroadcastChannel: global.BroadcastChannel ?? null,
    sendBeacon: navigator?.sendBeacon?.bind(navigator) ?? null,
    window: global.window ?? null,
    document: global.document ?? null,
    clock: {
      now: () => performance.now(),
      date: () => Date.now(),
      setTimeout: (run, millis) => setTimeout(run, millis),
      clearTimeout: (id) => clearTimeout(id),
      random: () => Math.random(),
    },
    ...given,
    ...numbers,
  };
  for (const [name, type] of Object.entries(TYPES)) {
    const value = /** @type {any} */ (settings)[name];
    if (value === null || typeof value !== type) {
      throw new TypeError(`${name} must be a ${type}`);
    }
  }
  return new Client(settings);
};

/** `crypto.randomUUID` exists in secure contexts only. */
const randomKey = () => crypto.getRandomValues(new Uint32Array(4)).join('-');

/** @implements {PageClient} */
export class Client {
  #parts;

  /** @param {Settings} settings */
  constructor(settings) {
    const parts = /** @type {Parts} */ (/** @type {unknown} */ ({ settings }));
    this.#parts = parts;
    parts.http = createHttp(settings);
    parts.operations = createOperations(parts);
    parts.stream = createStream(parts);
    parts.reconciler = createReconciler(parts);
    parts.acks = createAcks(parts);
    parts.tabs = createTabs(parts);
    parts.status = createStatus(parts);
    parts.notifier = createNotifier(parts);
    parts.lifecycle = createLifecycle(parts);
    parts.lifecycle.start();
  }

  get state() {
    return this.#parts.status.state;
  }

  get paused() {
    return this.#parts.lifecycle.isStopped('paused');
  }

  get connection() {
    return this.#parts.status.connection;
  }

  /** @type {PageClient['operations']} */
  get operations() {
    return this.#parts.operations.all;
  }

  /** @type {PageClient['on']} */
  on(type, listener) {
    return this.#parts.notifier.on(type, listener);
  }

  /** @type {PageClient['create']} */
  async create(kind, input, { idempotencyKey: key = randomKey() } = {}) {
    const { http, lifecycle, notifier, operations, settings } = this.#parts;
    const backoff = createBackoff(settings);
    if (this.paused) {
      throw new Problem('the client is paused');
    }
    for (let tries = 1; ; tries++) {
      if (lifecycle.isStopped('closed')) {
        throw new Problem('the client is closed');
      }
      const { restarts } = operations;
      try {
        const body = { kind, input };
        const received = await http.send('POST', '/api/operations', { body, key });
        return created(this.#parts, received, restarts);
      } catch (error) {
        const problem = Problem.of(error);
        const more = tries < CREATE_TRIES;
        if (more && problem.status === 401 && (await lifecycle.renewIdentity())) {
          continue;
        }
        const again = more && problem.retryable && problem.status !== 429;
        if (!again) {
          notifier.problem(problem, 'give-up');
          throw problem;
        }
        const pause = backoff.next(problem.retryAfterSeconds);
        notifier.problem(problem, 'retry', pause);
        await new Promise((resolve) => settings.clock.setTimeout(() => resolve(undefined), pause));
      }
    }
  }

  reconcile() {
    return this.#parts.reconciler.now();
  }

  drop() {
    this.#parts.stream.drop();
    this.#parts.tabs.send({ type: 'drop' });
  }

  pause() {
    this.#parts.lifecycle.stop('paused');
  }

  resume() {
    this.#parts.lifecycle.start('paused');
  }

  close() {
    this.#parts.lifecycle.close();
  }
}

/** @type {(parts: Parts, received: any, restarts: number) => Operation} `restarts`: before the request */
function created({ notifier, operations, reconciler, settings, tabs }, received, restarts) {
  if (typeof received?.operationId !== 'string') {
    throw new Problem('the response is not an operation');
  }
  const { epoch, all } = operations;
  const receivedAt = settings.clock.date();
  if (epoch === null || operations.restarts !== restarts || !operations.isOfTerm(received)) {
    // It may belong to an old epoch or term.
    void reconciler.now();
  } else {
    tabs.send({ type: 'created', epoch, operations: [received] });
    notifier.changes(operations.merge(received, 'created'));
  }
  return all.get(received.operationId) ?? Object.freeze({ ...received, via: 'created', receivedAt });
}
