/**
 * The demo's page without a browser: its own document and its own modules, a client in a fake tab,
 * and time that a test lets pass. What only a browser knows (layout, colours, what is painted) is
 * tested in one, by the service's own tests.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseHTML } from 'linkedom';
import { Demo } from './demo.js';
import { Browser, settled } from './tab.js';

const SOURCE = new URL('../../demo/src/main/resources/demo/', import.meta.url);

/** Leaves the page that is open: nothing of it runs any more. */
let leave = () => {};

/**
 * Opens the page, instead of the one that is open; one at a time, since its modules use the globals of a browser.
 *
 * @param {import('node:test').TestContext} t
 * @param {{browser?: Browser, share?: boolean, demo?: Demo, storage?: Map<string, string>}} [options]
 */
export async function openPage(t, options = {}) {
  const { browser = Browser.known(), share = false, demo = new Demo(), storage = new Map() } = options;
  const { clock, server } = browser;
  leave();
  /** @type {any} */
  let tab;
  let left = false;
  leave = () => {
    left = true;
    tab?.client.close();
  };
  t.after(leave);
  const later = (/** @type {() => void} */ run, /** @type {number} */ millis) =>
    clock.setTimeout(() => left || run(), millis);
  const { document, window, Event } = parseHTML(await readFile(new URL('index.html', SOURCE), 'utf8'));
  focusable(document, window);
  const said = listen(document.getElementById('announcer'));
  const errors = /** @type {any[]} */ ([]);
  pretend({
    document: Object.defineProperty(document, 'visibilityState', { value: 'visible' }),
    performance: { now: clock.now, getEntriesByType: () => [] },
    history: {},
    sessionStorage: { getItem: () => null, setItem: () => {} },
    setTimeout: later,
    clearTimeout: clock.clearTimeout,
    setInterval: (/** @type {() => void} */ run, /** @type {number} */ millis) => {
      const again = () => (later(again, millis), run());
      later(again, millis);
    },
    requestAnimationFrame: (/** @type {() => void} */ run) => later(run, 16),
    addEventListener: () => {},
    matchMedia: () => ({ matches: false, addEventListener: () => {} }),
    ResizeObserver: class {
      observe() {}
    },
    IntersectionObserver: class {
      observe() {}
    },
    getComputedStyle: () => ({ getPropertyValue: () => '', fontFamily: '' }),
    localStorage: {
      getItem: (/** @type {string} */ name) => storage.get(name) ?? null,
      setItem: (/** @type {string} */ name, /** @type {string} */ text) => storage.set(name, text),
    },
    fetch: async (/** @type {string} */ url, /** @type {any} */ { method }) => {
      const json = await demo.answer(method, url);
      await (left && new Promise(() => {}));
      return { ok: true, status: json === undefined ? 204 : 200, json: async () => json };
    },
    reportError: (/** @type {any} */ error) => errors.push(error),
    connect: () => (tab = browser.tab({ share })).client,
  });
  Date.now = clock.date;
  await load(t);
  await clock.pass(100);
  t.after(() => {
    if (errors.length) {
      throw errors[0];
    }
  });
  const byId = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
  return {
    browser, demo, clock, server, tab, client: tab.client, document, byId, said, storage, Event,
    text: (/** @type {string} */ id) => byId(id).textContent.trim(),
    /** As the keyboard does: it has the focus, and if it can be pressed it is. */
    press: async (/** @type {any} */ which) => {
      const button = typeof which === 'string' ? byId(which) : which;
      button.focus();
      if (!button.hasAttribute('disabled')) {
        button.click();
      }
      await settled();
    },
    focused: () => document.activeElement,
    fact: (/** @type {string} */ name) =>
      [...byId('facts').children].find((it) => it.children[0].textContent === name)?.children[1].textContent,
    cards: () => [...byId('cards').children].map((it) => it.dataset.key),
    create: (/** @type {any} */ fields) => server.create(fields).operationId,
  };
}

/** Sets globals, whatever they were. @param {Record<string, any>} globals */
function pretend(globals) {
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}

/** Modules of their own for each page: some of them keep state. @param {import('node:test').TestContext} t */
async function load(t) {
  const folder = await mkdtemp(join(tmpdir(), 'lastmile-page-'));
  t.after(() => rm(folder, { recursive: true }));
  const files = (await readdir(SOURCE)).filter((name) => name.endsWith('.js'));
  await Promise.all([
    writeFile(join(folder, 'package.json'), '{"type": "module"}'),
    writeFile(join(folder, 'lastmile.js'), 'export const { connect } = globalThis;'),
    writeFile(join(folder, 'uplot.js'), 'export default class { setData() {} setSize() {} destroy() {} }'),
    ...files.map(async (name) => {
      const text = await readFile(new URL(name, SOURCE), 'utf8');
      const local = text
        .replace("from '/lastmile.js'", "from './lastmile.js'")
        .replace("from '/webjars/uplot/dist/uPlot.esm.js'", "from './uplot.js'");
      await writeFile(join(folder, name), local);
    }),
  ]);
  await import(pathToFileURL(join(folder, 'page.js')).href);
}

/** The focus as the HTML standard has it: what is disabled, hidden or gone has it no more. */
function focusable(document, window) {
  let focused = document.body;
  Object.defineProperty(document, 'activeElement', {
    get() {
      const lost = !focused.isConnected || focused.hasAttribute('disabled') || focused.closest('[hidden]');
      return (focused = lost ? document.body : focused);
    },
  });
  window.HTMLElement.prototype.focus = function focus() {
    if (this.matches('button:not([disabled]), a[href], input, [tabindex]') && !this.closest('[hidden]')) {
      focused = this;
    }
  };
  window.HTMLElement.prototype.scrollTo = () => {};
  const { prototype } = document.getElementById('timeline').constructor;
  prototype.showModal = function showModal() {
    this.setAttribute('open', '');
  };
}

/** What is written into an element, one after the other. */
function listen(node) {
  const said = [];
  Object.defineProperty(node, 'textContent', { set: (text) => said.push(text), get: () => said.at(-1) });
  return said;
}
