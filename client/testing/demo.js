/** What the demo's own endpoints answer, as the page knows them. Tests change it. */
const EXTERNAL = ['duplicate-callbacks', 'reorder-callbacks', 'lose-callbacks', 'slow-external'];
const OF_REPLICAS = ['local-only', 'broadcast', 'deaf', 'refuse-callbacks'];

export class Demo {
  replicas = ['replica-1', 'replica-2', 'replica-3'];
  redis = true;
  /** Whether a replica answers at all. */
  reachable = true;
  /** @type {Set<string> | null} faults of the external system; null: it does not say */
  external = new Set();
  /** @type {Map<string, Set<string>>} the replicas that have a fault */
  faults = new Map();
  /** @type {string[]} replicas that play a slow reader */
  slow = [];
  /** @type {any[]} */
  expired = [];
  total = { expected: 0, delivered: 0, not_received: 0 };
  /** @type {Map<string, any>} operation id -> its timeline, or a promise of it */
  timelines = new Map();
  /** @type {string[]} */
  requests = [];

  /** @param {string} method @param {string} url */
  async answer(method, url) {
    const { pathname, searchParams } = new URL(url, 'http://here');
    this.requests.push(`${method} ${url}`);
    if (!this.reachable) {
      throw new TypeError('network');
    }
    const [, timeline] = /^\/api\/operations\/([^/]+)\/timeline$/.exec(pathname) ?? [];
    if (timeline) {
      return (await this.timelines.get(timeline)) ?? { correlationId: 'none', hops: [] };
    }
    const [, fault] = /^\/api\/demo\/faults\/(.+)$/.exec(pathname) ?? [];
    if (fault) {
      this.switch(fault, method === 'PUT', searchParams.get('replica'));
      return { faults: this.#listed() };
    }
    return pathname === '/api/demo/slow-reader' ? void this.slow.push('replica-1') : this.#account();
  }

  /** @param {string} fault @param {boolean} on @param {string | null} [replica] all if absent */
  switch(fault, on, replica) {
    if (EXTERNAL.includes(fault)) {
      this.external?.[on ? 'add' : 'delete'](fault);
      return;
    }
    const having = this.faults.get(fault) ?? new Set();
    (replica ? [replica] : this.replicas).forEach((it) => having[on ? 'add' : 'delete'](it));
    this.faults.set(fault, having);
  }

  #listed() {
    return [
      ...OF_REPLICAS.map((name) => {
        const replicas = [...(this.faults.get(name) ?? [])];
        return { name, scope: 'replicas', on: replicas.length > 0, replicas };
      }),
      ...EXTERNAL.map((name) => {
        const on = this.external && this.external.has(name);
        return { name, scope: 'external', on, replicas: [] };
      }),
    ];
  }

  #account() {
    const { redis, expired, total } = this;
    return {
      answeredBy: 'replica-1',
      deliveries: { redis, outstanding: 0, oldestOutstandingSeconds: 0, expired: redis ? expired : [] },
      total,
      approximate: { hops: {}, naiveGap: 0 },
      replicas: (redis ? this.replicas : ['replica-1']).map((replica) => this.#summary(replica)),
      faults: redis ? this.#listed() : null,
      grafanaUrl: null,
    };
  }

  /** @param {string} replica */
  #summary(replica) {
    const faults = OF_REPLICAS.filter((name) => this.faults.get(name)?.has(replica));
    return {
      replica,
      coordination: ['local-only', 'broadcast'].find((mode) => faults.includes(mode)) ?? 'directed',
      hearing: 'receiving',
      canaryAgeSeconds: 0.1,
      connections: 0,
      faults: [...faults, ...(this.slow.includes(replica) ? ['slow-reader'] : [])],
    };
  }
}
