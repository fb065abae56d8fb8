// @ts-check
/** The card of one operation. */
import { attribute, each, el, text } from './dom.js';
import { light, newest, track } from './hops.js';

/** @typedef {import('/lastmile.js').Operation} Operation */

export const STATUS = {
  PENDING: 'waiting',
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
};

/** @param {string} kind @param {string} operationId */
export const name = (kind, operationId) => `${kind} ${operationId.slice(-6)}`;

/** @param {string} kind @param {string} operationId */
export function card(kind, operationId) {
  return el(
    'li',
    { class: 'card' },
    el(
      'div',
      { class: 'card-head' },
      el('h3', {}, kind, ' ', el('span', { class: 'mono quiet' }, operationId.slice(-6))),
      el('span', { class: 'status' }),
      el('span', { class: 'version quiet' }),
      el(
        'span',
        { class: 'learnt' },
        el('span', { class: 'via', 'aria-hidden': 'true' }),
        el('span', { class: 'visually-hidden' }, 'learnt by '),
        el('span', { class: 'via-word' }),
      ),
    ),
    el(
      'div',
      { class: 'bar' },
      el('progress', {
        class: 'progress',
        max: 100,
        value: 0,
        'aria-label': `progress of ${name(kind, operationId)}`,
      }),
      el('span', { class: 'percent number' }),
    ),
    track(),
    el(
      'div',
      { class: 'card-foot' },
      el('span', { class: 'message quiet' }),
      el('ol', { class: 'trail', 'aria-label': 'how each version got here' }),
    ),
  );
}

/**
 * Shows what is known.
 *
 * @param {HTMLElement} node made by {@link card}
 * @param {Operation} operation
 * @param {import('./hops.js').Passed[]} hops its timeline, as far as it was fetched
 * @param {{version: number, via: string}[]} trail how its versions got here, oldest first
 */
export function update(node, operation, hops, trail) {
  const { status, progress, version, via, message } = operation;
  const part = (/** @type {string} */ it) => /** @type {any} */ (node.querySelector(`.${it}`));
  attribute(node, 'data-status', status);
  text(part('status'), STATUS[status]);
  text(part('version'), `version ${version}`);
  attribute(part('via'), 'data-via', via);
  text(part('via-word'), via);
  part('progress').value = progress;
  text(part('percent'), `${progress} %`);
  const stored = newest(hops);
  const behind = stored > version;
  attribute(node, 'data-behind', behind);
  text(
    part('message'),
    behind
      ? `Version ${stored} is in the store. Nobody has told this page.`
      : (message ?? 'handed over'),
  );
  each(
    part('trail'),
    trail,
    (it) => String(it.version),
    (it) =>
      el(
        'li',
        { title: `version ${it.version}: ${it.via}` },
        el('span', { class: 'via', 'data-via': it.via, 'aria-hidden': 'true' }),
        el('span', { class: 'visually-hidden' }, `version ${it.version}: ${it.via}`),
      ),
    () => {},
  );
  light(part('hops'), hops, behind ? stored : version);
}
