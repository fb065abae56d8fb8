// @ts-check
/** The functions with which the sections change the document. Text is never parsed as HTML. */

/**
 * The element of this id, which must exist.
 *
 * @param {string} id
 * @returns {any}
 */
export const byId = (id) => document.getElementById(id);

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes] null, undefined
 *   and false: left out; true: present
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    attribute(node, name, value);
  }
  node.append(...children);
  return node;
}

/**
 * Sets an attribute if its value changes.
 *
 * @param {Element} node
 * @param {string} name
 * @param {string | number | boolean | null | undefined} value as in {@link el}
 */
export function attribute(node, name, value) {
  if (value === null || value === undefined || value === false) {
    node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value)) {
    node.setAttribute(name, value === true ? '' : String(value));
  }
}

/**
 * Sets the text of a node if it changes.
 *
 * @param {Element} node
 * @param {string | number} value
 */
export function text(node, value) {
  if (node.textContent !== String(value)) {
    node.textContent = String(value);
  }
}

/**
 * Enables or disables a button. It can have the focus either way: the attribute `disabled` would
 * remove the focus from a button that was just pressed.
 *
 * @param {Element} button
 * @param {boolean} can
 */
export const enable = (button, can) => attribute(button, 'aria-disabled', can ? null : 'true');

/**
 * Runs a function when a button is pressed that is enabled.
 *
 * @param {Element} button
 * @param {() => void} run
 */
export function onPress(button, run) {
  button.addEventListener('click', () => {
    if (button.getAttribute('aria-disabled') !== 'true') {
      run();
    }
  });
}

/**
 * Shows or hides an element. If the hidden element has the focus, another one receives it.
 *
 * @param {Element} node
 * @param {boolean} shown
 * @param {HTMLElement} next
 */
export function show(node, shown, next) {
  const focused = !shown && node.contains(document.activeElement);
  attribute(node, 'hidden', !shown);
  if (focused) {
    next.focus({ preventScroll: true });
  }
}

/**
 * Makes the children of a list match the items, in order. Existing children are kept by their key.
 * If a removed child has the focus, the list receives it.
 *
 * @template T
 * @param {Element} list
 * @param {T[]} items
 * @param {(item: T) => string} key
 * @param {(item: T) => HTMLElement} make
 * @param {(node: any, item: T) => void} update
 */
export function each(list, items, key, make, update) {
  /** @type {Map<string, HTMLElement>} */
  const present = new Map();
  const keys = new Set(items.map(key));
  for (const child of /** @type {HTMLElement[]} */ ([...list.children])) {
    const { key: its = '' } = child.dataset;
    if (keys.has(its)) {
      present.set(its, child);
    } else {
      // Removed before the others are placed: an element that has to be moved loses the focus.
      leave(child, list);
    }
  }
  items.forEach((item, index) => {
    let node = present.get(key(item));
    if (!node) {
      node = make(item);
      node.dataset.key = key(item);
    }
    if (list.children[index] !== node) {
      list.insertBefore(node, list.children[index] ?? null);
    }
    update(node, item);
  });
}

/** @param {Element} child @param {any} list */
function leave(child, list) {
  const focused = child.contains(document.activeElement);
  child.remove();
  if (focused) {
    attribute(list, 'tabindex', -1);
    list.focus({ preventScroll: true });
  }
}

const SPOKEN_MILLIS = 1_200;
/** @type {string[]} */
const waiting = [];
let speaking = false;

/**
 * Announces a sentence to screen readers. At most three sentences wait; the oldest are dropped.
 *
 * @param {string} sentence
 */
export function announce(sentence) {
  waiting.push(sentence);
  waiting.splice(0, waiting.length - 3);
  if (!speaking) {
    speak();
  }
}

function speak() {
  const next = waiting.shift();
  speaking = next !== undefined;
  if (next !== undefined) {
    byId('announcer').textContent = next;
    setTimeout(speak, SPOKEN_MILLIS);
  }
}

/** @param {number} count @param {string} one @param {string} [many] */
export const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** @param {number} millis */
export function duration(millis) {
  if (millis < 10) {
    return `${Math.max(0, millis).toFixed(1)} ms`;
  }
  if (millis < 1_000) {
    return `${Math.round(millis)} ms`;
  }
  return millis < 60_000 ? `${(millis / 1_000).toFixed(1)} s` : `${Math.round(millis / 60_000)} min`;
}
