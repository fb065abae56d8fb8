/**
 * Keeps one stream open and applies its events: the leader's own, in other tabs as messages.
 *
 * A draining replica spreads its clients by `retry:`, which only the browser honours. So after the
 * loss of a ready stream the browser gets one try, for `openMillis`. Otherwise the client opens a
 * new stream, with backoff: a browser stops after a status other than 200, does not notice silence,
 * and does not prolong its pauses.
 */

import { createBackoff, createTimer, Problem } from './http.js';
import { parseCursor } from './operations.js';

/** @import {Loss, Parts, Received, Stream, StreamEvent} from './types.js' */

/** A stream or leader is silent after so many heartbeat intervals without an event. */
const SILENT_HEARTBEATS = 2.5;

/** @type {(parts: Parts) => Stream} */
export const createStream = (parts) => {
  const { settings, operations } = parts;
  const { clock, openMillis } = settings;
  /** @type {EventSource | null} */
  let current = null;
  let deadline = Infinity;
  let silentMillis = Infinity;
  /** Updates up to this sequence are replay. */
  let replayUpTo = 0;
  const backoff = createBackoff(settings);
  const reopenTimer = createTimer(clock, connect);
  const silenceTimer = createTimer(clock, () => stream.check());

  /** @type {Stream} */
  const stream = {
    ready: false,
    epoch: null,

    open() {
      backoff.tries = 0;
      connect();
    },

    close() {
      reopenTimer.stop();
      discard();
    },

    drop() {
      if (current) {
        lose('broken');
      }
    },

    check() {
      const left = deadline - clock.now();
      if (left <= 0) {
        lose('silent');
      } else if (current) {
        silenceTimer.start(left);
      }
    },

    apply(type, text, id) {
      try {
        const data = JSON.parse(text);
        const { epoch, sequence, term } = parseCursor(data.cursor);
        if (type === 'ready') {
          operations.enterEpoch(epoch);
        }
        if (type !== 'reset' && epoch === operations.epoch && !enterTerm(type, term)) {
          return;
        }
        if (type === 'ready') {
          onReady(data, epoch, sequence);
        } else if (type === 'reset') {
          onReset(epoch, sequence, term);
        } else if (type === 'update') {
          onUpdate(data, epoch, sequence, id === data.cursor);
        } else {
          onHeartbeat(epoch, sequence);
        }
      } catch (error) {
        // Without a new stream the cursor would pass this event.
        stream.drop();
        parts.reconciler.soon();
        parts.notifier.problem(Problem.of(error), 'retry');
      }
    },
  };

  /**
   * @param {StreamEvent} type
   * @param {string} term of the event
   * @returns whether the event can be applied
   */
  function enterTerm(type, term) {
    const { reconciler, status, tabs } = parts;
    if (type === 'ready' && !tabs.leading) {
      // The stream of another leader.
      operations.streamed = 0;
    }
    if (operations.isOver(term)) {
      // A list was faster than this stream, or came from an old primary. The next list tells.
      reconciler.soon();
      if (type === 'heartbeat' && tabs.leading) {
        status.shared.lastHeartbeatAt = clock.date();
      }
      return type === 'ready';
    }
    const { restarts } = operations;
    if (operations.enterTerm(term, operations.streamed)) {
      reconciler.soon();
    }
    if (restarts === operations.restarts) {
      return true;
    }
    // A new stream brings everything.
    reconciler.soon();
    if (tabs.leading) {
      stream.open();
    }
    return false;
  }

  function connect() {
    stream.close();
    const { cursor } = operations;
    operations.streamed = cursor ? parseCursor(cursor).sequence : 0;
    const source = new settings.EventSource(
      `${settings.baseUrl}/api/stream${cursor ? `?lastEventId=${cursor}` : ''}`,
    );
    current = source;
    setDeadline(openMillis);
    for (const type of /** @type {StreamEvent[]} */ (['ready', 'update', 'reset', 'heartbeat'])) {
      source.addEventListener(type, (/** @type {MessageEvent} */ event) => {
        // Late events of a discarded source do not count.
        if (source === current) {
          if (stream.ready) {
            setDeadline(silentMillis);
          }
          if (type === 'heartbeat') {
            // Not at `ready`: streams that break again and again get longer pauses.
            backoff.tries = 0;
          }
          const { data, lastEventId } = event;
          parts.tabs.send({ type, text: data, id: lastEventId });
          stream.apply(type, data, lastEventId);
        }
      });
    }
    source.onerror = () => {
      if (source.readyState === 2) {
        lose('refused');
      } else if (stream.ready) {
        stream.ready = false;
        setDeadline(openMillis);
        onLost('broken', true);
      } else {
        lose('broken');
      }
    };
  }

  /** @param {number} millis until the next event */
  function setDeadline(millis) {
    deadline = clock.now() + millis;
    // A timer that runs finds a later deadline.
    if (deadline < silenceTimer.at) {
      silenceTimer.start(millis);
    }
  }

  /** @param {Loss} why */
  function lose(why) {
    const wasReady = stream.ready;
    // Silence has taken long enough, and other clients do not notice it at the same moment.
    const pause = why === 'silent' && wasReady ? 0 : backoff.next();
    discard();
    reopenTimer.start(pause);
    onLost(why, wasReady, pause);
  }

  function discard() {
    if (current) {
      current.onerror = null;
      current.close();
    }
    current = null;
    stream.ready = false;
    silenceTimer.stop();
    deadline = Infinity;
    silentMillis = Infinity;
  }

  /**
   * @param {Loss} why
   * @param {boolean} wasReady
   * @param {number} [pause] ms until the next try; undefined if the browser decides
   */
  function onLost(why, wasReady, pause) {
    const { notifier, reconciler, status } = parts;
    if (why === 'silent' || (!wasReady && !operations.loaded)) {
      // Silence ends for one client at a time; and only a list shows that the identity is missing.
      void reconciler.now();
    } else if (wasReady) {
      reconciler.soon();
    }
    if (wasReady) {
      // Until a list fails.
      status.shared.reached = true;
    }
    status.changed();
    if (why === 'refused' && operations.epoch) {
      notifier.problem(new Problem('the stream was refused'), 'retry', pause);
    }
  }

  /**
   * @param {{replica: string, heartbeatSeconds: number}} data
   * @param {string} epoch
   * @param {number} sequence the channel's head when the stream began
   */
  function onReady({ replica, heartbeatSeconds }, epoch, sequence) {
    const { acks, lifecycle, reconciler, status, tabs } = parts;
    replayUpTo = sequence;
    operations.see(sequence);
    if (tabs.leading) {
      stream.epoch = epoch;
      lifecycle.identityAccepted();
      const { shared } = status;
      shared.replica = replica;
      shared.lastHeartbeatAt = clock.date();
      shared.silentMillis = (heartbeatSeconds || 10) * 1_000 * SILENT_HEARTBEATS;
      shared.reached = true;
      stream.ready = true;
      silentMillis = shared.silentMillis;
      setDeadline(silentMillis);
      acks.flush();
      if (shared.readies++) {
        reconciler.soon(true);
      }
    } else if (!operations.loaded) {
      reconciler.soon();
    }
    parts.notifier.changes([], complete(0));
  }

  /**
   * @param {string} epoch
   * @param {number} sequence updates up to here replace all operations
   * @param {string} term
   */
  function onReset(epoch, sequence, term) {
    const { acks, reconciler, tabs } = parts;
    // The replay adds them again.
    acks.clear();
    operations.restart(epoch);
    operations.startTerm(term);
    // A stream does not go back.
    operations.forgetTerms();
    stream.epoch = tabs.leading ? epoch : null;
    replayUpTo = sequence;
    operations.see(sequence);
    reconciler.soon();
    parts.notifier.changes([], complete(0));
  }

  /**
   * @param {Received} received
   * @param {string} epoch
   * @param {number} sequence
   * @param {boolean} hasId without an id it follows a gap: updates before it may be missing
   */
  function onUpdate(received, epoch, sequence, hasId) {
    const { acks, reconciler, tabs } = parts;
    if (epoch !== operations.epoch) {
      // A list was faster than the reset: until then the stream's updates are of the old epoch.
      reconciler.soon();
      return;
    }
    const { loaded } = operations;
    const via = sequence <= replayUpTo ? 'replay' : 'live';
    const changes = operations.merge(received, via);
    acks.add(received, via);
    // Ids on a stream have no gaps, but a tab that follows may have joined in the middle.
    const gap = !tabs.leading && !operations.isNext(sequence);
    if (gap || sequence > operations.seen + 1) {
      reconciler.soon();
    }
    operations.see(sequence);
    if (hasId && !gap) {
      operations.advance(received.cursor ?? '');
      operations.streamed = sequence;
    }
    parts.notifier.changes(changes, complete(sequence), loaded);
  }

  /**
   * @param {string} epoch
   * @param {number} sequence
   */
  function onHeartbeat(epoch, sequence) {
    const { reconciler, status, tabs } = parts;
    const known = epoch === operations.epoch;
    if (!known || sequence > operations.seen) {
      reconciler.soon();
    }
    if (tabs.leading) {
      status.shared.lastHeartbeatAt = clock.date();
      operations.streamed = sequence;
    }
    parts.notifier.changes([], known ? complete(sequence) : []);
  }

  /**
   * The replay after `ready` or `reset` may end here. Other tabs may have missed its beginning; they
   * request a list.
   *
   * @param {number} sequence
   */
  function complete(sequence) {
    const replaying = parts.tabs.leading && !operations.loaded;
    return replaying && sequence >= replayUpTo ? operations.prune() : [];
  }

  return stream;
};
