// @ts-check
/** The five hops of an operation's newest version, lit as far as its timeline tells. */
import { attribute, duration, el, text } from './dom.js';

/**
 * @typedef {object} Passed
 * @property {number} version
 * @property {string} hop
 * @property {string} at
 * @property {string} replica
 * @property {string} outcome
 */

/** @typedef {'passed' | 'waiting' | 'late' | 'lost' | 'skipped'} Light */

const HOPS = ['initiated', 'callback', 'published', 'delivered', 'client_acked'];
const LABELS = ['clicked', 'callback', 'published', 'delivered', 'acked'];
const LOST = ['not_received', 'owner_gone', 'slow_consumer', 'client_gone'];
const WORDS = {
  not_received: 'not received',
  owner_gone: 'replica gone',
  slow_consumer: 'not read',
  client_gone: 'tab gone',
  no_audience: 'no audience',
  no_subscriber: 'no subscriber',
};

/** Times come with microseconds, which `Date` drops. @param {string} at */
export function millis(at) {
  const fraction = /\.(\d+)Z$/.exec(at)?.[1] ?? '0';
  return Date.parse(at.replace(/\.\d+Z$/, 'Z')) + Number(`0.${fraction}`) * 1_000;
}

/** An empty track. */
export function track() {
  return el(
    'ol',
    { class: 'hops', 'aria-label': 'The five hops of the newest version' },
    ...HOPS.map((hop, index) =>
      el(
        'li',
        { 'data-hop': hop, 'data-light': 'waiting' },
        el('span', { class: 'dot', 'aria-hidden': 'true' }),
        el('span', { class: 'hop' }, LABELS[index] ?? hop),
        el('span', { class: 'where' }, ' '),
        el('span', { class: 'when' }, 'not yet'),
      ),
    ),
  );
}

/** The newest version that a timeline tells of. @param {Passed[]} passed */
export const newest = (passed) => passed.reduce((most, it) => Math.max(most, it.version), 0);

/**
 * Lights a track.
 *
 * @param {Element} node made by {@link track}
 * @param {Passed[]} passed the timeline
 * @param {number} version the one that is shown
 */
export function light(node, passed, version) {
  const clicked = passed.find((it) => it.hop === 'initiated');
  const own = passed.filter((it) => it.version === version);
  const from = own.find((it) => it.hop === 'callback' || it.hop === 'initiated');
  const acked = own.some((it) => it.hop === 'client_acked');
  HOPS.forEach((hop, index) => {
    const it = hop === 'initiated' ? clicked : own.find((each) => each.hop === hop);
    const item = node.children[index];
    if (!item) {
      return;
    }
    const [, , where, when] = item.children;
    const [lit, says] = it ? how(hop, it, from) : missing(hop, version, from, acked);
    attribute(item, 'data-light', lit);
    if (where && when) {
      text(where, it ? it.replica : '\u00a0');
      text(when, says);
    }
  });
}

/**
 * @param {string} hop
 * @param {Passed} it
 * @param {Passed | undefined} from where time begins
 * @returns {[Light, string]}
 */
function how(hop, it, from) {
  const word = /** @type {Record<string, string>} */ (WORDS)[it.outcome];
  if (word) {
    return [LOST.includes(it.outcome) ? 'lost' : 'passed', word];
  }
  if (hop === 'initiated' || !from || it === from) {
    return ['passed', new Date(millis(it.at)).toLocaleTimeString('en-GB')];
  }
  const took = `+${duration(millis(it.at) - millis(from.at))}`;
  return hop === 'client_acked'
    ? ['passed', `${it.outcome} ${took}`]
    : [it.outcome === 'late' ? 'late' : 'passed', took];
}

/**
 * @param {string} hop
 * @param {number} version
 * @param {Passed | undefined} from
 * @param {boolean} acked
 * @returns {[Light, string]}
 */
function missing(hop, version, from, acked) {
  if (hop === 'callback' && version === 1) {
    return ['skipped', 'not needed'];
  }
  if (hop === 'published' && from) {
    // It is one step with the storing: what is stored and not published will not be.
    return ['lost', 'never'];
  }
  // What was acked has been seen, so what is missing before it is not to come any more.
  return acked ? ['lost', 'never'] : ['waiting', 'not yet'];
}
