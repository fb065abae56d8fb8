// @ts-check
/** The few things that the sections do to the document. Text is always text: nothing is parsed. */

/**
 * The element of this id, which the document has.
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
 * Sets an attribute if that changes it.
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
 * Sets a text if that changes it.
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
 * Says whether a button can be used. It stays where the keyboard is either way: `disabled` would
 * take the focus from who has just pressed it.
 *
 * @param {Element} button
 * @param {boolean} can
 */
export const enable = (button, can) => attribute(button, 'aria-disabled', can ? null : 'true');

/**
 * Runs something when a button is pressed that can be used.
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
 * Shows or hides an element. If it goes with the focus, another one gets that.
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
 * Makes the children of a list fit some items: keeps those that are there, by key, in order. If one
 * goes with the focus, the list gets that.
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
      // Before the others are looked at: what has to be moved would lose the focus as well.
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
 * Says something to whoever listens instead of looking. A few at most wait: what is old by then is
 * left out.
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
