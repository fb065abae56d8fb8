/** Browsers and their tabs, without time or network: everything a client needs is a fake that tests steer. */
import { connect } from './lastmile.js';
import { FakeClock, settled } from './clock.js';
import { Server } from './server.js';

/** One browser: its cookie, its locks and channels are shared by its tabs. */
export class Browser {
  cookie = '';
  locks = new Locks();
  /** @type {Set<any>} */
  channels = new Set();

  /**
   * @param {Server} [server]
   * @param {FakeClock} [clock]
   */
  constructor(server = new Server(), clock = new FakeClock()) {
    this.server = server;
    this.clock = clock;
  }

  /** A browser that has an identity already. */
  static known(server, clock) {
    const browser = new Browser(server, clock);
    browser.cookie = 'known';
    browser.server.identities.add('known');
    return browser;
  }

  tab(options = {}) {
    return new Tab(this, options);
  }
}

/** One tab and its client, which are ready to be used when `opened` has passed. */
export class Tab {
  /** @type {FakeEventSource[]} */
  sources = [];
  /** @type {{type: string, event: any}[]} what the client has told */
  events = [];
  beacons = [];
  /** Whether sendBeacon takes what it is given. */
  takesBeacons = true;
  online = true;
  window = new EventTarget();
  document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  /** @type {(() => void)[] | null} what waits while it is frozen */
  #frozen = null;
  #dead = false;

  constructor(browser, options) {
    this.browser = browser;
    const tab = this;
    const { clock, server } = browser;
    const run = (callback) => {
      if (this.#frozen) {
        this.#frozen.push(callback);
      } else if (!this.#dead) {
        callback();
      }
    };
    this.run = run;
    this.client = connect({
      share: false,
      fetch: (url, init) => this.#fetch(url, init),
      EventSource: class extends FakeEventSource {
        constructor(url) {
          super(url, tab);
        }
      },
      locks: { request: (...request) => browser.locks.request(tab, ...request) },
      BroadcastChannel: class extends Channel {
        constructor(name) {
          super(name, browser, run);
          tab.channel = this;
        }
      },
      sendBeacon: (_, blob) => {
        if (this.takesBeacons) {
          this.beacons.push(blob);
          blob.text().then((text) => server.answer(this.#request('POST /api/acks', '', text)));
        }
        return this.takesBeacons;
      },
      window: this.window,
      document: this.document,
      clock: {
        now: clock.now,
        date: clock.date,
        random: clock.random,
        setTimeout: (callback, millis) => clock.setTimeout(() => run(callback), millis),
        clearTimeout: clock.clearTimeout,
      },
      ...options,
    });
    for (const type of /** @type {const} */ (['state', 'operation', 'removed', 'problem'])) {
      this.client.on(type, (event) => this.events.push({ type, event }));
    }
  }

  /** The newest stream. */
  get source() {
    return /** @type {FakeEventSource} */ (this.sources.at(-1));
  }

  /** @param {string} type */
  told(type) {
    return this.events.filter((it) => it.type === type).map(({ event }) => event);
  }

  show(visible) {
    this.document.visibilityState = visible ? 'visible' : 'hidden';
    this.document.dispatchEvent(new Event('visibilitychange'));
  }

  /** The browser stops running it, as it does with tabs in the background; its locks are kept. */
  freeze() {
    this.#frozen = [];
  }

  /** @param {{lose?: boolean}} [how] whether what waited never comes */
  thaw({ lose = false } = {}) {
    const waiting = lose ? [] : (this.#frozen ?? []);
    this.#frozen = null;
    waiting.forEach((callback) => this.run(callback));
  }

  /** Its process dies: nothing of it runs any more, and the browser takes its locks. */
  crash() {
    this.#dead = true;
    this.sources.forEach((source) => source.close());
    this.channel?.close();
    this.browser.locks.drop(this);
  }

  #request(what, query, text, key) {
    return { what, query, body: text ? JSON.parse(text) : null, cookie: this.browser.cookie, key };
  }

  async #fetch(url, { method, body, headers, signal }) {
    const [path, query = ''] = url.split('?');
    const request = this.#request(`${method} ${path}`, query, body, headers?.['Idempotency-Key']);
    const aborted = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')));
    });
    const answer = this.online
      ? await Promise.race([this.browser.server.answer(request), aborted])
      : await Promise.race([Promise.reject(new TypeError('network')), aborted]);
    const cookie = answer.headers?.['Set-Cookie'];
    if (cookie) {
      this.browser.cookie = cookie.split('=')[1];
    }
    return {
      ok: answer.status < 300,
      status: answer.status,
      headers: new Headers(answer.headers),
      text: async () => answer.text ?? (answer.json === undefined ? '' : JSON.stringify(answer.json)),
    };
  }
}

/** As the HTML standard has it, without a network. */
class FakeEventSource extends EventTarget {
  readyState = 0;
  /** @type {(() => void) | null} */
  onerror = null;
  #lastEventId = '';

  constructor(url, tab) {
    super();
    this.url = url;
    this.tab = tab;
    tab.sources.push(this);
    this.stream = { send: (event) => this.send(event), end: () => this.fail(0) };
    queueMicrotask(() => this.connect());
  }

  /** Asks the server: at first, and again when a test plays the browser's own reconnection. */
  connect() {
    if (this.readyState === 2) {
      return;
    }
    if (!this.tab.online) {
      this.fail(0);
      return;
    }
    const { server, cookie } = this.tab.browser;
    const resume = this.#lastEventId || new URLSearchParams(this.url.split('?')[1]).get('lastEventId');
    if (server.open(this.stream, cookie, resume)) {
      this.readyState = 1;
    } else {
      this.fail(2);
    }
  }

  send({ type, data, id }) {
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    this.tab.run(() => {
      if (this.readyState !== 2) {
        this.#lastEventId = id ?? this.#lastEventId;
        this.dispatchEvent(new MessageEvent(type, { data: text, lastEventId: this.#lastEventId }));
      }
    });
  }

  /** @param {0 | 2} readyState whether the browser reconnects by itself */
  fail(readyState) {
    this.tab.browser.server.streams.delete(this.stream);
    this.tab.run(() => {
      if (this.readyState !== 2) {
        this.readyState = readyState;
        this.onerror?.();
      }
    });
  }

  close() {
    this.readyState = 2;
    this.tab.browser.server.streams.delete(this.stream);
  }
}

export class Channel {
  /** @type {((event: {data: any}) => void) | null} */
  onmessage = null;

  constructor(name, browser, run) {
    this.name = name;
    this.browser = browser;
    this.run = run;
    browser.channels.add(this);
  }

  postMessage(message) {
    for (const other of this.browser.channels) {
      if (other !== this && other.name === this.name) {
        const data = structuredClone(message);
        queueMicrotask(() => other.run(() => other.onmessage?.({ data })));
      }
    }
  }

  close() {
    this.onmessage = null;
    this.browser.channels.delete(this);
  }
}

/** Web Locks, exclusive ones: a queue per name. */
class Locks {
  /** @type {Map<string, any[]>} the first one holds it */
  #queues = new Map();

  request(tab, name, options, callback = options) {
    const { steal = false, signal = undefined } = typeof options === 'object' ? options : {};
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, queue);
      const entry = { tab, callback, held: false, resolve, reject };
      signal?.addEventListener('abort', () => {
        if (!entry.held && queue.includes(entry)) {
          queue.splice(queue.indexOf(entry), 1);
          reject(new DOMException('aborted', 'AbortError'));
        }
      });
      if (steal) {
        const holder = queue.shift();
        holder?.tab.run(() => holder.reject(new DOMException('stolen', 'AbortError')));
        queue.unshift(entry);
      } else {
        queue.push(entry);
      }
      this.#grant(queue);
    });
  }

  /** What a dead tab held or wanted. */
  drop(tab) {
    for (const queue of this.#queues.values()) {
      queue.splice(0, queue.length, ...queue.filter((entry) => entry.tab !== tab));
      this.#grant(queue);
    }
  }

  #grant(queue) {
    const [first] = queue;
    if (!first || first.held) {
      return;
    }
    first.held = true;
    queueMicrotask(() =>
      first.tab.run(async () => {
        try {
          first.resolve(await first.callback());
        } catch (error) {
          first.reject(error);
        } finally {
          if (queue.includes(first)) {
            queue.splice(queue.indexOf(first), 1);
            this.#grant(queue);
          }
        }
      }),
    );
  }
}

/** A tab whose stream is ready. */
export async function opened(server = new Server(), options = {}) {
  const browser = Browser.known(server);
  const tab = browser.tab(options);
  await settled();
  const { clock } = browser;
  return { server, browser, tab, clock, client: tab.client };
}

/**
 * Answers a request only when told to, with what was true when it came.
 *
 * @param {Server} server
 * @param {string} what
 * @param {() => any} [instead] the answer
 * @returns {() => Promise<void>}
 */
export function hold(server, what, instead) {
  let release = () => {};
  const released = new Promise((resolve) => (release = () => resolve(undefined)));
  server.faults.set(what, async (next) => {
    server.faults.delete(what);
    const answer = structuredClone(await (instead ?? next)());
    await released;
    return answer;
  });
  return async () => {
    release();
    await settled();
  };
}

export { settled };
