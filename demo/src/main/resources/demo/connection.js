// @ts-check
/** The section “My connection”: the state of the connection, and buttons that break it. */
import { announce, attribute, byId, counted, el, enable, onPress, text } from './dom.js';

const SLEEP_SECONDS = 30;
/** A problem that does not recur is hidden after this time. */
const HINT_SECONDS = 15;

const DETAILS = {
  connecting: 'to a replica',
  live: 'updates are pushed',
  degraded: 'we ask instead',
  offline: 'no replica answers',
};

const PAUSED = 'This tab sleeps: it has no stream, asks for nothing and starts nothing.';
const ANEW = 'Your identity was not accepted any more; you have a new one, and none of the old operations.';

/** The names of the facts, in their order on the page. */
const FACTS = [
  'State',
  'Replica',
  'Last heartbeat',
  'Cursor',
  'Reconnects',
  'Recovered',
  'Acks under way',
  'This tab',
];

export class ConnectionSection {
  #client;
  /** @type {Map<string, HTMLElement>} */
  #values = new Map();
  #wakesAt = 0;
  /** The hint if there is neither a problem nor a notice. */
  #usual = byId('connection-hint').textContent;
  /** The latest problem; it is removed when the connection is live again. @type {string | null} */
  #problem = null;
  /** When the problem is removed if the connection stayed live. */
  #problemEndsAt = 0;
  /** A notice that stays until the next problem. @type {string | null} */
  #notice = null;

  /** @param {import('./operations.js').Client} client */
  constructor(client) {
    this.#client = client;
    for (const name of FACTS) {
      const value = el('dd', {}, '–');
      this.#values.set(name, value);
      byId('facts').append(el('div', {}, el('dt', {}, name), value));
    }
    onPress(byId('drop'), () => client.drop());
    onPress(byId('sleep'), () => this.#sleep());
    onPress(byId('offline'), () => this.#switchOffline());
    client.on('connection', () => this.#show());
    client.on('state', ({ state }) => {
      if (state === 'live') {
        this.#problem = null;
      }
      this.#show();
    });
    client.on('problem', (problem) => this.#onProblem(problem));
    setInterval(() => this.#tick(), 1_000);
    this.#show();
  }

  #sleep() {
    this.#wakesAt = performance.now() + SLEEP_SECONDS * 1_000;
    this.#client.pause();
    announce(`Asleep for ${SLEEP_SECONDS} seconds.`);
    this.#tick();
  }

  /** @param {import('/lastmile.js').ProblemEvent} problem */
  #onProblem({ title, action, retryAfterSeconds: seconds }) {
    const again = seconds && action !== 'give-up' ? ` It tries again in ${seconds} s.` : '';
    const anew = action === 'start-anew';
    this.#notice = anew ? ANEW : null;
    this.#problem = anew ? null : `The client met a problem: ${title}.${again}`;
    this.#problemEndsAt = performance.now() + Math.max(HINT_SECONDS, 2 * (seconds ?? 0)) * 1_000;
    this.#show();
  }

  #switchOffline() {
    const offline = !this.#offline;
    this.#wakesAt = 0;
    attribute(byId('offline'), 'aria-pressed', String(offline));
    text(byId('offline'), offline ? 'Come back' : 'Go offline');
    if (offline) {
      this.#client.pause();
    } else {
      this.#client.resume();
    }
    this.#tick();
  }

  /** Once a second: updates everything that changes with time. */
  #tick() {
    const left = Math.ceil((this.#wakesAt - performance.now()) / 1_000);
    if (this.#wakesAt && left <= 0) {
      this.#wakesAt = 0;
      this.#client.resume();
      announce('Awake again.');
    }
    const asleep = this.#wakesAt > 0;
    text(byId('sleep'), asleep ? `Asleep, ${left} s` : `Sleep for ${SLEEP_SECONDS} s`);
    enable(byId('sleep'), !asleep && !this.#offline);
    enable(byId('offline'), !asleep);
    if (this.#client.state === 'live' && performance.now() > this.#problemEndsAt) {
      this.#problem = null;
    }
    this.#show();
  }

  /** Whether its button has switched the client offline. */
  get #offline() {
    return byId('offline').getAttribute('aria-pressed') === 'true';
  }

  #show() {
    const { state, connection, paused } = this.#client;
    const { replica, cursor, reconnects, recovered, acksPending } = connection;
    const live = state === 'live';
    const detail = paused ? 'as you wished' : DETAILS[state];
    text(
      byId('connection-hint'),
      paused ? PAUSED : (this.#problem ?? this.#notice ?? this.#usual),
    );
    attribute(byId('state'), 'data-state', state);
    text(byId('state-word'), state);
    text(byId('state-detail'), live && replica ? `on ${replica}` : detail);
    enable(byId('drop'), live);
    this.#fact('State', `${state}: ${detail}`);
    this.#fact('Replica', replica ? (live ? replica : `none, last ${replica}`) : 'none yet');
    this.#fact('Cursor', cursor ?? 'none yet');
    this.#fact('Reconnects', String(reconnects));
    this.#fact(
      'Recovered',
      recovered.replay + recovered.poll
        ? `${recovered.replay} by replay, ${recovered.poll} by poll`
        : 'nothing had to be',
    );
    this.#fact('Acks under way', String(acksPending));
    this.#fact('This tab', this.#role());
    this.#showHeartbeat();
  }

  #role() {
    const { paused, connection } = this.#client;
    if (paused) {
      return 'sleeps';
    }
    if (connection.leader) {
      return 'holds the stream';
    }
    return connection.following ? 'listens to another tab' : 'looks for the stream';
  }

  #showHeartbeat() {
    const { lastHeartbeatAt } = this.#client.connection;
    const age = lastHeartbeatAt ? Math.round((Date.now() - lastHeartbeatAt) / 1_000) : null;
    this.#fact(
      'Last heartbeat',
      age === null ? 'none yet' : age < 1 ? 'just now' : `${counted(age, 'second')} ago`,
    );
  }

  /** @param {string} name @param {string} value */
  #fact(name, value) {
    const node = this.#values.get(name);
    if (node) {
      text(node, value);
    }
  }
}
