// @ts-check
/** The account of the whole cluster, its funnel, its replicas, and what was given up. */
import { attribute, byId, each, el, text } from './dom.js';
import { Gap } from './gap.js';

/** @typedef {import('./server.js').Account} Account */

/** Terms of the equation: sign, counters that are added up, name, what it means. */
const TERMS = /** @type {const} */ ([
  ['', ['expected'], 'expected', 'a browser was waiting'],
  ['=', ['delivered'], 'delivered', 'within a second'],
  ['+', ['late'], 'late', 'after a second'],
  ['+', ['client_gone'], 'client gone', 'the tab was closed'],
  ['+', ['slow_consumer'], 'slow consumer', 'the tab did not read'],
  ['+', ['not_received', 'owner_gone'], 'expired', 'given up after 5 s'],
  ['+', ['outstanding'], 'outstanding', 'still to be settled'],
]);

/** Of each hop: the outcomes that go on, and its name. */
const FUNNEL = /** @type {const} */ ([
  ['initiated', ['created'], 'clicked'],
  ['callback', ['stored', 'polled'], 'callback stored'],
  ['published', ['audience', 'no_audience', 'no_subscriber'], 'published'],
  ['delivered', ['delivered', 'late'], 'delivered'],
  ['client_acked', ['live', 'replay', 'poll'], 'acked by a browser'],
]);

const HEARING = {
  receiving: 'yes',
  stale: 'not lately',
  stalled: 'deaf',
  all_stalled: 'no replica does',
  redis_away: 'cannot tell',
  off: 'does not listen',
};

const REASONS = { not_received: 'not received', owner_gone: 'replica gone' };
const EXAMPLES = 6;

export class AccountSection {
  #client;
  #operations;
  #gap = new Gap();
  /** @type {number | null} */
  #answeredAt = null;

  /**
   * @param {import('./operations.js').Client} client
   * @param {import('./server.js').Server} server
   * @param {import('./operations.js').OperationsSection} operations
   */
  constructor(client, server, operations) {
    this.#client = client;
    this.#operations = operations;
    for (const [sign, , name, meaning] of TERMS) {
      byId('equation').append(
        el(
          'div',
          { 'data-term': name.replace(' ', '-') },
          el('dt', {}, el('span', { class: 'sign' }, sign ? `${sign} ` : ''), name),
          el('dd', { class: 'number' }, '–'),
          el('dd', { class: 'meaning' }, meaning),
        ),
      );
    }
    for (const [, , name] of FUNNEL) {
      byId('funnel').append(
        el('li', {}, el('span', {}, name), el('span', { class: 'level' }, el('span')), el('span', { class: 'number' }, '–')),
      );
    }
    server.onAccount((account, problem) => {
      const stale = problem ?? (account?.deliveries.redis === false ? 'Redis is away' : null);
      if (!stale) {
        this.#answeredAt = Date.now();
      }
      if (account) {
        this.#show(account);
      }
      this.#showAge(stale);
    });
  }

  /** @param {string | null} problem */
  #showAge(problem) {
    const node = byId('account-age');
    const age = this.#answeredAt && Math.round((Date.now() - this.#answeredAt) / 1_000);
    text(node, problem ? (age === null ? problem : `as of ${age} s ago: ${problem}`) : 'live');
    attribute(node, 'data-stale', Boolean(problem));
  }

  /** @param {Account} account */
  #show(account) {
    const { deliveries, total, approximate, replicas } = account;
    this.#showEquation(total, deliveries.outstanding);
    this.#showFunnel(approximate.hops);
    const lost = (total.not_received ?? 0) + (total.owner_gone ?? 0);
    if (deliveries.redis) {
      this.#gap.add(lost, approximate.naiveGap);
    }
    each(byId('replicas'), replicas, (it) => it.replica, replicaRow, (node, it) =>
      this.#updateReplica(node, it),
    );
    if (!deliveries.redis) {
      // They are in Redis: none told is not none given up.
      return;
    }
    const examples = deliveries.expired.slice(0, EXAMPLES);
    attribute(byId('expired-empty'), 'hidden', examples.length > 0);
    each(
      byId('expired'),
      examples,
      (it) => `${it.operationId} ${it.version} ${it.replica} ${it.at}`,
      (it) => this.#expired(it, account.grafanaUrl),
      () => {},
    );
  }

  /** @param {Record<string, number>} total @param {number} outstanding */
  #showEquation(total, outstanding) {
    /** @type {Record<string, number>} */
    const counters = { ...total, outstanding };
    TERMS.forEach(([, names, name], index) => {
      const sum = names.reduce((n, it) => n + (counters[it] ?? 0), 0);
      const node = byId('equation').children[index];
      text(node.children[1], sum.toLocaleString('en'));
      attribute(node, 'data-some', name === 'expired' && sum > 0);
    });
  }

  /** @param {Record<string, Record<string, number>>} hops */
  #showFunnel(hops) {
    const counts = FUNNEL.map(([hop, outcomes]) =>
      outcomes.reduce((n, outcome) => n + (hops[hop]?.[outcome] ?? 0), 0),
    );
    // Each click and each callback makes an update, so the second bar begins where the first ends.
    const [clicks = 0, callbacks = 0] = counts;
    const most = Math.max(1, clicks + callbacks, ...counts);
    counts.forEach((count, index) => {
      const [, level, number] = byId('funnel').children[index].children;
      level.firstElementChild.style.setProperty('--level', String(count / most));
      level.firstElementChild.style.setProperty('--begin', String(index === 1 ? clicks / most : 0));
      text(number, count.toLocaleString('en'));
    });
  }

  /** @param {HTMLElement} node @param {import('./server.js').ReplicaSummary} it */
  #updateReplica(node, it) {
    const [, coordination, hearing, age, streams] = node.children;
    const mine = this.#client.state === 'live' && this.#client.connection.replica === it.replica;
    attribute(node, 'data-mine', mine);
    attribute(/** @type {any} */ (node.querySelector('.mine')), 'hidden', !mine);
    text(/** @type {any} */ (coordination), it.coordination);
    attribute(/** @type {any} */ (coordination), 'data-bad', it.coordination === 'local-only');
    text(/** @type {any} */ (hearing), /** @type {any} */ (HEARING)[it.hearing] ?? it.hearing);
    attribute(/** @type {any} */ (hearing), 'data-bad', it.hearing !== 'receiving');
    text(/** @type {any} */ (age), `${it.canaryAgeSeconds.toFixed(1)} s`);
    text(/** @type {any} */ (streams), it.connections);
  }

  /** @param {import('./server.js').Expired} it @param {string | null} grafanaUrl */
  #expired(it, grafanaUrl) {
    const open = el(
      'button',
      { type: 'button', class: 'link mono', title: `correlation ${it.correlationId}` },
      it.correlationId.slice(0, 8),
    );
    open.append(el('span', { class: 'visually-hidden' }, ': open its timeline'));
    open.addEventListener('click', () => this.#operations.showTimeline(it.operationId));
    const item = el(
      'li',
      {},
      el('time', { class: 'number quiet', datetime: it.at }, new Date(it.at).toLocaleTimeString('en-GB')),
      el('span', {}, `${/** @type {any} */ (REASONS)[it.reason] ?? it.reason} by ${it.replica}, version ${it.version}`),
      open,
    );
    if (grafanaUrl && it.traceId) {
      item.append(
        el('a', { href: traceUrl(grafanaUrl, it.traceId), target: '_blank', rel: 'noopener' }, 'trace'),
      );
    }
    return item;
  }
}

/** @param {import('./server.js').ReplicaSummary} it */
function replicaRow(it) {
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, it.replica, el('span', { class: 'mine', hidden: true }, ' mine')),
    el('td', { class: 'light' }),
    el('td', { class: 'light' }),
    el('td', { class: 'number' }),
    el('td', { class: 'number' }),
  );
}

/**
 * Grafana's Explore with one trace, of a data source whose uid is `tempo`.
 *
 * @param {string} grafanaUrl
 * @param {string} traceId
 */
function traceUrl(grafanaUrl, traceId) {
  const source = { type: 'tempo', uid: 'tempo' };
  const queries = [{ refId: 'A', datasource: source, queryType: 'traceql', query: traceId }];
  const range = { from: 'now-3h', to: 'now' };
  const panes = JSON.stringify({ trace: { datasource: source.uid, queries, range } });
  const parameters = new URLSearchParams({ schemaVersion: '1', panes, orgId: '1' });
  return `${grafanaUrl.replace(/\/$/, '')}/explore?${parameters}`;
}
