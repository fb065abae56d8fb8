// @ts-check
/** The section “Operations”: buttons that start some, and a card for each of the newest. */
import { STATUS, card, name, update } from './card.js';
import { announce, attribute, byId, counted, each, el, enable, text } from './dom.js';
import { millis } from './hops.js';
import { Order } from './order.js';
import { Timelines } from './timelines.js';

/** @typedef {import('/lastmile.js').Operation} Operation */
/** @typedef {ReturnType<typeof import('/lastmile.js').connect>} Client */

const KINDS = ['export', 'import', 'report'];
const CARDS = matchMedia('(max-width: 40rem)').matches ? 6 : 12;
/** Versions per operation whose way of arrival is kept. */
const TRAIL = 20;

const ASLEEP = 'Not started: this tab sleeps.';

export class OperationsSection {
  /** The timeline that was opened last. @type {object | null} */
  #asked = null;
  #client;
  #server;
  #timelines;
  /** How each version arrived. @type {Map<string, {version: number, via: string}[]>} */
  #trails = new Map();
  /** @type {Map<string, import('./hops.js').Passed[]>} */
  #hops = new Map();
  /** The order of the cards. A card keeps its place. */
  #order = new Order();
  #drawing = false;
  #kind = 0;
  /** Creations without a response. Their cards are shown already, so that nothing shifts. */
  #starting = 0;
  /**
   * New operations that arrived while creations had no response: most of them are of these creations,
   * whose responses are late. Each takes the place of a card without a response. @type {Set<string>}
   */
  #early = new Set();

  /** @param {Client} client @param {import('./server.js').Server} server */
  constructor(client, server) {
    this.#client = client;
    this.#server = server;
    this.#timelines = new Timelines(server, (id, hops) => {
      if (client.operations.has(id)) {
        this.#hops.set(id, hops);
        this.#draw();
      }
    });
    byId('start-one').addEventListener('click', () => this.start(1));
    byId('start-ten').addEventListener('click', () => this.start(10));
    client.on('state', () => this.#showAwake());
    client.on('operation', ({ operation, previous }) => this.#onOperation(operation, previous));
    client.on('removed', ({ operationId }) => this.#onRemoved(operationId));
    client.on('state', () => this.#draw());
    client.on('connection', () => this.#draw());
  }

  /**
   * Starts operations, and shows the problem if one cannot be started.
   *
   * @param {number} count
   * @param {object} [input] parameters for the simulated external system
   * @returns {Promise<Operation[]>} those that were started
   */
  async start(count, input = {}) {
    if (this.#client.paused) {
      this.#showProblem(ASLEEP);
      announce(ASLEEP);
      return [];
    }
    this.#starting += count;
    this.#drawNow();
    const results = await Promise.allSettled(
      Array.from({ length: count }, () => this.#create(input)),
    );
    const failed = results.find((it) => it.status === 'rejected');
    this.#showProblem(
      failed?.status === 'rejected' ? `Not started: ${failed.reason.message}.` : '',
    );
    const started = results.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []));
    if (started.length) {
      announce(`${counted(started.length, 'operation')} started.`);
    }
    return started;
  }

  /** @param {string} problem empty if there is none */
  #showProblem(problem) {
    attribute(byId('operations-problem'), 'hidden', !problem);
    text(byId('operations-problem'), problem);
  }

  /** Disables the buttons while this tab sleeps, and enables them when it wakes. */
  #showAwake() {
    const { paused } = this.#client;
    for (const id of ['start-one', 'start-ten']) {
      enable(byId(id), !paused);
      attribute(byId(id), 'aria-describedby', paused ? 'connection-hint' : null);
    }
    if (!paused && byId('operations-problem').textContent === ASLEEP) {
      this.#showProblem('');
    }
  }

  /** @param {object} input */
  async #create(input) {
    const kind = KINDS[this.#kind++ % KINDS.length] ?? 'export';
    try {
      const operation = await this.#client.create(kind, input);
      this.#early.delete(operation.operationId);
      return operation;
    } finally {
      this.#starting--;
      if (!this.#starting) {
        this.#early.clear();
      }
      this.#draw();
    }
  }

  /** How the versions of an operation arrived, oldest first. @param {string} operationId */
  trail(operationId) {
    return this.#trails.get(operationId) ?? [];
  }

  /** @param {Operation} operation @param {Operation | undefined} previous */
  #onOperation(operation, previous) {
    const { operationId, version, via, status } = operation;
    this.#order.add(operationId);
    if (this.#starting && !previous && via !== 'created') {
      this.#early.add(operationId);
    }
    const trail = this.#trails.get(operationId) ?? [];
    trail.push({ version, via });
    trail.splice(0, trail.length - TRAIL);
    this.#trails.set(operationId, trail);
    const final = status === 'SUCCEEDED' || status === 'FAILED';
    this.#timelines.want(operationId, version, final);
    for (const it of this.#sorted().slice(CARDS)) {
      this.#timelines.forget(it.operationId);
    }
    if (previous && final) {
      announce(`${name(operation.kind, operationId)} ${STATUS[status]}, learnt ${via === 'live' ? via : `by ${via}`}.`);
    }
    this.#draw();
  }

  /** @param {string} operationId */
  #onRemoved(operationId) {
    this.#timelines.forget(operationId);
    this.#trails.delete(operationId);
    this.#hops.delete(operationId);
    this.#early.delete(operationId);
    this.#order.remove(operationId);
    this.#draw();
  }

  /** @returns {Operation[]} newest first */
  #sorted() {
    const place = (/** @type {Operation} */ it) => this.#order.of(it.operationId);
    return [...this.#client.operations.values()].sort((a, b) => place(b) - place(a));
  }

  /** @returns {number} cards of creations of which nothing has arrived */
  #unanswered() {
    return Math.min(CARDS, Math.max(0, this.#starting - this.#early.size));
  }

  /** Schedules drawing, at most once a frame. */
  #draw() {
    if (!this.#drawing) {
      this.#drawing = true;
      requestAnimationFrame(() => {
        this.#drawing = false;
        this.#drawNow();
      });
    }
  }

  #drawNow() {
    /** @type {(Operation | number)[]} */
    const starting = Array.from({ length: this.#unanswered() }, (_, index) => index);
    each(
      byId('cards'),
      [...starting, ...this.#sorted()].slice(0, CARDS),
      (it) => (typeof it === 'number' ? `starting-${it}` : it.operationId),
      (it) => (typeof it === 'number' ? card('starting', '') : card(it.kind, it.operationId)),
      (node, it) =>
        typeof it === 'number' ||
        update(node, it, this.#hops.get(it.operationId) ?? [], this.trail(it.operationId)),
    );
    const total = this.#client.operations.size;
    attribute(byId('operations-empty'), 'hidden', total + this.#starting > 0);
    text(
      byId('operations-empty'),
      this.#client.connection.cursor || this.#client.state === 'live'
        ? 'Nothing yet. Start one, and watch it pass five hops.'
        : this.#client.paused
          ? 'This tab sleeps: your operations are shown when it wakes.'
          : this.#client.state === 'offline'
          ? 'The server does not answer, so we do not know what you have started. We keep asking.'
          : 'Loading what you have started …',
    );
    attribute(byId('cards-more'), 'hidden', total <= CARDS);
    text(byId('cards-more'), `and ${total - CARDS} older`);
  }

  /** Opens the timeline of an operation. @param {string} operationId */
  async showTimeline(operationId) {
    const rows = byId('timeline-rows');
    rows.replaceChildren();
    text(byId('timeline-ids'), `${operationId}: loading …`);
    byId('timeline').showModal();
    const asked = (this.#asked = {});
    try {
      const { correlationId, hops } = await this.#server.timeline(operationId);
      if (asked !== this.#asked) {
        // Another timeline was opened meanwhile.
        return;
      }
      text(byId('timeline-ids'), `${operationId}, correlation ${correlationId}`);
      const begin = hops.length ? millis(hops[0].at) : 0;
      for (const it of hops) {
        rows.append(
          el(
            'tr',
            {},
            el('td', { class: 'number' }, String(it.version)),
            el('td', {}, it.hop),
            el('td', {}, it.replica),
            el('td', {}, it.outcome),
            el('td', { class: 'number' }, `${((millis(it.at) - begin) / 1_000).toFixed(3)} s`),
          ),
        );
      }
    } catch (error) {
      if (asked !== this.#asked) {
        return;
      }
      text(
        byId('timeline-ids'),
        `${operationId}: ${error instanceof Error ? error.message : error}. Timelines are shown to who started the operation only.`,
      );
    }
  }
}
