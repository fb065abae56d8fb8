// @ts-check
/**
 * Lastmile's browser client: asynchronous operations as the server has them, whatever becomes of
 * the push. State is the truth and the stream only makes it fast: when an update may have been
 * missed, the list of what changed since the cursor is asked for. Stream and list are merged by
 * version, so duplicates, reorderings and slow answers never move an operation backwards.
 *
 * ```
 *  state       stream ready   stream lost   a list answers   a list fails
 *  connecting  live                         degraded         offline
 *  live                       degraded
 *  degraded    live                                          offline
 *  offline     live                         degraded
 * ```
 * Paused and closed clients are offline.
 *
 * {@link Stream} keeps one `EventSource` open, {@link Reconciler} asks for lists, {@link Acks}
 * tells the server what was applied, {@link Operations} holds the state. Of the tabs of a browser
 * one leads ({@link Tabs}): it has the stream, polls and acks, and repeats to the others what the
 * server says, so each of them keeps the state by the same rules. {@link Client} joins the parts.
 *
 * @module
 */

/** @typedef {'connecting' | 'live' | 'degraded' | 'offline'} State */
/** @typedef {'live' | 'replay' | 'poll'} AckVia */
/** @typedef {AckVia | 'created'} Via how this tab learnt a version */

/**
 * An operation as the server tells it.
 *
 * @typedef {object} Received
 * @property {string} operationId
 * @property {string} kind
 * @property {'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED'} status
 * @property {number} progress 0 to 100
 * @property {string | null} message
 * @property {unknown} result
 * @property {number} version 1 for the creation, then one more per change
 * @property {string} correlationId
 * @property {string} updatedAt ISO 8601, the store's clock
 * @property {string} [cursor] only from the stream, as are the next two
 * @property {string} [traceparent] W3C context of the publication
 * @property {string} [publishedAt] ISO 8601, the store's clock
 */

/**
 * `receivedAt` is in ms since 1970, by this browser's clock.
 *
 * @typedef {Readonly<Received & {via: Via, receivedAt: number}>} Operation
 */

/** @typedef {{operation: Operation, previous: Operation | undefined, via: Via}} Change */

/**
 * @typedef {object} Connection a snapshot
 * @property {string | null} replica that holds the stream
 * @property {string | null} epoch
 * @property {string | null} cursor everything up to here is known; a stream resumes here
 * @property {number | null} lastHeartbeatAt ms since 1970; the beginning of a stream counts too
 * @property {number} reconnects how often a stream became ready again
 * @property {boolean} leader whether this tab holds the browser's stream
 * @property {boolean} following whether another tab that holds it is heard; neither: this one is
 *   paused or closed, or nobody holds it at the moment
 * @property {{replay: number, poll: number}} recovered changes that came otherwise than live, first
 *   loads excepted
 * @property {number} acksPending acks that the server has not confirmed
 * @property {number} acksDropped acks that it refused, or that were too many while it was away
 */

/**
 * What a client does about a problem: `retry`: tries again by itself; `start-anew`: takes another
 * identity and replaces all state; `drop`: drops acks that the server refuses; `give-up`: nothing
 * (a creation rejects).
 *
 * @typedef {object} ProblemEvent
 * @property {string} title
 * @property {number} [status] of HTTP; absent if there was no answer
 * @property {number} [retryAfterSeconds] when the next try follows, or is welcome
 * @property {'retry' | 'start-anew' | 'drop' | 'give-up'} action
 */

/**
 * @typedef {object} Events
 * @property {{state: State, previous: State}} state
 * @property {Change} operation it is new or has moved on: once per visible change
 * @property {{operationId: string, operation: Operation}} removed it is deleted, or over the limit
 * @property {Connection} connection
 * @property {ProblemEvent} problem
 */

/**
 * @typedef {object} Clock
 * @property {() => number} now ms, never goes back
 * @property {() => number} date ms since 1970
 * @property {(run: () => void, millis: number) => unknown} setTimeout
 * @property {(id: any) => void} clearTimeout
 * @property {() => number} random from 0, below 1
 */

/**
 * @typedef {object} Environment of a browser; null: there is none
 * @property {typeof globalThis.fetch} fetch
 * @property {new (url: string) => EventSource} EventSource
 * @property {Pick<LockManager, 'request'> | null} locks
 * @property {(new (name: string) => BroadcastChannel) | null} BroadcastChannel
 * @property {((url: string, body: Blob) => boolean) | null} sendBeacon
 * @property {EventTarget | null} window
 * @property {(EventTarget & {readonly visibilityState: string}) | null} document
 * @property {Clock} clock
 */

/** Options that are numbers: default, least, most. docs/client.md explains each. */
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

/** Those of which anything else would fail later, and far from here. */
const TYPES = {
  baseUrl: 'string',
  share: 'boolean',
  fetch: 'function',
  EventSource: 'function',
  clock: 'object',
};

/** @typedef {{[name in keyof typeof NUMBERS]: number}} Numbers */
/** @typedef {{baseUrl: string, share: boolean} & Numbers & Environment} All */
/** @typedef {{[name in keyof All]?: All[name] | undefined}} Options */
/** @typedef {{baseUrl: string} & Numbers & Environment} Settings */

/** What the server takes in one request (`lastmile.operations.acks-per-request`). */
const ACKS_PER_REQUEST = 256;
/** Acks that wait at most; of more, the oldest are dropped. */
const MOST_ACKS = 1_024;
const CREATE_TRIES = 5;
/** A stream or a leader that says nothing for so many pauses between heartbeats is given up. */
const SILENT_HEARTBEATS = 2.5;
/** The first list, if the stream has not begun by then. */
const FIRST_POLL_MILLIS = 2_000;
/** What happens to many clients at once makes them ask within this time, at random. */
const SPREAD_MILLIS = 1_000;
/** At most one new identity in this time, unless the last one was accepted. */
const IDENTITY_MILLIS = 60_000;
const MOST_RETRY_AFTER_SECONDS = 60;

/** An error that the server (RFC 9457) or the network has answered with. */
export class Problem extends Error {
  /**
   * @param {string} title
   * @param {number} [status] of HTTP; absent if there was no answer
   * @param {number} [retryAfterSeconds]
   * @param {string} [field] where in the request the reason stands
   */
  constructor(title, status, retryAfterSeconds, field) {
    super(title);
    this.name = 'Problem';
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
    this.field = field;
  }

  /** @param {unknown} error */
  static of(error) {
    return error instanceof Problem ? error : new Problem(String(error));
  }

  /** Whether the same request may succeed later: there was no answer, or the server is away. */
  get passes() {
    return this.status === undefined || this.status === 429 || this.status >= 500;
  }
}

/** @param {string} text `<epoch>-<sequence>` */
function parseCursor(text) {
  const [, epoch = '', sequence] = /^([0-9a-f]{16})-(\d{1,16})$/.exec(text) ?? [];
  if (!epoch) {
    throw new Problem(`not a cursor: ${text}`);
  }
  return { epoch, sequence: Number(sequence) };
}

/** @param {Received} operation */
const isFinal = ({ status }) => status === 'SUCCEEDED' || status === 'FAILED';

/**
 * Some time, for what happens to many clients at once.
 *
 * @param {Clock} clock
 */
const spread = (clock) => clock.random() * SPREAD_MILLIS;

/** `crypto.randomUUID` exists in secure contexts only. */
const randomKey = () => crypto.getRandomValues(new Uint32Array(4)).join('-');

/** One pending call at most. */
class Timer {
  /** @type {unknown} */
  #id = null;
  #clock;
  #run;
  /** When it runs; Infinity: never. */
  at = Infinity;

  /**
   * @param {Clock} clock
   * @param {() => void} run
   */
  constructor(clock, run) {
    this.#clock = clock;
    this.#run = run;
  }

  /** @param {number} millis */
  start(millis) {
    this.stop();
    this.at = this.#clock.now() + millis;
    if (this.at < Infinity) {
      this.#id = this.#clock.setTimeout(() => {
        this.stop();
        this.#run();
      }, Math.max(0, millis));
    }
  }

  stop() {
    this.#clock.clearTimeout(this.#id);
    this.at = Infinity;
  }
}

/** Doubling pauses, each somewhere in its upper half, so that clients do not come in step. */
class Backoff {
  #clock;
  #first;
  #most;
  tries = 0;

  /**
   * @param {Clock} clock
   * @param {number} first ms
   * @param {number} most ms
   */
  constructor(clock, first, most) {
    this.#clock = clock;
    this.#first = first;
    this.#most = most;
  }

  /**
   * @param {number} [retryAfterSeconds] what the server wants at least; it tells all its clients the
   *   same, so they come within a time after that
   */
  next(retryAfterSeconds = 0) {
    const pause = Math.min(this.#most, this.#first * 2 ** Math.min(this.tries++, 20));
    const wanted = retryAfterSeconds && retryAfterSeconds * 1_000 + spread(this.#clock);
    return Math.max(pause * (0.5 + this.#clock.random() / 2), wanted);
  }
}

/** Requests with a time limit, whose errors are {@link Problem}s. */
class Http {
  #settings;

  /** @param {Settings} settings */
  constructor(settings) {
    this.#settings = settings;
  }

  /**
   * @param {'GET' | 'POST'} method
   * @param {string} path
   * @param {{body?: unknown, key?: string, keepalive?: boolean, abort?: AbortController}} [more]
   * @returns {Promise<any>} the JSON document, null if the answer is empty
   */
  async send(method, path, { body, key, keepalive = false, abort = new AbortController() } = {}) {
    const { baseUrl, clock, fetch, requestMillis } = this.#settings;
    const timer = new Timer(clock, () => abort.abort());
    timer.start(requestMillis);
    /** @type {RequestInit} */
    const init = { method, keepalive, cache: 'no-store', signal: abort.signal };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { 'Content-Type': 'application/json', ...(key && { 'Idempotency-Key': key }) };
    }
    let response;
    let text;
    try {
      response = await fetch(baseUrl + path, init);
      text = await response.text();
    } catch {
      throw new Problem('the server cannot be reached');
    } finally {
      timer.stop();
    }
    const json = parse(text);
    if (!response.ok) {
      throw new Problem(
        String(json?.detail ?? json?.title ?? `status ${response.status}`),
        response.status,
        retryAfter(response.headers, clock),
        String(json?.field ?? ''),
      );
    }
    if (json === undefined) {
      // A proxy's or a captive portal's page.
      throw new Problem('the answer is not JSON');
    }
    return json;
  }
}

/**
 * `Retry-After` as RFC 9110 has it: seconds, or a date.
 *
 * @param {Headers} headers
 * @param {Clock} clock
 * @returns {number | undefined} s
 */
function retryAfter(headers, clock) {
  const wanted = headers.get('Retry-After') ?? '';
  let seconds = /^\d+$/.test(wanted) ? Number(wanted) : NaN;
  if (/ GMT$/.test(wanted)) {
    // By the clock that wrote it, where it is told: the browser's may be wrong.
    const now = Date.parse(headers.get('Date') ?? '') || clock.date();
    seconds = Math.max(0, Math.ceil((Date.parse(wanted) - now) / 1_000));
  }
  return seconds >= 0 ? Math.min(seconds, MOST_RETRY_AFTER_SECONDS) : undefined;
}

/**
 * @param {string} text
 * @returns {any} undefined if it is not JSON
 */
function parse(text) {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The operations that are known, and up to where.
 *
 * Within an epoch a version replaces lower ones only. A restart (another epoch, a reset) makes all
 * that is known stale: it stays visible, anything replaces it whatever its version, and what the
 * next complete read does not confirm is pruned. So a page goes from the old state to the new one
 * without being empty in between, and versions of two epochs are never compared.
 */
class Operations {
  /** @type {Map<string, Operation>} */
  all = new Map();
  /** @type {Map<string, number>} the tick at which each was last confirmed */
  #confirmed = new Map();
  #tick = 0;
  /** What was confirmed before this tick is stale. */
  #staleBefore = 0;
  #settings;
  /** @type {string | null} */
  epoch = null;
  /** @type {number | null} everything up to here is known, in this epoch */
  #sequence = null;
  /** The highest sequence that was heard of: what follows it by more than 1 shows a hole. */
  seen = 0;
  restarts = 0;
  /** Whether a complete read has been applied since the last restart. */
  loaded = false;

  /** @param {Settings} settings */
  constructor(settings) {
    this.#settings = settings;
  }

  get cursor() {
    return this.#sequence === null ? null : `${this.epoch}-${this.#sequence}`;
  }

  /** A moment: what is confirmed later has a higher one. */
  tick() {
    return ++this.#tick;
  }

  hasPending() {
    return [...this.all.values()].some((operation) => !isFinal(operation));
  }

  /** @param {string | null} epoch */
  restart(epoch) {
    this.epoch = epoch;
    this.#sequence = null;
    this.seen = 0;
    this.restarts++;
    this.loaded = false;
    this.#staleBefore = this.tick();
  }

  /**
   * @param {Received} received
   * @param {Via} via
   * @param {number} [before] what was confirmed before this tick is replaced whatever its version
   * @returns {Change[]} empty if nothing visible changed
   */
  merge(received, via, before = 0) {
    const { operationId, version, updatedAt } = received;
    const previous = this.all.get(operationId);
    const confirmed = this.#confirmed.get(operationId) ?? 0;
    this.#confirmed.set(operationId, this.tick());
    if (previous) {
      const older = confirmed >= Math.max(before, this.#staleBefore) && version <= previous.version;
      if (older || (version === previous.version && updatedAt === previous.updatedAt)) {
        return [];
      }
    }
    const receivedAt = this.#settings.clock.date();
    const operation = Object.freeze({ ...received, via, receivedAt });
    this.all.set(operationId, operation);
    return [{ operation, previous, via }];
  }

  /**
   * All that exists has been confirmed: the rest is gone.
   *
   * @param {number} [before] what was not confirmed since this tick is gone, stale or not
   * @returns {Operation[]} what was removed
   */
  prune(before = 0) {
    const limit = Math.max(before, this.#staleBefore);
    this.#staleBefore = 0;
    this.loaded = true;
    return this.#remove(
      [...this.all.values()].filter((it) => (this.#confirmed.get(it.operationId) ?? 0) < limit),
    );
  }

  /** Lets the oldest final ones go, as the server does, then the oldest; returns them. */
  evict() {
    const excess = this.all.size - this.#settings.maxOperations;
    const order = (/** @type {Operation} */ it) => (isFinal(it) ? '0' : '1') + it.updatedAt;
    return excess <= 0
      ? []
      : this.#remove(
          [...this.all.values()]
            .sort((a, b) => (order(a) < order(b) ? -1 : 1))
            .slice(0, excess),
        );
  }

  /** @param {Operation[]} operations */
  #remove(operations) {
    for (const { operationId } of operations) {
      this.all.delete(operationId);
      this.#confirmed.delete(operationId);
    }
    return operations;
  }

  /** @param {number} sequence whether it is no further than one after the cursor */
  isNext(sequence) {
    return this.#sequence !== null && sequence <= this.#sequence + 1;
  }

  /** @param {number | null} sequence everything up to it is known; null: nothing is certain */
  advance(sequence) {
    this.#sequence = sequence === null ? null : Math.max(this.#sequence ?? 0, sequence);
    this.see(sequence ?? 0);
  }

  /** @param {number} sequence */
  see(sequence) {
    this.seen = Math.max(this.seen, sequence);
  }
}

/** @typedef {'ready' | 'update' | 'reset' | 'heartbeat'} StreamEvent */
/** @typedef {'broken' | 'refused' | 'silent'} Loss */

/**
 * Keeps one stream open.
 *
 * `EventSource` does not show `retry:`, but the browser honours it when it reconnects by itself
 * (readyState CONNECTING). So after the loss of a stream that was ready the browser has one try of
 * its own, for `openMillis`; that is how a draining replica spreads its clients. After a status
 * other than 200 it stops for good (readyState CLOSED), of a silence it notices nothing, and when
 * its try fails it would go on without longer pauses: then we open a new stream, with backoff.
 */
class Stream {
  /** @type {EventSource | null} */
  #source = null;
  #settings;
  #url;
  #heard;
  #lost;
  #backoff;
  #reopen;
  #watch;
  #deadline = Infinity;
  #silentMillis = Infinity;
  ready = false;

  /**
   * @param {Settings} settings
   * @param {() => string} url where to open the next one
   * @param {(type: StreamEvent, text: string, id: string) => void} heard
   * @param {(why: Loss, wasReady: boolean, pause: number | undefined) => void} lost with the pause
   *   in ms, unless the browser decides
   */
  constructor(settings, url, heard, lost) {
    const { clock, retryMillis, retryMaxMillis } = settings;
    this.#settings = settings;
    this.#url = url;
    this.#heard = heard;
    this.#lost = lost;
    this.#backoff = new Backoff(clock, retryMillis, retryMaxMillis);
    this.#reopen = new Timer(clock, () => this.#connect());
    this.#watch = new Timer(clock, () => this.check());
  }

  /** Opens it, anew if it is open. */
  open() {
    this.#backoff.tries = 0;
    this.#connect();
  }

  close() {
    this.#reopen.stop();
    this.#abandon();
  }

  /** Loses it as a fault of the network would. */
  drop() {
    if (this.#source) {
      this.#lose('broken');
    }
  }

  /** Looks at the clock now: timers of a hidden or sleeping page are late. */
  check() {
    const left = this.#deadline - this.#settings.clock.now();
    if (left <= 0) {
      this.#lose('silent');
    } else if (this.#source) {
      this.#watch.start(left);
    }
  }

  #connect() {
    this.close();
    const source = new this.#settings.EventSource(this.#url());
    this.#source = source;
    this.#expectWithin(this.#settings.openMillis);
    for (const type of /** @type {StreamEvent[]} */ (['ready', 'update', 'reset', 'heartbeat'])) {
      source.addEventListener(type, (/** @type {MessageEvent} */ event) => {
        // What an abandoned source still has to say does not count.
        if (source === this.#source) {
          if (this.ready) {
            this.#expectWithin(this.#silentMillis);
          }
          if (type === 'heartbeat') {
            // It lasts. A stream that is ready and breaks, over and over, gets longer pauses.
            this.#backoff.tries = 0;
          }
          this.#heard(type, event.data, event.lastEventId);
        }
      });
    }
    source.onerror = () => {
      if (source.readyState === 2) {
        this.#lose('refused');
      } else if (this.ready) {
        this.ready = false;
        this.#expectWithin(this.#settings.openMillis);
        this.#lost('broken', true, undefined);
      } else {
        this.#lose('broken');
      }
    };
  }

  /** @param {number} silentMillis after which it is given up */
  becomeReady(silentMillis) {
    this.ready = true;
    this.#silentMillis = silentMillis;
    this.#expectWithin(silentMillis);
  }

  /** @param {number} millis */
  #expectWithin(millis) {
    this.#deadline = this.#settings.clock.now() + millis;
    // The timer that runs will find a later deadline.
    if (this.#deadline < this.#watch.at) {
      this.#watch.start(millis);
    }
  }

  /** @param {Loss} why */
  #lose(why) {
    const wasReady = this.ready;
    // A silence has cost enough, and others do not end at the same moment.
    const pause = why === 'silent' && wasReady ? 0 : this.#backoff.next();
    this.#abandon();
    this.#reopen.start(pause);
    this.#lost(why, wasReady, pause);
  }

  #abandon() {
    if (this.#source) {
      this.#source.onerror = null;
      this.#source.close();
    }
    this.#source = null;
    this.ready = false;
    this.#watch.stop();
    this.#deadline = Infinity;
    this.#silentMillis = Infinity;
  }
}

/** @typedef {{cursor: string, reset: boolean, operations: Received[]}} List */
/** @typedef {{after: string | null, restarts: number, tick: number}} Asked what was known then */

/**
 * Asks for what changed: now, soon, and from time to time. One list is under way at a time; what
 * calls for one meanwhile gets the next, since the one under way may have been read before.
 */
class Reconciler {
  #settings;
  #http;
  #client;
  #timer;
  #backoff;
  /** @type {object | null} another one after each start; null: stopped */
  #life = null;
  /** @type {AbortController | undefined} of the list under way */
  #abort;
  /** @type {Promise<boolean> | null} */
  #flight = null;
  /** @type {Promise<boolean> | null} */
  #next = null;
  #endedAt = 0;
  #soonAt = Infinity;
  #jitter = 1;
  /** @type {number | null} pause after a list that failed, ms */
  #retryMillis = null;

  /**
   * @param {Settings} settings
   * @param {Http} http
   * @param {object} client
   * @param {() => Asked} client.ask
   * @param {(list: List, asked: Asked) => boolean} client.apply false: out of date, ask again
   * @param {(problem: Problem | null, retryMillis: number) => void} client.ended
   * @param {() => number} client.interval ms between two lists
   */
  constructor(settings, http, client) {
    this.#settings = settings;
    this.#http = http;
    this.#client = client;
    this.#timer = new Timer(settings.clock, () => void this.now());
    this.#backoff = new Backoff(
      settings.clock, settings.retryMillis, 2 * settings.degradedPollMillis);
  }

  start() {
    this.stop();
    this.#life = {};
    this.#end(null);
    this.pace();
  }

  /** What is under way is aborted and resolves to false. */
  stop() {
    this.#life = null;
    this.#abort?.abort();
    this.#soonAt = Infinity;
    this.#timer.stop();
  }

  /** @returns {Promise<boolean>} whether a list asked for after this call was applied; no reject */
  now() {
    if (!this.#life) {
      return Promise.resolve(false);
    }
    if (!this.#flight) {
      this.#flight = this.#run(this.#life).finally(() => {
        this.#flight = null;
        this.pace();
      });
      return this.#flight;
    }
    this.#next ??= this.#flight.then(() => {
      this.#next = null;
      return this.now();
    });
    return this.#next;
  }

  /**
   * For what happens to many clients at once. A list that failed has its own pause.
   *
   * @param {boolean} [anew] the server answers again: no reason to wait for that
   */
  soon(anew = false) {
    const { clock } = this.#settings;
    if (anew) {
      this.#retryMillis = null;
    }
    this.#soonAt = Math.min(this.#soonAt, clock.now() + spread(clock));
    this.pace();
  }

  /** The interval may have changed. */
  pace() {
    if (this.#life && !this.#flight) {
      const at =
        this.#retryMillis === null
          ? Math.min(this.#endedAt + this.#client.interval() * this.#jitter, this.#soonAt)
          : this.#endedAt + this.#retryMillis;
      if (at !== this.#timer.at) {
        this.#timer.start(at - this.#settings.clock.now());
      }
    }
  }

  /** @param {object} life */
  async #run(life) {
    this.#timer.stop();
    this.#soonAt = Infinity;
    try {
      for (;;) {
        const asked = this.#client.ask();
        const query = asked.after === null ? '' : `?after=${asked.after}`;
        const abort = new AbortController();
        this.#abort = abort;
        const list = await this.#http.send('GET', `/api/operations${query}`, { abort });
        if (life !== this.#life) {
          return false;
        }
        if (!Array.isArray(list?.operations)) {
          throw new Problem('the answer is not a list of operations');
        }
        this.#backoff.tries = 0;
        this.#end(null);
        this.#client.ended(null, 0);
        if (this.#client.apply(list, asked)) {
          return true;
        }
      }
    } catch (error) {
      if (life === this.#life) {
        const problem = Problem.of(error);
        const pause = this.#backoff.next(problem.retryAfterSeconds);
        this.#end(pause);
        this.#client.ended(problem, pause);
      }
      return false;
    }
  }

  /** @param {number | null} retryMillis */
  #end(retryMillis) {
    this.#endedAt = this.#settings.clock.now();
    this.#retryMillis = retryMillis;
    this.#jitter = 0.9 + this.#settings.clock.random() / 5;
  }
}

/** @typedef {{operationId: string, version: number, via: AckVia}} Ack */

/**
 * Tells the server which versions this browser has applied. All tabs note that, and the one that
 * leads tells it; what is done the others forget, so whoever leads next goes on with the rest.
 *
 * An ack covers all lower versions of its operation, and the first to cover one says how it was
 * learnt; so acks that wait are joined unless they differ in that. The server takes a batch as a
 * whole or not at all: what it refuses (an operation deleted meanwhile) is dropped, what did not
 * get through waits in front of the rest.
 */
class Acks {
  #settings;
  #http;
  #refused;
  #done;
  /** @type {Ack[]} */
  #waiting = [];
  /** @type {Ack[]} */
  #flight = [];
  #running = false;
  #timer;
  #backoff;
  dropped = 0;

  /**
   * @param {Settings} settings
   * @param {Http} http
   * @param {(problem: Problem) => void} refused
   * @param {(acks: Ack[]) => void} done a request has ended, and these are not sent again
   */
  constructor(settings, http, refused, done) {
    const { clock, retryMillis, retryMaxMillis } = settings;
    this.#settings = settings;
    this.#http = http;
    this.#refused = refused;
    this.#done = done;
    this.#timer = new Timer(clock, () => void this.#send());
    this.#backoff = new Backoff(clock, retryMillis, retryMaxMillis);
  }

  get pending() {
    return this.#waiting.length + this.#flight.length;
  }

  start() {
    this.#running = true;
    this.#schedule(this.#settings.ackDelayMillis);
  }

  /** What waits goes on waiting. */
  stop() {
    this.#running = false;
    this.#timer.stop();
  }

  /** Another tab has seen to these. @param {Ack[]} acks */
  forget(acks) {
    const versions = new Map(acks.map(({ operationId, version }) => [operationId, version]));
    this.#waiting = this.#waiting.filter(
      ({ operationId, version }) => version > (versions.get(operationId) ?? 0),
    );
  }

  /** Forgets everything: it belongs to another epoch or identity. */
  clear() {
    this.#waiting = [];
    this.#flight = [];
  }

  /** Sends what waits without delay. */
  flush() {
    this.#timer.stop();
    this.#schedule(0);
  }

  /** @param {Ack} ack */
  add({ operationId, version, via }) {
    const last = this.#waiting.findLast((it) => it.operationId === operationId);
    if (last?.via === via) {
      last.version = Math.max(last.version, version);
    } else if (!last || last.version < version) {
      this.#queue([...this.#waiting, { operationId, version, via }]);
    }
    this.#schedule(this.#settings.ackDelayMillis);
  }

  /**
   * The page may never run again: the browser sends what waits, whatever becomes of the page. If it
   * runs again all the same, it cannot know what got through and sends them once more: that is
   * harmless, and a lost ack is not.
   */
  leave() {
    for (let i = 0; i < this.#waiting.length; i += ACKS_PER_REQUEST) {
      const body = { acks: this.#waiting.slice(i, i + ACKS_PER_REQUEST) };
      const blob = new Blob([JSON.stringify(body)], { type: 'application/json' });
      if (!this.#settings.sendBeacon?.(`${this.#settings.baseUrl}/api/acks`, blob)) {
        this.#http.send('POST', '/api/acks', { body, keepalive: true }).catch(() => undefined);
      }
    }
  }

  /** @param {Ack[]} acks */
  #queue(acks) {
    const excess = Math.max(0, acks.length - MOST_ACKS);
    this.dropped += excess;
    this.#waiting = acks.slice(excess);
  }

  /** @param {number} millis */
  #schedule(millis) {
    const idle = this.#timer.at === Infinity && !this.#flight.length;
    if (this.#running && this.#waiting.length && idle) {
      this.#timer.start(millis);
    }
  }

  async #send() {
    const batch = this.#waiting.splice(0, ACKS_PER_REQUEST);
    if (!batch.length) {
      return;
    }
    this.#flight = batch;
    /** @type {Problem | null} */
    let problem = null;
    try {
      await this.#http.send('POST', '/api/acks', { body: { acks: batch }, keepalive: true });
    } catch (error) {
      problem = Problem.of(error);
    }
    if (batch !== this.#flight) {
      return;
    }
    this.#flight = [];
    if (problem?.passes) {
      this.#queue([...batch, ...this.#waiting]);
      this.#schedule(this.#backoff.next(problem.retryAfterSeconds));
      this.#done([]);
    } else {
      this.#backoff.tries = 0;
      const done = problem ? this.#drop(batch, problem) : batch;
      this.#schedule(this.#settings.ackDelayMillis);
      this.#done(done);
    }
  }

  /**
   * @param {Ack[]} batch
   * @param {Problem} problem names the ack that is refused, or all are
   * @returns {Ack[]} what was dropped
   */
  #drop(batch, problem) {
    const index = Number(/^acks\[(\d+)\]/.exec(problem.field ?? '')?.[1] ?? -1);
    const left = index in batch ? batch.filter((_, i) => i !== index) : [];
    const dropped = batch.filter((it) => !left.includes(it));
    this.dropped += dropped.length;
    this.#queue([...left, ...this.#waiting]);
    this.#refused(problem);
    return dropped;
  }
}

/**
 * The tabs of a browser. One leads: it holds a lock, which the browser gives to the next when that
 * tab ends. A tab that is frozen keeps its lock and is silent: a visible one takes it away.
 */
class Tabs {
  #settings;
  #client;
  #name;
  /** @type {BroadcastChannel | null} null: not a member */
  #channel = null;
  /** @type {AbortController | null} */
  #queued = null;
  /** @type {(() => void) | null} gives the lock back by which this tab leads */
  #release = null;
  /** When this leader began; what an earlier one still says does not count. */
  #term = 0;
  #heardAt = 0;
  #watch;
  #doubt;
  leading = false;
  /** Whether a leader is heard. */
  following = false;
  silentMillis = 25_000;

  /**
   * @param {Settings} settings without locks or channel: a tab that leads itself
   * @param {object} client
   * @param {() => void} client.lead
   * @param {() => void} client.follow it led, and does no longer
   * @param {() => void} client.miss its leader is not heard any more
   * @param {(message: any) => void} client.hear
   * @param {() => boolean} client.isVisible
   */
  constructor(settings, client) {
    this.#settings = settings;
    this.#client = client;
    this.#name = `lastmile ${settings.baseUrl}`;
    this.#watch = new Timer(settings.clock, () => {
      const left = this.#heardAt + this.silentMillis - settings.clock.now();
      if (left > 0) {
        this.#watch.start(left);
      } else {
        this.check();
      }
    });
    this.#doubt = new Timer(settings.clock, () => {
      this.following = false;
      if (this.#client.isVisible()) {
        this.#queued?.abort();
        this.#hold({ steal: true });
      } else {
        this.#watch.start(this.silentMillis);
      }
      this.#client.miss();
    });
  }

  join() {
    const { BroadcastChannel } = this.#settings;
    try {
      const channel = BroadcastChannel && this.#settings.locks && new BroadcastChannel(this.#name);
      this.#channel = channel;
      if (channel) {
        channel.onmessage = ({ data }) => this.#hear(data);
        this.#queue();
        this.check();
        return;
      }
    } catch {
      // An opaque origin has no channels.
    }
    this.#lead();
  }

  leave() {
    this.leading = false;
    this.following = false;
    this.#channel?.close();
    this.#channel = null;
    this.#queued?.abort();
    this.#release?.();
    this.#watch.stop();
    this.#doubt.stop();
  }

  /** @param {object} message to all other tabs */
  say(message) {
    this.#channel?.postMessage({ ...message, term: this.leading ? this.#term : 0 });
  }

  /** Is there a leader? It answers a hello, or is replaced. */
  check() {
    if (this.#channel && !this.leading) {
      this.say({ type: 'hello' });
      this.#doubt.start(this.#settings.leaderMillis);
    }
  }

  /** @param {any} message */
  #hear(message) {
    if (!this.leading && message.term) {
      if (message.term < this.#term) {
        return;
      }
      this.#term = message.term;
      this.#heardAt = this.#settings.clock.now();
      this.following = true;
      this.#doubt.stop();
      if (this.#watch.at === Infinity) {
        this.#watch.start(this.silentMillis);
      }
    }
    // Two leaders: the lock tells which is none any more.
    if (!this.leading || !message.term) {
      this.#client.hear(message);
    }
  }

  #lead() {
    this.leading = true;
    this.following = false;
    this.#term = Math.max(this.#term + 1, this.#settings.clock.date());
    this.#watch.stop();
    this.#doubt.stop();
    this.#client.lead();
  }

  #queue() {
    this.#queued = new AbortController();
    this.#hold({ signal: this.#queued.signal });
  }

  /** @param {LockOptions} how */
  #hold(how) {
    const member = this.#channel;
    /** @type {((nothing: void) => void) | null} */
    let mine = null;
    const ended = (/** @type {any} */ error) => {
      if (member !== this.#channel) {
        return;
      }
      if (mine === null) {
        if (error?.name !== 'AbortError') {
          this.#lead();
        }
      } else if (mine === this.#release) {
        // Another tab has taken it. If it was this one itself, it goes on by its newer lock.
        this.#release = null;
        this.leading = false;
        this.#client.follow();
        this.#queue();
        this.check();
      }
    };
    const granted = () =>
      new Promise((/** @type {(nothing: void) => void} */ release) => {
        if (member !== this.#channel) {
          release();
          return;
        }
        mine = release;
        this.#release = release;
        this.#lead();
      });
    this.#settings.locks?.request(this.#name, how, granted).then(ended, ended);
  }
}

/**
 * What a page holds; {@link connect} makes it.
 *
 * Listeners are called last in every step, when all else is done, so they may call anything.
 */
export class Client {
  #settings;
  #http;
  #operations;
  #stream;
  #reconciler;
  #acks;
  #tabs;
  /** @type {{[type in keyof Events]: Set<(event: any) => void>}} */
  #listeners = {
    state: new Set(),
    operation: new Set(),
    removed: new Set(),
    connection: new Set(),
    problem: new Set(),
  };
  /** @type {(() => void)[]} */
  #unlisten = [];

  /** @type {Set<'paused' | 'hidden' | 'closed'>} why nothing runs */
  #asleep = new Set();
  #running = false;
  /** @type {State} */
  #state = 'connecting';
  /** What a leader tells the other tabs, so that whoever takes over goes on from there. */
  #shared = {
    ready: false,
    /** @type {boolean | null} whether the server answered last */
    reached: null,
    /** @type {string | null} */
    replica: null,
    /** @type {number | null} */
    lastHeartbeatAt: null,
    silentMillis: 25_000,
    readies: 0,
    recovered: { replay: 0, poll: 0 },
    acksPending: 0,
    acksDropped: 0,
  };
  /** @type {string | null} the epoch of the stream, while this tab has one */
  #streamEpoch = null;
  /** Updates up to here are replay. */
  #replayUpTo = 0;
  #telling = false;
  /** @type {Promise<boolean> | null} */
  #renewing = null;
  #renewedAt = -Infinity;

  /** @param {Settings & {share: boolean}} settings */
  constructor(settings) {
    this.#settings = settings;
    const http = new Http(settings);
    this.#http = http;
    const operations = new Operations(settings);
    this.#operations = operations;
    this.#stream = new Stream(
      settings,
      () => {
        const { cursor } = operations;
        return `${settings.baseUrl}/api/stream${cursor ? `?lastEventId=${cursor}` : ''}`;
      },
      (type, text, id) => {
        this.#tabs.say({ type, text, id });
        this.#hear(type, text, id);
      },
      (why, wasReady, pause) => this.#onLost(why, wasReady, pause),
    );
    this.#reconciler = new Reconciler(settings, http, {
      ask: () => ({
        after: operations.cursor,
        restarts: operations.restarts,
        tick: operations.tick(),
      }),
      apply: (list, asked) => this.#onList(list, asked),
      ended: (problem, retryMillis) => this.#onListEnded(problem, retryMillis),
      interval: () => this.#interval(),
    });
    this.#acks = new Acks(
      settings,
      http,
      (problem) => this.#onAcksRefused(problem),
      (acks) => this.#onAcksDone(acks),
    );
    this.#tabs = new Tabs(settings.share ? settings : { ...settings, locks: null }, {
      lead: () => this.#lead(),
      follow: () => this.#stopLeading(),
      miss: () => this.#changed(),
      hear: (message) => this.#hearTab(message),
      isVisible: () => settings.document?.visibilityState !== 'hidden',
    });
    this.#listen();
    this.#wake();
  }

  /** @returns {State} */
  get state() {
    return this.#state;
  }

  /** Whether {@link pause} was called, and {@link resume} was not since. */
  get paused() {
    return this.#asleep.has('paused');
  }

  /** @returns {Connection} */
  get connection() {
    const { ready, reached, silentMillis, readies, recovered, ...facts } = this.#facts();
    const { epoch, cursor } = this.#operations;
    const reconnects = Math.max(0, readies - 1);
    const { leading: leader, following } = this.#tabs;
    return { ...facts, epoch, cursor, reconnects, leader, following, recovered: { ...recovered } };
  }

  /** @returns {ReadonlyMap<string, Operation>} changes as updates come */
  get operations() {
    return this.#operations.all;
  }

  /**
   * @template {keyof Events} T
   * @param {T} type
   * @param {(event: Events[T]) => void} listener what it throws is reported and hurts nobody else
   * @returns {() => void} removes it
   */
  on(type, listener) {
    if (!Object.hasOwn(this.#listeners, type)) {
      throw new TypeError(`no event ${type}`);
    }
    const entry = (/** @type {Events[T]} */ event) => listener(event);
    this.#listeners[type].add(entry);
    return () => void this.#listeners[type].delete(entry);
  }

  /**
   * Starts an operation. While there is no answer, or the server is away, it asks again with the
   * same key, five times at most, so the operation is created once. A client that is paused or
   * closed starts nothing.
   *
   * @param {string} kind
   * @param {object} [input]
   * @param {{idempotencyKey?: string}} [options] the same key makes one creation of several calls
   * @returns {Promise<Operation>} rejects with a {@link Problem}
   */
  async create(kind, input, { idempotencyKey: key = randomKey() } = {}) {
    const { clock, retryMillis, retryMaxMillis } = this.#settings;
    const backoff = new Backoff(clock, retryMillis, retryMaxMillis);
    if (this.paused) {
      throw new Problem('the client is paused');
    }
    for (let tries = 1; ; tries++) {
      if (this.#asleep.has('closed')) {
        throw new Problem('the client is closed');
      }
      const { restarts } = this.#operations;
      try {
        const body = { kind, input };
        const received = await this.#http.send('POST', '/api/operations', { body, key });
        return this.#onCreated(received, restarts);
      } catch (error) {
        const problem = Problem.of(error);
        const more = tries < CREATE_TRIES;
        if (more && problem.status === 401 && (await this.#renewIdentity())) {
          continue;
        }
        const again = more && problem.passes && problem.status !== 429;
        if (!again) {
          this.#tellProblem(problem, 'give-up');
          throw problem;
        }
        const pause = backoff.next(problem.retryAfterSeconds);
        this.#tellProblem(problem, 'retry', pause);
        await new Promise((resolve) => clock.setTimeout(() => resolve(undefined), pause));
      }
    }
  }

  /**
   * Asks the server what changed, at once.
   *
   * @returns {Promise<boolean>} whether state as of this call or later was applied; never rejects
   */
  reconcile() {
    return this.#reconciler.now();
  }

  /** Loses the browser's stream as a fault of the network would: it comes back after a pause. */
  drop() {
    this.#stream.drop();
    this.#tabs.say({ type: 'drop' });
  }

  /** Sleeps like a frozen tab: no stream, lists, acks or new creations; another tab takes over. */
  pause() {
    this.#sleep('paused');
  }

  /** Wakes up from {@link pause} and reconciles. */
  resume() {
    this.#wake('paused');
  }

  /** Ends everything and sends the acks that wait. Nothing is told any more; twice is once. */
  close() {
    this.#leave('closed');
    this.#acks.clear();
    for (const unlisten of this.#unlisten.splice(0)) {
      unlisten();
    }
    for (const listeners of Object.values(this.#listeners)) {
      listeners.clear();
    }
  }

  // Running and sleeping, leading and following

  #listen() {
    const { window, document } = this.#settings;
    /** @type {(target: EventTarget | null, type: string, run: () => void) => void} */
    const on = (target, type, run) => {
      target?.addEventListener(type, run);
      this.#unlisten.push(() => target?.removeEventListener(type, run));
    };
    // An open stream keeps a page out of the back/forward cache, or is dead when it comes out.
    on(window, 'pagehide', () => this.#leave('hidden'));
    on(window, 'pageshow', () => this.#wake('hidden'));
    on(window, 'online', () => {
      if (this.#tabs.leading && !this.#stream.ready) {
        this.#stream.open();
      }
      this.#look();
    });
    on(document, 'visibilitychange', () => {
      if (document?.visibilityState === 'hidden') {
        this.#acks.flush();
      } else {
        this.#look();
      }
    });
  }

  /** The page may have slept, or been offline: what has happened meanwhile? */
  #look() {
    this.#stream.check();
    this.#tabs.check();
    void this.#reconciler.now();
  }

  /** @param {'paused' | 'hidden' | 'closed'} why */
  #sleep(why) {
    this.#asleep.add(why);
    if (this.#running) {
      this.#running = false;
      this.#stopLeading();
      this.#reconciler.stop();
      this.#tabs.leave();
      this.#changed();
    }
  }

  /** @param {'hidden' | 'closed'} why */
  #leave(why) {
    const { following } = this.#tabs;
    this.#sleep(why);
    // A leader that is heard has noted the same acks, and stays.
    if (!following) {
      this.#acks.leave();
    }
  }

  /** @param {'paused' | 'hidden'} [over] the reason to sleep that has ended */
  #wake(over) {
    if (over) {
      this.#asleep.delete(over);
    }
    if (!this.#running && !this.#asleep.size) {
      this.#running = true;
      this.#shared.reached = null;
      this.#reconciler.start();
      this.#tabs.join();
      if (over) {
        void this.#reconciler.now();
      }
      this.#changed();
    }
  }

  #lead() {
    this.#shared.ready = false;
    this.#acks.dropped = this.#shared.acksDropped;
    this.#acks.start();
    this.#stream.open();
    if (this.#operations.loaded) {
      void this.#reconciler.now();
    }
    this.#changed();
  }

  #stopLeading() {
    this.#stream.close();
    this.#streamEpoch = null;
    this.#acks.stop();
    this.#shared = this.#facts();
    this.#changed();
  }

  // What comes in

  /**
   * @param {StreamEvent} type
   * @param {string} text
   * @param {string} id of the last event that had one
   */
  #hear(type, text, id) {
    try {
      const data = JSON.parse(text);
      const { epoch, sequence } = parseCursor(data.cursor);
      switch (type) {
        case 'ready':
          this.#onReady(data, epoch, sequence);
          break;
        case 'reset':
          this.#onReset(epoch, sequence);
          break;
        case 'update':
          this.#onUpdate(data, epoch, sequence, id === data.cursor);
          break;
        case 'heartbeat':
          this.#onHeartbeat(epoch, sequence);
          break;
      }
    } catch (error) {
      // Going on would leave it behind the cursor.
      this.#stream.drop();
      this.#reconciler.soon();
      this.#tellProblem(Problem.of(error), 'retry');
    }
  }

  /**
   * @param {{replica: string, heartbeatSeconds: number}} data
   * @param {string} epoch
   * @param {number} sequence the head when the stream began
   */
  #onReady({ replica, heartbeatSeconds }, epoch, sequence) {
    this.#enter(epoch);
    this.#replayUpTo = sequence;
    this.#operations.see(sequence);
    if (this.#tabs.leading) {
      this.#streamEpoch = epoch;
      this.#renewedAt = -Infinity;
      const shared = this.#shared;
      shared.replica = replica;
      shared.lastHeartbeatAt = this.#settings.clock.date();
      shared.silentMillis = (heartbeatSeconds || 10) * 1_000 * SILENT_HEARTBEATS;
      shared.reached = true;
      this.#stream.becomeReady(shared.silentMillis);
      this.#acks.flush();
      if (shared.readies++) {
        this.#reconciler.soon(true);
      }
    } else if (!this.#operations.loaded) {
      this.#reconciler.soon();
    }
    this.#tell([], this.#complete(0));
  }

  /**
   * @param {string} epoch
   * @param {number} sequence what follows up to here replaces all that is known
   */
  #onReset(epoch, sequence) {
    if (this.#operations.epoch !== epoch) {
      this.#acks.clear();
    }
    this.#operations.restart(epoch);
    this.#streamEpoch = this.#tabs.leading ? epoch : null;
    this.#replayUpTo = sequence;
    this.#operations.see(sequence);
    this.#reconciler.soon();
    this.#tell([], this.#complete(0));
  }

  /**
   * @param {Received} received
   * @param {string} epoch
   * @param {number} sequence
   * @param {boolean} hasId if not, it was sent after a hole: not all before it is known
   */
  #onUpdate(received, epoch, sequence, hasId) {
    const operations = this.#operations;
    if (epoch !== operations.epoch) {
      // A list was faster than the reset: what this stream says until then is of the past.
      this.#reconciler.soon();
      return;
    }
    const { leading } = this.#tabs;
    const { loaded } = operations;
    const via = sequence <= this.#replayUpTo ? 'replay' : 'live';
    const changes = operations.merge(received, via);
    this.#ack(received, via);
    // Ids follow without holes on a stream; a tab that follows may have come in between.
    const gap = !leading && !operations.isNext(sequence);
    if (gap || sequence > operations.seen + 1) {
      this.#reconciler.soon();
    }
    operations.see(sequence);
    if (hasId && !gap) {
      operations.advance(sequence);
    }
    this.#tell(changes, this.#complete(sequence), loaded);
  }

  /**
   * @param {string} epoch
   * @param {number} sequence
   */
  #onHeartbeat(epoch, sequence) {
    const known = epoch === this.#operations.epoch;
    if (!known || sequence > this.#operations.seen) {
      this.#reconciler.soon();
    }
    if (this.#tabs.leading) {
      this.#shared.lastHeartbeatAt = this.#settings.clock.date();
    }
    this.#tell([], known ? this.#complete(sequence) : []);
  }

  /**
   * What began with `ready` or `reset` is complete when the stream has come so far. Tabs that
   * follow may have missed the beginning, and ask.
   *
   * @param {number} sequence
   */
  #complete(sequence) {
    const begun = this.#tabs.leading && !this.#operations.loaded;
    return begun && sequence >= this.#replayUpTo ? this.#operations.prune() : [];
  }

  /**
   * @param {Loss} why
   * @param {boolean} wasReady
   * @param {number | undefined} pause ms
   */
  #onLost(why, wasReady, pause) {
    if (why === 'silent' || (!wasReady && !this.#operations.loaded)) {
      // Nobody else at this moment; and who has no identity yet is told so by the list only.
      void this.#reconciler.now();
    } else if (wasReady) {
      this.#reconciler.soon();
    }
    if (wasReady) {
      // Until a list says otherwise.
      this.#shared.reached = true;
    }
    this.#changed();
    if (why === 'refused' && this.#operations.epoch) {
      this.#tellProblem(new Problem('the stream was refused'), 'retry', pause);
    }
  }

  /**
   * @param {List} list
   * @param {Asked} asked
   * @returns {boolean} false: something has replaced what it was asked after
   */
  #onList({ cursor, reset, operations: list }, asked) {
    const operations = this.#operations;
    if (operations.restarts !== asked.restarts) {
      return false;
    }
    const { epoch, sequence } = parseCursor(cursor);
    const { loaded } = operations;
    this.#enter(epoch);
    const before = reset || asked.after === null ? asked.tick : 0;
    const changes = list.flatMap((received) => operations.merge(received, 'poll', before));
    list.forEach((received) => this.#ack(received, 'poll'));
    const removed = operations.prune(before);
    operations.advance(sequence);
    if (this.#streamEpoch && this.#streamEpoch !== epoch) {
      // It has not heard of the new epoch, or belongs to an earlier identity.
      this.#streamEpoch = null;
      this.#stream.open();
    }
    if (this.#tabs.leading && list.length) {
      this.#tabs.say({ type: 'polled', epoch, operations: list });
    }
    this.#tell(changes, removed, loaded);
    return true;
  }

  /**
   * @param {Problem | null} problem
   * @param {number} retryMillis
   */
  #onListEnded(problem, retryMillis) {
    if (problem?.status === 401) {
      void this.#renewIdentity().then((renewed) => {
        if (!renewed) {
          this.#shared.reached = false;
          this.#changed();
        }
      });
      return;
    }
    this.#shared.reached = !problem;
    if (!problem) {
      this.#renewedAt = -Infinity;
      this.#acks.flush();
    } else if (problem.status === 400) {
      // A cursor that this server does not know as one.
      this.#operations.advance(null);
    }
    this.#changed();
    if (problem) {
      this.#tellProblem(problem, 'retry', retryMillis);
    }
  }

  /** ms until the next list */
  #interval() {
    const { degradedPollMillis, pendingPollMillis, idlePollMillis } = this.#settings;
    const { ready, reached } = this.#facts();
    if (this.#tabs.following && this.#operations.loaded) {
      // The leader polls for all.
      return Infinity;
    }
    if (!ready) {
      return reached === null ? FIRST_POLL_MILLIS : degradedPollMillis;
    }
    return this.#operations.hasPending() ? pendingPollMillis : idlePollMillis;
  }

  /**
   * @param {any} received
   * @param {number} restarts before it was asked for
   * @returns {Operation}
   */
  #onCreated(received, restarts) {
    if (typeof received?.operationId !== 'string') {
      throw new Problem('the answer is not an operation');
    }
    const { epoch, all } = this.#operations;
    const created = { ...received, via: 'created', receivedAt: this.#settings.clock.date() };
    if (epoch === null || this.#operations.restarts !== restarts) {
      // It may belong to an epoch that is over: the list knows.
      void this.#reconciler.now();
    } else {
      this.#tabs.say({ type: 'created', epoch, operations: [received] });
      this.#tell(this.#operations.merge(received, 'created'));
    }
    return all.get(received.operationId) ?? Object.freeze(created);
  }

  /** @param {any} message of another tab */
  #hearTab(message) {
    const { type, epoch, operations } = message;
    switch (type) {
      case 'hello':
        if (this.#tabs.leading) {
          this.#tabs.say({ type: 'shared', shared: this.#facts(), welcome: true });
        }
        break;
      case 'shared':
        this.#shared = { ...this.#shared, ...message.shared };
        this.#tabs.silentMillis = this.#shared.silentMillis;
        if (message.welcome && !this.#operations.loaded) {
          void this.#reconciler.now();
        }
        this.#tell([]);
        break;
      case 'polled':
      case 'created':
        if (epoch === this.#operations.epoch) {
          const via = type === 'polled' ? 'poll' : 'created';
          this.#tell(
            operations.flatMap((/** @type {Received} */ it) => this.#operations.merge(it, via)),
          );
          if (via === 'poll') {
            operations.forEach((/** @type {Received} */ it) => this.#ack(it, via));
          }
        } else {
          this.#reconciler.soon();
        }
        break;
      case 'acked':
        if (epoch === this.#operations.epoch) {
          this.#acks.forget(message.acks);
        }
        break;
      case 'problem':
        this.#emit('problem', message.event);
        break;
      case 'identity':
        this.#startAnew();
        break;
      case 'drop':
        this.#stream.drop();
        break;
      case 'ready':
      case 'update':
      case 'reset':
      case 'heartbeat':
        this.#hear(type, message.text, message.id);
        break;
      default:
      // A tab with a newer version of this module knows more.
    }
  }

  /** @param {string} epoch */
  #enter(epoch) {
    if (epoch !== this.#operations.epoch) {
      this.#acks.clear();
      this.#operations.restart(epoch);
    }
  }

  /**
   * @param {Received} received
   * @param {AckVia} via
   */
  #ack({ operationId, version }, via) {
    // What a tab finds when it comes later, the leader has acked.
    if (!this.#tabs.following || this.#operations.loaded) {
      this.#acks.add({ operationId, version, via });
    }
  }

  /** @param {Ack[]} acks */
  #onAcksDone(acks) {
    if (acks.length) {
      this.#tabs.say({ type: 'acked', epoch: this.#operations.epoch, acks });
    }
    this.#changed();
  }

  /** @param {Problem} problem */
  #onAcksRefused(problem) {
    if (problem.status === 401) {
      void this.#renewIdentity();
    } else {
      this.#tellProblem(problem, 'drop');
    }
  }

  // Identity

  /** @returns {Promise<boolean>} whether there is another one; never rejects */
  #renewIdentity() {
    this.#renewing ??= this.#takeIdentity().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #takeIdentity() {
    const { clock } = this.#settings;
    if (clock.now() - this.#renewedAt < IDENTITY_MILLIS) {
      this.#tellProblem(new Problem('the new identity is not accepted', 401), 'give-up');
      return false;
    }
    try {
      await this.#askIdentity();
    } catch (error) {
      this.#tellProblem(Problem.of(error), 'retry');
      return false;
    }
    this.#renewedAt = clock.now();
    this.#tabs.say({ type: 'identity' });
    const { epoch } = this.#operations;
    this.#startAnew();
    if (epoch) {
      this.#tellProblem(new Problem('the identity was not accepted any more', 401), 'start-anew');
    }
    return true;
  }

  /**
   * Tabs ask one after the other: whoever has an identity by then keeps it. One that is frozen while
   * it asks is not waited for longer than a request may take.
   */
  async #askIdentity() {
    const { clock, locks, requestMillis } = this.#settings;
    const ask = () => this.#http.send('POST', '/api/identity');
    const patience = new AbortController();
    const timer = new Timer(clock, () => patience.abort());
    timer.start(requestMillis);
    let asked = false;
    const next = () => {
      asked = true;
      timer.stop();
      return ask();
    };
    try {
      await (locks ? locks.request('lastmile identity', { signal: patience.signal }, next) : next());
    } catch (error) {
      timer.stop();
      if (asked) {
        throw error;
      }
      await ask();
    }
  }

  /** Another identity is another channel: nothing that is known holds. */
  #startAnew() {
    this.#acks.clear();
    this.#operations.restart(null);
    const removed = this.#operations.prune();
    this.#operations.loaded = false;
    if (this.#running) {
      this.#reconciler.start();
      if (this.#tabs.leading) {
        this.#streamEpoch = null;
        this.#stream.open();
      } else {
        this.#reconciler.soon();
      }
    }
    this.#tell([], removed);
  }

  // What goes out

  /**
   * @param {Change[]} changes
   * @param {Operation[]} [removed]
   * @param {boolean} [recovering] not during a first load: replay and poll count as recovered
   */
  #tell(changes, removed = [], recovering = false) {
    const evicted = this.#operations.evict();
    // Nobody has to hear of what comes and goes at once.
    const gone = evicted.filter((it) => !changes.some((c) => c.operation === it && !c.previous));
    for (const { via } of changes) {
      if (recovering && this.#tabs.leading && (via === 'replay' || via === 'poll')) {
        this.#shared.recovered[via]++;
      }
    }
    this.#changed();
    for (const change of changes) {
      if (!evicted.includes(change.operation)) {
        this.#emit('operation', change);
      }
    }
    for (const operation of [...removed, ...gone]) {
      this.#emit('removed', { operationId: operation.operationId, operation });
    }
  }

  /** Something that depends on the state of things has to be done or told. */
  #changed() {
    this.#reconciler.pace();
    if (!this.#telling) {
      this.#telling = true;
      queueMicrotask(() => {
        this.#telling = false;
        if (this.#tabs.leading) {
          this.#tabs.say({ type: 'shared', shared: this.#facts() });
        }
        this.#emit('connection', this.connection);
      });
    }
    const { ready, reached } = this.#facts();
    const previous = this.#state;
    if (!this.#running) {
      this.#state = 'offline';
    } else if (ready) {
      this.#state = 'live';
    } else {
      this.#state = reached === null ? 'connecting' : reached ? 'degraded' : 'offline';
    }
    if (this.#state !== previous) {
      this.#emit('state', { state: this.#state, previous });
    }
  }

  /**
   * What is so of the browser's stream and acks: here, or as the leader has told. A leader that is
   * not heard any more may be gone, and its stream with it.
   */
  #facts() {
    return this.#tabs.leading
      ? {
          ...this.#shared,
          ready: this.#stream.ready,
          acksPending: this.#acks.pending,
          acksDropped: this.#acks.dropped,
        }
      : { ...this.#shared, ready: this.#shared.ready && this.#tabs.following };
  }

  /**
   * @param {Problem} problem
   * @param {ProblemEvent['action']} action
   * @param {number} [retryMillis]
   */
  #tellProblem({ message: title, status, retryAfterSeconds: wanted }, action, retryMillis) {
    const pause = retryMillis === undefined ? wanted : Math.ceil(retryMillis / 1_000);
    /** @type {ProblemEvent} */
    const event = {
      title,
      ...(status !== undefined && { status }),
      ...(pause !== undefined && { retryAfterSeconds: pause }),
      action,
    };
    if (this.#tabs.leading) {
      this.#tabs.say({ type: 'problem', event });
    }
    this.#emit('problem', event);
  }

  /**
   * @template {keyof Events} T
   * @param {T} type
   * @param {Events[T]} event
   */
  #emit(type, event) {
    const listeners = this.#listeners[type];
    for (const listener of [...listeners]) {
      try {
        if (listeners.has(listener)) {
          listener(event);
        }
      } catch (error) {
        (globalThis.reportError ?? console.error)(error);
      }
    }
  }
}

/**
 * Opens the stream and keeps what it brings right, until `close`. One client per page is enough.
 *
 * @param {Options} [options]
 * @throws {RangeError} an option is not a number, or is out of its limits
 * @throws {TypeError} another one is not what it must be, or there is no EventSource
 */
export function connect(options = {}) {
  const global = /** @type {any} */ (globalThis);
  const { navigator } = global;
  // What is undefined is as if it were absent.
  const given = /** @type {Partial<All>} */ (
    Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  );
  const numbers = /** @type {Numbers} */ ({});
  for (const name of /** @type {(keyof Numbers)[]} */ (Object.keys(NUMBERS))) {
    const [standard = 0, least = 0, most = 0] = NUMBERS[name];
    const { [name]: value = standard } = given;
    // Not '500' either: what adds to it would append.
    if (!(typeof value === 'number' && value >= least && value <= most)) {
      throw new RangeError(`${name} must be a number from ${least} to ${most}`);
    }
    numbers[name] = value;
  }
  /** @type {Settings & {share: boolean}} */
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
}
