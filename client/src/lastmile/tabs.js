/**
 * The tabs of a browser: leader election by a Web Lock, messages by a `BroadcastChannel`.
 *
 * The tab that holds the lock leads; when it ends, the browser grants the lock to the next tab. A
 * frozen tab keeps its lock but sends nothing: a visible tab takes the lock from it. Without locks
 * or channels each tab leads itself.
 */

import { createTimer } from './http.js';

/** @import {Parts, Received, Tabs} from './types.js' */

/** @type {(parts: Parts) => Tabs} */
export const createTabs = (parts) => {
  const { baseUrl, BroadcastChannel, clock, document, leaderMillis, share, ...browser } = parts.settings;
  const locks = share ? browser.locks : null;
  const name = `lastmile ${baseUrl}`;
  /** @type {BroadcastChannel | null} null: has not joined */
  let channel = null;
  /** @type {AbortController | null} of the request that waits for the lock */
  let waiting = null;
  /** @type {(() => void) | null} releases the lock by which this tab leads */
  let release = null;
  /** When this leader began; messages of earlier leaders are ignored. */
  let term = 0;
  let leaderMessageAt = 0;

  const silenceTimer = createTimer(clock, () => {
    const left = leaderMessageAt + tabs.silentMillis - clock.now();
    if (left > 0) {
      silenceTimer.start(left);
    } else {
      tabs.check();
    }
  });
  const takeoverTimer = createTimer(clock, () => {
    tabs.following = false;
    if (document?.visibilityState !== 'hidden') {
      waiting?.abort();
      hold({ steal: true });
    } else {
      silenceTimer.start(tabs.silentMillis);
    }
    parts.status.changed();
  });

  /** @type {Tabs} */
  const tabs = {
    leading: false,
    following: false,
    silentMillis: 25_000,

    join() {
      try {
        channel = locks && BroadcastChannel && new BroadcastChannel(name);
        if (channel) {
          channel.onmessage = ({ data }) => onMessage(data);
          queue();
          tabs.check();
          return;
        }
      } catch {
        // An opaque origin has no channels.
      }
      lead();
    },

    leave() {
      tabs.leading = false;
      tabs.following = false;
      channel?.close();
      channel = null;
      waiting?.abort();
      release?.();
      silenceTimer.stop();
      takeoverTimer.stop();
    },

    send(message) {
      channel?.postMessage({ ...message, term: tabs.leading ? term : 0 });
    },

    check() {
      if (channel && !tabs.leading) {
        tabs.send({ type: 'hello' });
        takeoverTimer.start(leaderMillis);
      }
    },
  };

  function onMessage(/** @type {any} */ message) {
    if (!tabs.leading && message.term) {
      if (message.term < term) {
        return;
      }
      term = message.term;
      leaderMessageAt = clock.now();
      tabs.following = true;
      takeoverTimer.stop();
      if (silenceTimer.at === Infinity) {
        silenceTimer.start(tabs.silentMillis);
      }
    }
    // Of two leaders one is about to lose the lock.
    if (!tabs.leading || !message.term) {
      apply(message);
    }
  }

  function apply(/** @type {any} */ message) {
    const { acks, notifier, operations, reconciler, status, stream } = parts;
    const { type, epoch } = message;
    switch (type) {
      case 'hello':
        if (tabs.leading) {
          tabs.send({ type: 'shared', shared: status.facts, welcome: true });
        }
        break;
      case 'shared':
        status.shared = { ...status.shared, ...message.shared };
        tabs.silentMillis = status.shared.silentMillis;
        if (message.welcome && !operations.loaded) {
          void reconciler.now();
        }
        notifier.changes([]);
        break;
      case 'polled':
      case 'created':
        if (epoch === operations.epoch && message.operations.every(operations.isOfTerm)) {
          /** @type {Received[]} */
          const list = message.operations;
          const via = type === 'polled' ? 'poll' : 'created';
          notifier.changes(list.flatMap((received) => operations.merge(received, via)));
          if (via === 'poll') {
            list.forEach((received) => acks.add(received, via));
          }
        } else {
          reconciler.soon();
        }
        break;
      case 'acked':
        if (epoch === operations.epoch) {
          acks.forget(message.acks);
        }
        break;
      case 'problem':
        notifier.emit('problem', message.event);
        break;
      case 'identity':
        parts.lifecycle.startAnew();
        break;
      case 'drop':
        stream.drop();
        break;
      case 'ready':
      case 'update':
      case 'reset':
      case 'heartbeat':
        stream.apply(type, message.text, message.id);
        break;
      default:
      // From a newer version.
    }
  }

  function lead() {
    tabs.leading = true;
    tabs.following = false;
    term = Math.max(term + 1, clock.date());
    silenceTimer.stop();
    takeoverTimer.stop();
    parts.lifecycle.onLead();
  }

  function queue() {
    waiting = new AbortController();
    hold({ signal: waiting.signal });
  }

  function hold(/** @type {LockOptions} */ options) {
    const joined = channel;
    /** @type {(() => void) | null} */
    let held = null;
    const ended = (/** @type {any} */ error) => {
      if (joined !== channel) {
        return;
      }
      if (held === null) {
        if (error?.name !== 'AbortError') {
          lead();
        }
      } else if (held === release) {
        // Another tab took the lock. If this tab took it itself, `release` is that of the new lock.
        release = null;
        tabs.leading = false;
        parts.lifecycle.onLeadLost();
        queue();
        tabs.check();
      }
    };
    const granted = () =>
      new Promise((/** @type {(nothing: void) => void} */ resolve) => {
        if (joined !== channel) {
          resolve();
          return;
        }
        held = release = resolve;
        lead();
      });
    locks?.request(name, options, granted).then(ended, ended);
  }

  return tabs;
};
