// @ts-check
/** Plays the whole story: each step switches something, waits for what has to be seen, and says so. */
import { announce, attribute, byId, counted, text } from './dom.js';

/** @typedef {import('/lastmile.js').Operation} Operation */

/** As the document has them. */
const STEPS = ['single', 'silent', 'reconcile', 'broadcast', 'directed', 'healthy'];

const LOOK_MILLIS = 100;
const PATIENCE_MILLIS = 25_000;
const READ_MILLIS = 2_500;
/** Reports of each operation of the story. */
const REPORTS = 4;
const QUICK_MILLIS = 2_400;
/** Where most replicas refuse a callback, it may need a few tries, and is not to be overtaken. */
const PATIENT_MILLIS = 5_200;

class Stopped extends Error {}

export class Story {
  #client;
  #server;
  #operations;
  /** The run that the button stops; null when it plays a new one. @type {{stopped: boolean} | null} */
  #latest = null;
  /** The run whose steps are played; the one before has ended. */
  #played = { stopped: false };
  /** When the latest run has ended. @type {Promise<void>} */
  #over = Promise.resolve();

  /**
   * @param {import('./operations.js').Client} client
   * @param {import('./server.js').Server} server
   * @param {import('./operations.js').OperationsSection} operations
   */
  constructor(client, server, operations) {
    this.#client = client;
    this.#server = server;
    this.#operations = operations;
    byId('story-play').addEventListener('click', () =>
      this.#latest ? this.#stop() : void this.#play(),
    );
  }

  #stop() {
    if (this.#latest) {
      this.#latest.stopped = true;
      this.#latest = null;
    }
    text(byId('story-play'), 'Play the story');
  }

  /** A run that was stopped ends at its next look, and heals; only then does the next one begin. */
  async #play() {
    const run = { stopped: false };
    this.#latest = run;
    text(byId('story-play'), 'Stop the story');
    const before = this.#over;
    this.#over = before.then(() => this.#playWhole(run));
    await this.#over;
    if (this.#latest === run) {
      this.#stop();
    }
  }

  /** @param {{stopped: boolean}} run */
  async #playWhole(run) {
    if (run.stopped) {
      return;
    }
    this.#played = run;
    for (const id of STEPS) {
      this.#mark(id, 'ahead', ' ');
    }
    try {
      const lostBefore = this.#lost();
      await this.#single();
      const silent = await this.#silent();
      await this.#reconciled(silent);
      await this.#fannedOut('broadcast');
      await this.#fannedOut('directed');
      await this.#healthy(lostBefore);
      announce('The story is over: all is well.');
    } catch (error) {
      if (!(error instanceof Stopped)) {
        const now = document.querySelector('[data-step=now] .seen');
        const why = error instanceof Error ? error.message : String(error);
        text(now ?? byId('story-play'), `The story stops here: ${why}.`);
        announce(`The story stops: ${why}.`);
      }
      await this.#server.switchAllOff().catch(() => {});
    }
  }

  async #single() {
    this.#begin('single');
    await this.#server.switchAllOff();
    const mine = this.#mine();
    await this.#server.switchFault('local-only', true);
    for (const it of this.#replicas()) {
      if (it !== mine) {
        await this.#server.switchFault('refuse-callbacks', true, it);
      }
    }
    await this.#applied((it) => it.coordination === 'local-only' && refuses(it) !== (it.replica === mine));
    const started = await this.#start(1, PATIENT_MILLIS);
    await this.#until('its end', () => this.#ended(started));
    this.#mark('single', 'done', `${this.#live(started)} reports came live.`);
    await this.#pause(READ_MILLIS);
  }

  async #silent() {
    this.#begin('silent');
    const mine = this.#mine();
    for (const it of this.#replicas()) {
      await this.#server.switchFault('refuse-callbacks', it === mine, it);
    }
    await this.#applied((it) => it.coordination === 'local-only' && refuses(it) === (it.replica === mine));
    // From now on ten seconds pass until the page asks by itself.
    await this.#client.reconcile();
    const lost = this.#lost();
    const started = await this.#start(3, QUICK_MILLIS);
    await this.#until('the ledger to give up', () => this.#lost() >= lost + started.length * REPORTS || this.#ended(started));
    const live = this.#learnt(started, 'live') || 'No';
    this.#mark(
      'silent',
      'done',
      `${live} report came live. No error anywhere, but the ledger says: ${this.#lost() - lost} lost.`,
    );
    return started;
  }

  /** @param {Operation[]} started */
  async #reconciled(started) {
    this.#begin('reconcile');
    await this.#until('the page to ask', () => this.#ended(started));
    const polled = started.filter((it) => this.#now(it)?.via === 'poll').length;
    this.#mark('reconcile', 'done', `${polled} of ${started.length} operations brought to their end by poll, without a reload.`);
    await this.#pause(READ_MILLIS);
  }

  /** @param {'broadcast' | 'directed'} mode */
  async #fannedOut(mode) {
    this.#begin(mode);
    await this.#server.switchAllOff();
    if (mode === 'broadcast') {
      await this.#server.switchFault('broadcast', true);
    }
    await this.#applied((it) => it.coordination === mode && it.hearing === 'receiving' && !refuses(it));
    await this.#until('the stream', () => this.#client.state === 'live');
    const started = await this.#start(3, QUICK_MILLIS);
    await this.#until('their end', () => this.#ended(started));
    this.#mark(mode, 'done', `${this.#live(started)} reports came live, from whichever replica.`);
    await this.#pause(READ_MILLIS);
  }

  /** @param {number} lostBefore */
  async #healthy(lostBefore) {
    this.#begin('healthy');
    await this.#until('the books', () => this.#server.account?.deliveries.outstanding === 0);
    const lost = this.#lost() - lostBefore;
    const missed = lost ? `${counted(lost, 'delivery', 'deliveries')} lost on the way, the last of them named below` : 'nothing lost';
    this.#mark('healthy', 'done', `${missed}; no page was wrong at the end.`);
  }

  // What is so

  #mine() {
    const { replica } = this.#client.connection;
    if (!replica || this.#client.state === 'offline') {
      throw new Error('there is no stream');
    }
    return replica;
  }

  #replicas() {
    return this.#server.account?.replicas.map((it) => it.replica) ?? [];
  }

  #lost() {
    /** @type {Record<string, number>} */
    const total = this.#server.account?.total ?? {};
    return (total.not_received ?? 0) + (total.owner_gone ?? 0);
  }

  /** @param {Operation | undefined} it */
  #now(it) {
    return it && this.#client.operations.get(it.operationId);
  }

  /** @param {(Operation | undefined)[]} started */
  #ended(started) {
    return started.every((it) => /SUCCEEDED|FAILED/.test(this.#now(it)?.status ?? ''));
  }

  /** Reports that came in a way. @param {(Operation | undefined)[]} started @param {string} via */
  #learnt(started, via) {
    return started
      .flatMap((it) => (it ? this.#operations.trail(it.operationId) : []))
      .filter((it) => it.version > 1 && it.via === via).length;
  }

  /** How many of the reports that were stored came live. @param {Operation[]} ended */
  #live(ended) {
    const stored = ended.reduce((n, it) => n + (this.#now(it)?.version ?? 1) - 1, 0);
    return `${this.#learnt(ended, 'live')} of ${stored}`;
  }

  // What is done

  /** @param {number} count @param {number} durationMillis */
  async #start(count, durationMillis) {
    const input = { steps: REPORTS, durationMillis, fail: false };
    const started = await this.#operations.start(count, input);
    if (started.length < count) {
      throw new Error('the operations could not be started');
    }
    return started;
  }

  /** @param {(it: import('./server.js').ReplicaSummary) => boolean} wanted of every replica */
  #applied(wanted) {
    return this.#until('the replicas', () => {
      const { replicas = [] } = this.#server.account ?? {};
      return replicas.length > 0 && replicas.every(wanted);
    });
  }

  /** @param {string} what @param {() => boolean} so */
  async #until(what, so) {
    const until = performance.now() + PATIENCE_MILLIS;
    while (!so()) {
      if (performance.now() > until) {
        throw new Error(`${what} did not come`);
      }
      await this.#pause(LOOK_MILLIS);
    }
  }

  /** @param {number} millis */
  async #pause(millis) {
    await new Promise((resolve) => setTimeout(resolve, millis));
    if (this.#played.stopped) {
      throw new Stopped();
    }
  }

  /** @param {string} id */
  #begin(id) {
    this.#mark(id, 'now', 'under way …');
    const [title, says] = byId(`step-${id}`).children;
    announce(`${title.textContent}: ${says.textContent}`);
  }

  /** @param {string} id @param {'ahead' | 'now' | 'done'} step @param {string} seen */
  #mark(id, step, seen) {
    const node = byId(`step-${id}`);
    attribute(node, 'data-step', step);
    attribute(node, 'aria-current', step === 'now' ? 'step' : null);
    if (step === 'now') {
      // On a phone the steps stand side by side.
      node.parentElement.parentElement.scrollTo({ left: node.offsetLeft - 16 });
    }
    text(node.querySelector('.seen'), seen);
  }
}

/** @param {import('./server.js').ReplicaSummary} it */
const refuses = (it) => it.faults.includes('refuse-callbacks');
