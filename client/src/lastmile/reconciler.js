/**
 * Requests the list of what changed: at once, soon, and at intervals.
 *
 * One request at a time. A list that is wanted meanwhile is requested afterwards, since the server
 * may have read the current one before.
 */

import { createBackoff, createTimer, Problem, spread } from './http.js';
import { parseCursor } from './operations.js';

/** @import {List, Parts, Reading, Reconciler} from './types.js' */

/** At most 100 operations in one page of a list. */
const PAGE = '/api/operations?limit=100';

/** The first list, if the stream is not ready by then. */
const FIRST_POLL_MILLIS = 2_000;

/** @type {(parts: Parts) => Reconciler} */
export const createReconciler = (parts) => {
  const { operations, settings } = parts;
  const { clock } = settings;
  const timer = createTimer(clock, () => void reconciler.now());
  const backoff = createBackoff(settings, 2 * settings.degradedPollMillis);
  /** @type {object | null} a new object per start; null: stopped */
  let run = null;
  /** @type {AbortController | undefined} of the current request */
  let abort;
  /** @type {Promise<boolean> | null} */
  let current = null;
  /** @type {Promise<boolean> | null} */
  let next = null;
  let endedAt = 0;
  let soonAt = Infinity;
  let jitter = 1;
  /** @type {Reading | null} */
  let unfinished = null;
  /** @type {number | null} pause after a list that failed, ms */
  let retryMillis = null;

  /** @type {Reconciler} */
  const reconciler = {
    start() {
      reconciler.stop();
      run = {};
      end(null);
      reconciler.schedule();
    },

    stop() {
      run = null;
      abort?.abort();
      soonAt = Infinity;
      timer.stop();
    },

    now() {
      if (!run) {
        return Promise.resolve(false);
      }
      if (!current) {
        current = request(run).finally(() => {
          current = null;
          reconciler.schedule();
        });
        return current;
      }
      next ??= current.then(() => {
        next = null;
        return reconciler.now();
      });
      return next;
    },

    soon(available = false) {
      if (available) {
        retryMillis = null;
      }
      soonAt = Math.min(soonAt, clock.now() + spread(clock));
      reconciler.schedule();
    },

    schedule() {
      if (run && !current) {
        const at =
          retryMillis === null
            ? Math.min(endedAt + interval() * jitter, soonAt)
            : endedAt + retryMillis;
        if (at !== timer.at) {
          timer.start(at - clock.now());
        }
      }
    },
  };

  /** @param {object} started the run that the request belongs to */
  async function request(started) {
    timer.stop();
    soonAt = Infinity;
    try {
      for (;;) {
        const { cursor: after, restarts, term } = operations;
        // Without a cursor the list replaces everything.
        const shown = after === null ? null : operations.shown;
        const tick = operations.tick();
        const query = (after === null ? '' : `&after=${after}`) + (shown === null ? '' : `&shown=${shown}`);
        const sequences = [after, shown].map((it) => (it === null ? 0 : parseCursor(it).sequence));
        const verified = Math.max(...sequences);
        const replaces = after === null;
        const anew = { restarts, query, shown, term, verified, tick, replaces, before: replaces ? tick : 0 };
        /** @type {Reading} */
        const list = unfinished?.restarts === restarts ? unfinished : anew;
        abort = new AbortController();
        const page = await parts.http.send('GET', PAGE + list.query, { abort });
        if (started !== run) {
          return false;
        }
        if (!Array.isArray(page?.operations)) {
          throw new Problem('the response is not a list of operations');
        }
        backoff.tries = 0;
        end(null);
        onEnded(null);
        // Otherwise it is old.
        if (operations.restarts === list.restarts && enter(page, list)) {
          apply(page, list.before);
          list.query = `&next=${page.next}`;
          ({ restarts: list.restarts, term: list.term } = operations);
          unfinished = page.next ? list : null;
          if (!unfinished) {
            return true;
          }
        }
      }
    } catch (error) {
      if (started === run) {
        const problem = Problem.of(error);
        const pause = backoff.next(problem.retryAfterSeconds);
        end(pause);
        onEnded(problem, pause);
      }
      return false;
    }
  }

  /**
   * Enters the epoch and the term of a page.
   *
   * @param {List} page
   * @param {Reading} list
   * @returns whether the page can be applied
   */
  function enter({ cursor, reset }, list) {
    const { acks, stream } = parts;
    const { epoch, term } = parseCursor(cursor);
    const replaces = reset || list.replaces;
    list.replaces = false;
    if (epoch !== operations.epoch) {
      operations.enterEpoch(epoch);
      operations.startTerm(term);
      list.before = replaces ? list.tick : 0;
      return true;
    }
    if (list.term !== operations.term && term !== operations.term) {
      // Of a term that is over. Pages of this list may be missing.
      operations.forget();
      unfinished = null;
      return false;
    }
    if (replaces) {
      // What was confirmed in another term may be lost, also if it was confirmed after the request.
      const same = term === operations.term;
      list.before = same ? Math.max(list.tick, operations.termTick) : operations.tick();
      const back = operations.isOver(term);
      if (reset) {
        acks.clear();
      }
      if (reset || !same || operations.unverified !== null) {
        operations.replace(term);
      }
      if (back && stream.epoch) {
        // It has left out events of this term.
        stream.open();
      }
      return true;
    }
    if (operations.isOver(term)) {
      // The server still uses the old primary. The next list replaces everything.
      operations.forget();
      unfinished = null;
      return false;
    }
    if (operations.unverified === list.shown) {
      operations.unverified = null;
    }
    if (operations.enterTerm(term, list.verified)) {
      reconciler.soon();
    }
    return operations.restarts === list.restarts;
  }

  /** @param {number | null} pause */
  function end(pause) {
    endedAt = clock.now();
    retryMillis = pause;
    jitter = 0.9 + clock.random() / 5;
  }

  /**
   * @param {List} page the cursor is known after the last one
   * @param {number} before operations confirmed before this tick are replaced or removed
   */
  function apply({ cursor, next, operations: list }, before) {
    const { acks, notifier, stream, tabs } = parts;
    const { epoch } = parseCursor(cursor);
    const { loaded } = operations;
    const changes = list.flatMap((received) => operations.merge(received, 'poll', before));
    list.forEach((received) => acks.add(received, 'poll'));
    const removed = next ? [] : operations.prune(before);
    if (!next) {
      operations.advance(cursor);
    }
    if (stream.epoch && stream.epoch !== epoch) {
      // The stream is still in the old epoch, or belongs to an earlier identity.
      stream.epoch = null;
      stream.open();
    }
    if (tabs.leading && list.length) {
      tabs.send({ type: 'polled', epoch, operations: list });
    }
    notifier.changes(changes, removed, loaded);
  }

  /**
   * @param {Problem | null} problem
   * @param {number} [pause] ms until the next try
   */
  function onEnded(problem, pause) {
    const { acks, lifecycle, notifier, status } = parts;
    if (problem?.status === 401) {
      void lifecycle.renewIdentity().then((renewed) => {
        if (!renewed) {
          status.shared.reached = false;
          status.changed();
        }
      });
      return;
    }
    status.shared.reached = !problem;
    if (!problem) {
      lifecycle.identityAccepted();
      acks.flush();
    } else if (problem.status === 400) {
      // This server does not accept the cursor.
      unfinished = null;
      operations.forget();
    }
    status.changed();
    if (problem) {
      notifier.problem(problem, 'retry', pause);
    }
  }

  /** ms between two lists */
  function interval() {
    const { ready, reached } = parts.status.facts;
    if (parts.tabs.following && operations.loaded) {
      // The leader polls for all tabs.
      return Infinity;
    }
    if (!ready) {
      return reached === null ? FIRST_POLL_MILLIS : settings.degradedPollMillis;
    }
    return operations.hasPending() ? settings.pendingPollMillis : settings.idlePollMillis;
  }

  return reconciler;
};
