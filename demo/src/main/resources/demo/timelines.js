// @ts-check
/**
 * Fetches the timelines of visible operations, at most two at a time: shortly after each change, and
 * every 2 s while one is pending. So a page that receives no updates still shows the progress.
 */

const AT_ONCE = 2;
/** Delay after a change, in which the ack usually arrives. */
const FIRST_MILLIS = 500;
const PENDING_MILLIS = 2_000;
/** Delays of further fetches of a final operation, if its ack was not in the timeline. */
const AGAIN_MILLIS = [2_000, 6_000];
const MOST_WAITING = 40;

/** @typedef {{version: number, final: boolean, tries: number, timer: number}} Wanted */

export class Timelines {
  #server;
  #found;
  /** @type {Map<string, Wanted>} */
  #wanted = new Map();
  /** @type {string[]} */
  #queue = [];
  #running = 0;

  /**
   * @param {import('./server.js').Server} server
   * @param {(operationId: string, hops: import('./hops.js').Passed[]) => void} found
   */
  constructor(server, found) {
    this.#server = server;
    this.#found = found;
  }

  /**
   * Schedules the timeline of a version that has just arrived.
   *
   * @param {string} operationId
   * @param {number} version
   * @param {boolean} final
   */
  want(operationId, version, final) {
    this.forget(operationId);
    this.#later(operationId, version, final, 0, FIRST_MILLIS);
  }

  /** @param {string} operationId */
  forget(operationId) {
    clearTimeout(this.#wanted.get(operationId)?.timer);
    this.#wanted.delete(operationId);
  }

  /**
   * @param {string} operationId
   * @param {number} version
   * @param {boolean} final
   * @param {number} tries
   * @param {number} pause ms
   */
  #later(operationId, version, final, tries, pause) {
    const timer = setTimeout(() => {
      if (!this.#queue.includes(operationId) && this.#queue.length < MOST_WAITING) {
        this.#queue.push(operationId);
      }
      void this.#work();
    }, pause);
    this.#wanted.set(operationId, { version, final, tries, timer });
  }

  async #work() {
    if (this.#running >= AT_ONCE) {
      return;
    }
    this.#running++;
    for (let id = this.#queue.shift(); id; id = this.#queue.shift()) {
      const wanted = this.#wanted.get(id);
      if (wanted) {
        await this.#fetch(id, wanted);
      }
    }
    this.#running--;
  }

  /** @param {string} id @param {Wanted} wanted */
  async #fetch(id, wanted) {
    let complete = false;
    try {
      const { hops } = await this.#server.timeline(id);
      complete = hops.some(
        (/** @type {import('./hops.js').Passed} */ it) =>
          it.version === wanted.version && it.hop === 'client_acked',
      );
      this.#found(id, hops);
    } catch {
      // Fetched again below. The state itself does not depend on timelines.
    }
    if (this.#wanted.get(id) !== wanted) {
      return;
    }
    this.#wanted.delete(id);
    const { version, final, tries } = wanted;
    const pause = final ? AGAIN_MILLIS[tries] : PENDING_MILLIS;
    if (pause && !(final && complete)) {
      this.#later(id, version, final, tries + 1, pause);
    }
  }
}
