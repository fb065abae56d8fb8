/** Starts and stops the parts: with the page, by `pause` and `close`, and for another identity. */

import { createTimer, Problem } from './http.js';

/** @import {Lifecycle, Parts, StopReason} from './types.js' */

/** At most one new identity in this time, unless the last one was accepted. */
const RENEWAL_MILLIS = 60_000;

/** @type {(parts: Parts) => Lifecycle} */
export const createLifecycle = (parts) => {
  const { clock, document, locks, requestMillis, window } = parts.settings;
  /** @type {Set<StopReason>} */
  const reasons = new Set();
  /** @type {(() => void)[]} */
  const removers = [];
  /** @type {Promise<boolean> | null} */
  let renewing = null;
  let renewedAt = -Infinity;

  /** @type {Lifecycle} */
  const lifecycle = {
    running: false,

    isStopped: (reason) => reasons.has(reason),

    start(ended) {
      const { reconciler, status, tabs } = parts;
      if (ended) {
        reasons.delete(ended);
      }
      if (!lifecycle.running && !reasons.size) {
        lifecycle.running = true;
        status.shared.reached = null;
        reconciler.start();
        tabs.join();
        if (ended) {
          void reconciler.now();
        }
        status.changed();
      }
    },

    stop(reason) {
      const { reconciler, status, tabs } = parts;
      reasons.add(reason);
      if (lifecycle.running) {
        lifecycle.running = false;
        lifecycle.onLeadLost();
        reconciler.stop();
        tabs.leave();
        status.changed();
      }
    },

    leave(reason) {
      const { acks, tabs } = parts;
      const { following } = tabs;
      lifecycle.stop(reason);
      // A leader that is present has the same acks.
      if (!following) {
        acks.leave();
      }
    },

    close() {
      lifecycle.leave('closed');
      parts.acks.clear();
      removers.splice(0).forEach((remove) => remove());
      parts.notifier.clear();
    },

    onLead() {
      const { acks, operations, reconciler, status, stream } = parts;
      status.shared.ready = false;
      acks.dropped = status.shared.acksDropped;
      acks.start();
      stream.open();
      if (operations.loaded) {
        void reconciler.now();
      }
      status.changed();
    },

    onLeadLost() {
      const { acks, status, stream } = parts;
      stream.close();
      stream.epoch = null;
      acks.stop();
      status.shared = status.facts;
      status.changed();
    },

    identityAccepted() {
      renewedAt = -Infinity;
    },

    renewIdentity() {
      renewing ??= renew().finally(() => {
        renewing = null;
      });
      return renewing;
    },

    startAnew() {
      const { acks, notifier, operations, reconciler, stream, tabs } = parts;
      acks.clear();
      operations.restart(null);
      const removed = operations.prune();
      operations.loaded = false;
      if (lifecycle.running) {
        reconciler.start();
        if (tabs.leading) {
          stream.epoch = null;
          stream.open();
        } else {
          reconciler.soon();
        }
      }
      notifier.changes([], removed);
    },
  };

  async function renew() {
    const { notifier, operations, tabs } = parts;
    if (clock.now() - renewedAt < RENEWAL_MILLIS) {
      notifier.problem(new Problem('the new identity is not accepted', 401), 'give-up');
      return false;
    }
    try {
      await request();
    } catch (error) {
      notifier.problem(Problem.of(error), 'retry');
      return false;
    }
    renewedAt = clock.now();
    tabs.send({ type: 'identity' });
    const { epoch } = operations;
    lifecycle.startAnew();
    if (epoch) {
      notifier.problem(new Problem('the identity is not accepted any more', 401), 'start-anew');
    }
    return true;
  }

  /**
   * One tab after the other, by a lock, so that the second keeps the identity of the first. A frozen
   * tab may hold the lock: no tab waits for it longer than a request may take.
   */
  async function request() {
    const wait = new AbortController();
    const timer = createTimer(clock, () => wait.abort());
    timer.start(requestMillis);
    let requested = false;
    const send = () => parts.http.send('POST', '/api/identity');
    const granted = () => {
      requested = true;
      timer.stop();
      return send();
    };
    try {
      await (locks?.request('lastmile identity', { signal: wait.signal }, granted) ?? granted());
    } catch (error) {
      timer.stop();
      if (requested) {
        throw error;
      }
      await send();
    }
  }

  /** After a time in which the page may have been suspended or offline. */
  function check() {
    parts.stream.check();
    parts.tabs.check();
    void parts.reconciler.now();
  }

  /** @type {(target: EventTarget | null, type: string, run: () => void) => void} */
  const on = (target, type, run) => {
    target?.addEventListener(type, run);
    removers.push(() => target?.removeEventListener(type, run));
  };
  // With an open stream a page does not enter the back/forward cache, or leaves it with a dead one.
  on(window, 'pagehide', () => lifecycle.leave('hidden'));
  on(window, 'pageshow', () => lifecycle.start('hidden'));
  on(window, 'online', () => {
    if (parts.tabs.leading && !parts.stream.ready) {
      parts.stream.open();
    }
    check();
  });
  on(document, 'visibilitychange', () => {
    if (document?.visibilityState === 'hidden') {
      parts.acks.flush();
    } else {
      check();
    }
  });
  return lifecycle;
};
