// @ts-check
/** Reads the account of the cluster every second, or every 15 s in a hidden tab. */

/**
 * @typedef {object} Fault
 * @property {string} name
 * @property {'replicas' | 'external'} scope
 * @property {boolean | null} on null: the external system does not answer
 * @property {string[]} replicas where it is on
 */

/**
 * @typedef {object} ReplicaSummary
 * @property {string} replica
 * @property {'directed' | 'broadcast' | 'local-only'} coordination
 * @property {string} hearing
 * @property {number} canaryAgeSeconds
 * @property {number} connections
 * @property {string[]} faults
 */

/**
 * @typedef {object} Expired
 * @property {string} at
 * @property {string} reason
 * @property {string} replica
 * @property {string} operationId
 * @property {number} version
 * @property {string} correlationId
 * @property {string} traceId
 */

/**
 * @typedef {object} Account
 * @property {string} answeredBy
 * @property {{redis: boolean, outstanding: number, oldestOutstandingSeconds: number, expired: Expired[]}} deliveries
 * @property {Record<string, number>} total
 * @property {{hops: Record<string, Record<string, number>>, naiveGap: number}} approximate
 * @property {ReplicaSummary[]} replicas
 * @property {Fault[] | null} faults
 * @property {string | null} grafanaUrl
 */

const POLL_MILLIS = 1_000;
const POLL_HIDDEN_MILLIS = 15_000;
const PATIENCE_MILLIS = 4_000;
/** Accounts that were requested earlier than this after a switch may have the old faults. */
const SETTLE_MILLIS = 300;

export class Server {
  /** @type {Set<(account: Account | null, problem: string | null) => void>} */
  #listeners = new Set();
  #timer = 0;
  #asking = false;
  #switchedAt = -Infinity;
  /** @type {Account | null} */
  account = null;

  start() {
    document.addEventListener('visibilitychange', () => this.refresh());
    addEventListener('online', () => this.refresh());
    this.refresh();
  }

  /** @param {(account: Account | null, problem: string | null) => void} listener */
  onAccount(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Requests the account now, unless a request is in progress. */
  refresh() {
    clearTimeout(this.#timer);
    if (!this.#asking) {
      void this.#ask();
    }
  }

  async #ask() {
    this.#asking = true;
    const begun = performance.now();
    try {
      const account = await request('GET', '/api/demo/account');
      const overtaken = begun < this.#switchedAt + SETTLE_MILLIS && this.account?.faults;
      // Without Redis the faults are unknown: the last known ones stay.
      const known = overtaken || !account.faults;
      this.account = known ? { ...account, faults: this.account?.faults ?? account.faults } : account;
      this.#tell(null);
    } catch (error) {
      this.#tell(error instanceof Error ? error.message : String(error));
    } finally {
      this.#asking = false;
      clearTimeout(this.#timer);
      const pause = document.visibilityState === 'hidden' ? POLL_HIDDEN_MILLIS : POLL_MILLIS;
      this.#timer = setTimeout(() => this.refresh(), pause);
    }
  }

  /** @param {string | null} problem */
  #tell(problem) {
    this.#listeners.forEach((listener) => listener(this.account, problem));
  }

  /**
   * Switches a fault, and updates the account from the response.
   *
   * @param {string} name
   * @param {boolean} on
   * @param {string} [replica] all replicas if absent
   */
  async switchFault(name, on, replica) {
    const where = replica ? `?replica=${encodeURIComponent(replica)}` : '';
    const listed = await request(on ? 'PUT' : 'DELETE', `/api/demo/faults/${name}${where}`);
    this.#switchedAt = performance.now();
    if (this.account) {
      this.account = { ...this.account, faults: listed.faults };
      this.#tell(null);
    }
  }

  /** Switches off all faults that are on. */
  async switchAllOff() {
    for (const fault of this.account?.faults ?? []) {
      if (fault.on) {
        await this.switchFault(fault.name, false);
      }
    }
  }

  /** Lets a replica open a stream that is not read. */
  openSlowReader() {
    return request('POST', '/api/demo/slow-reader');
  }

  /** @param {string} operationId */
  timeline(operationId) {
    return request('GET', `/api/operations/${operationId}/timeline`);
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @returns {Promise<any>}
 */
async function request(method, path) {
  const response = await fetch(path, {
    method,
    cache: 'no-store',
    signal: AbortSignal.timeout(PATIENCE_MILLIS),
  }).catch(() => {
    throw new Error('the server cannot be reached');
  });
  const answer = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) {
    throw new Error(answer?.detail ?? answer?.title ?? `status ${response.status}`);
  }
  return answer;
}
