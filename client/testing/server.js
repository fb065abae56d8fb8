/**
 * A server as docs/reference describes it to clients, without a transport: `http.js` puts it behind a port,
 * `tab.js` connects it to fake browser tabs. Tests make it fail.
 */
import { randomBytes } from 'node:crypto';

const hex = (bytes) => randomBytes(bytes).toString('hex');

export class Server {
  epoch = hex(8);
  term = hex(6);
  /** Of a cursor: the check of the channel. */
  check = '5a17c0de';
  /** @type {Map<string, number>} earlier term -> head at which the channel left it */
  terms = new Map();
  /** @type {Map<string, {sequence: number, operation: any}>[]} what was stored at each head */
  history = [new Map()];
  head = 0;
  /** How many changes there were, lost ones as well. */
  changes = 0;
  /** The highest deleted sequence. */
  floor = 0;
  /** @type {Map<string, {sequence: number, operation: any}>} ascending by sequence */
  operations = new Map();
  /** Idempotency key -> operation id. */
  keys = new Map();
  identities = new Set();
  /** @type {Set<{send: (event: {type?: string, data?: any, id?: string, retry?: number}) => void, end: () => void}>} */
  streams = new Set();
  /** @type {{operationId: string, version: number, via: string}[]} what was taken, in order */
  acks = [];
  /** @type {{what: string, query: string, body: any, key?: string}[]} */
  requests = [];
  replica = 'replica-1';
  heartbeatSeconds = 10;
  retryMillis = 50;
  /** Whether what is stored is published. */
  push = true;
  /** Whether browsers keep the cookies they are given. */
  cookies = true;
  /** @type {Map<string, (next: () => any) => any>} method and path -> how to answer instead */
  faults = new Map();

  /** @param {string} what e.g. 'GET /api/operations' */
  count(what) {
    return this.requests.filter((it) => it.what === what).length;
  }

  /** The text of a position in the channel. */
  cursor(sequence = this.head) {
    return `${this.epoch}-${sequence}-${this.term}.${this.check}`;
  }

  /** Stores a change, or something new, and publishes it. */
  store(operationId, fields = {}) {
    const before = this.operations.get(operationId)?.operation ?? {
      operationId,
      kind: 'export',
      status: 'PENDING',
      progress: 0,
      message: null,
      result: null,
      version: 0,
      correlationId: hex(8),
    };
    const operation = { ...before, ...fields, version: before.version + 1 };
    this.head++;
    operation.updatedAt = new Date(1_700_000_000_000 + ++this.changes).toISOString();
    this.operations.delete(operationId);
    this.operations.set(operationId, { sequence: this.head, operation });
    this.history[this.head] = new Map(this.operations);
    if (this.push) {
      this.publish(this.update(operationId));
    }
    return operation;
  }

  create(fields) {
    return this.store(`op7-${hex(16)}`, fields);
  }

  /** Deletes it, as retention does. */
  delete(operationId) {
    this.floor = Math.max(this.floor, this.operations.get(operationId)?.sequence ?? 0);
    this.operations.delete(operationId);
  }

  /** The event of an operation's newest version. */
  update(operationId, { id = true } = {}) {
    const { sequence, operation } = /** @type {any} */ (this.operations.get(operationId));
    const cursor = this.cursor(sequence);
    const data = {
      ...operation,
      cursor,
      traceparent: `00-${hex(16)}-${hex(8)}-01`,
      publishedAt: operation.updatedAt,
    };
    return { type: 'update', data, ...(id && { id: cursor }) };
  }

  publish(event) {
    for (const stream of [...this.streams]) {
      stream.send(event);
    }
  }

  heartbeat(sequence = this.head) {
    this.publish({ type: 'heartbeat', data: { cursor: this.cursor(sequence) } });
  }

  /** Another Redis server becomes the primary. It has not got the last updates. */
  failover(lost = 0) {
    const left = this.head - lost;
    this.terms.forEach((head, term) => this.terms.set(term, Math.min(head, left)));
    this.terms.set(this.term, left);
    this.term = hex(6);
    this.head = left;
    this.operations = new Map(this.history[left]);
  }

  /** Another Redis, which has only these operations. Streams are not told yet: see `reset`. */
  renew(operations = []) {
    this.epoch = hex(8);
    this.floor = 0;
    this.operations = new Map(
      operations.map((operation, i) => [operation.operationId, { sequence: i + 1, operation }]),
    );
    this.head = operations.length;
  }

  reset(reason = 'epoch') {
    for (const stream of [...this.streams]) {
      stream.send({ type: 'reset', data: { cursor: this.cursor(), reason } });
      this.#replay(stream, 0);
    }
  }

  /** All streams end as if the network had cut them. */
  cut() {
    for (const stream of [...this.streams]) {
      this.streams.delete(stream);
      stream.end();
    }
  }

  /**
   * Answers anything but a stream.
   *
   * @param {{what: string, query: string, body: any, cookie: string, key?: string | undefined}} request
   * @returns {Promise<{status: number, json?: any, text?: string, headers?: Record<string, string>}>}
   */
  async answer({ what, query, body, cookie, key }) {
    this.requests.push({ what, query, body, ...(key && { key }) });
    const next = () => this.#answer(what, query, body, cookie, key);
    return this.faults.get(what)?.(next) ?? next();
  }

  #answer(what, query, body, cookie, key) {
    if (what === 'POST /api/identity') {
      const fresh = hex(8);
      if (this.identities.has(cookie) || !this.cookies) {
        return { status: 204 };
      }
      this.identities.add(fresh);
      return { status: 204, headers: { 'Set-Cookie': `lastmile_identity=${fresh}` } };
    }
    if (!this.identities.has(cookie)) {
      return problem(401, 'no valid identity cookie');
    }
    switch (what) {
      case 'GET /api/operations':
        return { status: 200, json: this.#list(new URLSearchParams(query)) };
      case 'POST /api/operations': {
        const id = this.keys.get(key) ?? this.create({ kind: body.kind }).operationId;
        this.keys.set(key, id);
        const { sequence, operation } = /** @type {any} */ (this.operations.get(id));
        return { status: 201, json: { ...operation, cursor: this.cursor(sequence) } };
      }
      case 'POST /api/acks':
        return this.#take(body.acks);
      default:
        return problem(404, 'no such thing');
    }
  }

  /** Where a stream or list goes on after a cursor; null: it does not. */
  #continue(cursor) {
    const [epoch, sequence, suffix] = cursor.split('-');
    const fits = epoch === this.epoch && sequence <= this.#left(suffix) && sequence >= this.floor;
    return fits ? Number(sequence) : null;
  }

  /** The highest sequence with which a cursor with this term and check goes on; -1: with none. */
  #left(suffix) {
    const [term, check] = suffix.split('.');
    const left = term === this.term ? this.head : (this.terms.get(term) ?? -1);
    return check === this.check ? left : -1;
  }

  /** @param {URLSearchParams} query */
  #list(query) {
    const after = query.get('after');
    const limit = Number(query.get('limit') ?? Infinity);
    const [reached = '', first = ''] = query.get('next')?.split('_') ?? [];
    const shown = query.get('shown');
    const lost = !reached && shown !== null && Number(shown.split('-')[1]) > this.#left(shown.split('-')[2]);
    const continued = reached.startsWith(this.epoch) && reached.endsWith(`${this.term}.${this.check}`);
    const from = continued
      ? Number(reached.split('-')[1])
      : reached || lost ? null : after ? this.#continue(after) : 0;
    const head = continued ? Number(first) : this.head;
    const found = [...this.operations.values()].filter(({ sequence }) => sequence > (from ?? 0));
    const page = found.slice(0, limit);
    return {
      cursor: this.cursor(head),
      reset: from === null,
      ...(page.length < found.length && {
        next: `${this.cursor(page.at(-1)?.sequence)}_${head}`,
      }),
      operations: page.map(({ sequence, operation }) => ({ ...operation, cursor: this.cursor(sequence) })),
    };
  }

  #take(acks) {
    if (acks.length > 256) {
      return problem(400, 'at most 256 acks', { field: 'acks' });
    }
    for (const [index, { operationId, version }] of acks.entries()) {
      const stored = this.operations.get(operationId)?.operation;
      if (!stored) {
        return problem(404, `no operation ${operationId}`, { field: `acks[${index}].operationId` });
      }
      if (version > stored.version) {
        return problem(409, 'at most what is stored', { field: `acks[${index}].version` });
      }
    }
    this.acks.push(...acks);
    return { status: 204 };
  }

  /**
   * Begins a stream.
   *
   * @param {any} stream
   * @param {string} cookie
   * @param {string | null} resume
   * @returns {boolean} false: it is refused
   */
  open(stream, cookie, resume) {
    this.requests.push({ what: 'GET /api/stream', query: resume ?? '', body: null });
    if (!this.identities.has(cookie) || this.faults.get('GET /api/stream')?.(() => false)) {
      return false;
    }
    const cursor = this.cursor();
    const { epoch, replica, heartbeatSeconds } = this;
    const data = { cursor, epoch, replica, heartbeatSeconds };
    this.streams.add(stream);
    stream.send({ type: 'ready', data, retry: this.retryMillis });
    const from = resume ? this.#continue(resume) : 0;
    if (from === null) {
      stream.send({ type: 'reset', data: { cursor, reason: 'epoch' } });
    }
    this.#replay(stream, from ?? 0);
    return true;
  }

  #replay(stream, after) {
    for (const [id, { sequence }] of this.operations) {
      if (sequence > after) {
        stream.send(this.update(id));
      }
    }
  }
}

export function problem(status, detail, more = {}, headers = {}) {
  return { status, json: { title: detail, status, detail, ...more }, headers };
}
