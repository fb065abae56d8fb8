/** The client's state, the facts that it follows from, and the listeners that are told. */

/** @import {Events, Notifier, Parts, ProblemEvent, Status} from './types.js' */

/** @type {(parts: Parts) => Status} */
export const createStatus = (parts) => {
  let queued = false;

  /** @type {Status} */
  const status = {
    state: 'connecting',
    shared: {
      ready: false,
      reached: null,
      replica: null,
      lastHeartbeatAt: null,
      silentMillis: 25_000,
      readies: 0,
      recovered: { replay: 0, poll: 0 },
      acksPending: 0,
      acksDropped: 0,
    },

    get facts() {
      const { acks, stream, tabs } = parts;
      const { shared } = status;
      // A leader that sends nothing any more may be gone, and its stream with it.
      return tabs.leading
        ? { ...shared, ready: stream.ready, acksPending: acks.pending, acksDropped: acks.dropped }
        : { ...shared, ready: shared.ready && tabs.following };
    },

    get connection() {
      const { ready, reached, silentMillis, readies, recovered, ...facts } = status.facts;
      const { epoch, cursor } = parts.operations;
      const reconnects = Math.max(0, readies - 1);
      const { leading: leader, following } = parts.tabs;
      return { ...facts, epoch: epoch && epoch.slice(0, 16), cursor, reconnects, leader, following, recovered: { ...recovered } };
    },

    changed() {
      const { lifecycle, notifier, reconciler, tabs } = parts;
      reconciler.schedule();
      if (!queued) {
        queued = true;
        queueMicrotask(() => {
          queued = false;
          if (tabs.leading) {
            tabs.send({ type: 'shared', shared: status.facts });
          }
          notifier.emit('connection', status.connection);
        });
      }
      const { ready, reached } = status.facts;
      const previous = status.state;
      if (!lifecycle.running) {
        status.state = 'offline';
      } else if (ready) {
        status.state = 'live';
      } else {
        status.state = reached === null ? 'connecting' : reached ? 'degraded' : 'offline';
      }
      if (status.state !== previous) {
        notifier.emit('state', { state: status.state, previous });
      }
    },
  };
  return status;
};

/** @type {(parts: Parts) => Notifier} */
export const createNotifier = (parts) => {
  /** @type {{[type in keyof Events]: Set<(event: any) => void>}} */
  const listeners = {
    state: new Set(),
    operation: new Set(),
    removed: new Set(),
    connection: new Set(),
    problem: new Set(),
  };

  /** @type {Notifier} */
  const notifier = {
    on(type, listener) {
      if (!Object.hasOwn(listeners, type)) {
        throw new TypeError(`no event ${type}`);
      }
      // A listener that is added twice is called twice.
      const entry = (/** @type {any} */ event) => listener(event);
      listeners[type].add(entry);
      return () => void listeners[type].delete(entry);
    },

    clear() {
      Object.values(listeners).forEach((added) => added.clear());
    },

    emit(type, event) {
      const added = listeners[type];
      for (const listener of [...added]) {
        try {
          if (added.has(listener)) {
            listener(event);
          }
        } catch (error) {
          (globalThis.reportError ?? console.error)(error);
        }
      }
    },

    changes(changes, removed = [], recovering = false) {
      const { operations, status, tabs } = parts;
      const evicted = operations.evict();
      // An operation that comes and goes in one step is not visible.
      const gone = evicted.filter((it) => !changes.some((c) => c.operation === it && !c.previous));
      for (const { via } of changes) {
        if (recovering && tabs.leading && (via === 'replay' || via === 'poll')) {
          status.shared.recovered[via]++;
        }
      }
      status.changed();
      for (const change of changes) {
        if (!evicted.includes(change.operation)) {
          notifier.emit('operation', change);
        }
      }
      for (const operation of [...removed, ...gone]) {
        notifier.emit('removed', { operationId: operation.operationId, operation });
      }
    },

    problem({ message: title, status, retryAfterSeconds: wanted }, action, retryMillis) {
      const pause = retryMillis === undefined ? wanted : Math.ceil(retryMillis / 1_000);
      /** @type {ProblemEvent} */
      const event = {
        title,
        ...(status !== undefined && { status }),
        ...(pause !== undefined && { retryAfterSeconds: pause }),
        action,
      };
      if (parts.tabs.leading) {
        parts.tabs.send({ type: 'problem', event });
      }
      notifier.emit('problem', event);
    },
  };
  return notifier;
};
