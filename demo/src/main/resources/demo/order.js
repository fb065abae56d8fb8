// @ts-check
/**
 * The order in which operations were first seen in this browser. A server tells them in the order
 * of their last change, so a page that is loaded anew asks the browser's storage, which its tabs
 * share.
 */

const NAME = 'lastmile order';
/** As many as two identities may have: those of an earlier one are not removed, but fall out. */
const MOST = 400;

export class Order {
  /** A higher number is newer. @type {Map<string, number>} */
  #places = new Map();
  #saving = false;

  constructor() {
    this.#take(read());
  }

  /** A higher number is newer; the oldest have none. @param {string} operationId */
  of(operationId) {
    return this.#places.get(operationId) ?? -1;
  }

  /** Takes what no tab knows as the newest. @param {string} operationId */
  add(operationId) {
    if (!this.#places.has(operationId)) {
      this.#hearOthers();
      this.#take([...this.#places.keys(), operationId]);
      this.#save();
    }
  }

  /** @param {string} operationId */
  remove(operationId) {
    if (this.#places.has(operationId)) {
      this.#hearOthers();
      this.#take([...this.#places.keys()].filter((it) => it !== operationId));
      this.#save();
    }
  }

  /** What another tab has seen meanwhile has its place already. */
  #hearOthers() {
    if (!this.#saving) {
      this.#take([...read(), ...this.#places.keys()]);
    }
  }

  /** @param {string[]} ids oldest first; of a repeated one the first counts */
  #take(ids) {
    this.#places = new Map([...new Set(ids)].slice(-MOST).map((id, place) => [id, place]));
  }

  /** Once, however many come at a time. */
  #save() {
    if (!this.#saving) {
      this.#saving = true;
      queueMicrotask(() => {
        this.#saving = false;
        try {
          localStorage.setItem(NAME, JSON.stringify([...this.#places.keys()]));
        } catch {
          // Not allowed, or full: the order lasts as long as the page.
        }
      });
    }
  }
}

/** @returns {string[]} */
function read() {
  try {
    const ids = JSON.parse(localStorage.getItem(NAME) ?? '[]');
    return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}
