// @ts-check
/** The section “Faults” with its switches, and the strip at the top with the faults that are on. */
import { announce, attribute, byId, each, el, enable, onPress, show, text } from './dom.js';

/** @typedef {import('./server.js').Fault} Fault */

/** A replica reports it like a fault. It cannot be switched off and ends by itself. */
const SLOW_READER = 'slow-reader';

/** The label of a fault in the document. @param {string} name */
const label = (name) => byId(`fault-${name}`)?.textContent ?? name;

/** @param {Fault} fault @param {string[]} replicas all running ones */
function sentence({ name, replicas: where }, replicas) {
  return where.length && where.length < replicas.length
    ? `${label(name)} (${where.join(', ')})`
    : label(name);
}

export class FaultsSection {
  #server;
  /** Whether the head of the page is visible. Observed: reading its position forces a layout. */
  #atTop = false;
  /** All running replicas, as far as known. @type {string[]} */
  #replicas = [];

  /** @param {import('./server.js').Server} server */
  constructor(server) {
    this.#server = server;
    onPress(byId('strip-off'), () => this.#do(() => server.switchAllOff(), 'All faults off.'));
    onPress(byId('slow-reader'), () =>
      this.#do(() => server.openSlowReader(), 'A slow reader is at it for 25 seconds.'),
    );
    for (const toggle of byId('switches').querySelectorAll('.switch')) {
      onPress(toggle, () => this.#toggle(toggle));
    }
    new ResizeObserver(() => this.#measureStrip()).observe(byId('strip'));
    new IntersectionObserver(([head]) => {
      this.#atTop = head.isIntersecting;
      this.#makeRoom();
    }).observe(byId('masthead'));
    server.onAccount((account, problem) => {
      if (account?.deliveries.redis) {
        // Without Redis a replica lists only itself.
        this.#replicas = account.replicas.map((it) => it.replica);
      }
      const faults = account?.faults ?? [];
      const slow = (account?.replicas ?? [])
        .filter((it) => it.faults.includes(SLOW_READER))
        .map((it) => it.replica);
      this.#showStrip(account, problem, faults, slow);
      faults.forEach((it) => this.#update(it));
      attribute(byId('slow-reader-state'), 'data-off', !slow.length);
      attribute(byId('slow-reader-state'), 'data-bad', slow.length > 0);
      text(
        byId('slow-reader-state'),
        slow.length ? `on at ${slow.join(', ')}, 25 s at most` : 'no slow reader',
      );
    });
  }

  /** Exports the height of the strip, so that it does not cover the focused element. */
  #measureStrip() {
    const { offsetHeight } = byId('strip');
    document.documentElement.style.setProperty('--strip', `${offsetHeight}px`);
    this.#makeRoom();
  }

  /**
   * At the top of the page the strip pushes the content down. Further down it covers the content
   * instead, so that a fault that begins or ends does not move the text that is being read.
   */
  #makeRoom() {
    if (this.#atTop) {
      byId('strip-place').style.setProperty('--strip-room', `${byId('strip').offsetHeight}px`);
    }
  }

  /**
   * @param {import('./server.js').Account | null} account
   * @param {string | null} problem
   * @param {Fault[]} faults
   * @param {string[]} slow replicas with a slow reader
   */
  #showStrip(account, problem, faults, slow) {
    const on = faults.filter((it) => it.on);
    const said = on.map((it) => sentence(it, this.#replicas));
    if (slow.length) {
      said.push(`${label(SLOW_READER)} (${slow.join(', ')})`);
    }
    let kind = 'well';
    let says = 'Nothing is broken on purpose.';
    if (problem) {
      kind = 'away';
      says = `No replica answers (${problem}). The page keeps what it knows and tries again.`;
    } else if (!account?.deliveries.redis) {
      kind = 'away';
      says = 'Redis is away. Streams stay open, nothing is lost; what needs the store waits.';
    } else if (said.length) {
      kind = 'broken';
      says = '';
    }
    if (said.length) {
      says = `${says} On: ${said.join('; ')}.`.trim();
    }
    attribute(byId('strip'), 'data-kind', kind);
    if (byId('strip-text').textContent !== says) {
      text(byId('strip-text'), says);
      announce(says);
    }
    show(byId('strip-off'), on.length > 0 && kind !== 'away', byId('strip'));
  }

  /** @param {Element} toggle */
  #toggle(toggle) {
    const name = /** @type {any} */ (toggle.closest('li')).dataset.key;
    const on = toggle.getAttribute('aria-checked') !== 'true';
    void this.#do(
      () => this.#server.switchFault(name, on),
      `${label(name)} ${on ? 'on' : 'off'}.`,
    );
  }

  /** @param {Fault} fault */
  #update(fault) {
    const item = byId('switches').querySelector(`[data-key="${fault.name}"]`);
    const toggle = item?.querySelector('.switch');
    if (toggle) {
      attribute(toggle, 'aria-checked', String(fault.on === true));
      enable(toggle, fault.on !== null);
    }
    const choices = item?.querySelector('.choices');
    if (choices) {
      each(
        choices,
        [...new Set([...this.#replicas, ...fault.replicas])].sort(),
        (it) => it,
        (replica) => this.#choice(fault.name, replica),
        (button, replica) =>
          attribute(button, 'aria-pressed', String(fault.replicas.includes(replica))),
      );
    }
  }

  /** Switches a fault at one replica. @param {string} name @param {string} replica */
  #choice(name, replica) {
    const button = el(
      'button',
      { type: 'button', class: 'choice', 'aria-pressed': 'false' },
      replica,
    );
    onPress(button, () => {
      const on = button.getAttribute('aria-pressed') !== 'true';
      void this.#do(
        () => this.#server.switchFault(name, on, replica),
        `${label(name)}: ${replica} ${on ? 'on' : 'off'}.`,
      );
    });
    return button;
  }

  /** @param {() => Promise<unknown>} action @param {string} done */
  async #do(action, done) {
    const notice = byId('faults-problem');
    try {
      await action();
      announce(done);
      attribute(notice, 'hidden', true);
    } catch (error) {
      text(notice, `Not done: ${error instanceof Error ? error.message : error}.`);
      attribute(notice, 'hidden', false);
      announce(notice.textContent);
    }
    this.#server.refresh();
  }
}
