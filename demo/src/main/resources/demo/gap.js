// @ts-check
/** The exact gap and the naive one, since the page was opened. */
import uPlot from '/webjars/uplot/dist/uPlot.esm.js';
import { byId, el, text } from './dom.js';

const SAMPLES = 180;
const HEIGHT = 180;

export class Gap {
  /** Seconds since 1970, exact, naive. @type {[number[], number[], number[]]} */
  #data = [[], [], []];
  /** @type {[number, number] | null} */
  #begin = null;
  #lastExact = 0;
  /** @type {uPlot | null} */
  #plot = null;
  #summary = el('p', { class: 'visually-hidden' });

  constructor() {
    byId('plot').append(this.#summary);
    for (const colours of ['(prefers-color-scheme: dark)', '(forced-colors: active)']) {
      matchMedia(colours).addEventListener('change', () => this.#make());
    }
    new ResizeObserver(() => this.#plot?.setSize(size())).observe(byId('plot'));
  }

  /**
   * @param {number} exact given up so far
   * @param {number} naive published less delivered so far
   */
  add(exact, naive) {
    if (!this.#begin || exact < this.#lastExact) {
      // A new epoch counts from 0.
      this.#begin = [exact, naive];
      this.#data = [[], [], []];
    }
    this.#lastExact = exact;
    const [times, exacts, naives] = this.#data;
    times.push(Date.now() / 1_000);
    exacts.push(exact - this.#begin[0]);
    naives.push(naive - this.#begin[1]);
    for (const series of this.#data) {
      series.splice(0, series.length - SAMPLES);
    }
    if (this.#plot) {
      this.#plot.setData(this.#data);
    } else {
      this.#make();
    }
    text(
      this.#summary,
      `Exact gap ${exact - this.#begin[0]}, naive gap ${naive - this.#begin[1]} since the page was opened.`,
    );
  }

  /** The canvas takes its colours when it is made. */
  #make() {
    this.#plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--plot-text'),
      font: `12px ${style.fontFamily}`,
      grid: { stroke: colour('--plot-grid'), width: 1 },
      ticks: { show: false },
    };
    this.#plot = new uPlot(
      {
        ...size(),
        cursor: { show: false },
        legend: {
          live: false,
          markers: { dash: (/** @type {unknown} */ _, /** @type {number} */ index) => (index === 2 ? 'dashed' : 'solid') },
        },
        scales: {
          y: {
            range: (/** @type {unknown} */ _, /** @type {number} */ low, /** @type {number} */ high) => [
              Math.min(0, low),
              Math.max(5, high * 1.1),
            ],
          },
        },
        axes: [
          { ...axis, values: (/** @type {unknown} */ _, /** @type {number[]} */ at) => at.map(clock) },
          { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000] },
        ],
        series: [
          {},
          { label: 'exact', stroke: colour('--plot-exact'), width: 2.5, points: { show: false } },
          {
            label: 'naive',
            stroke: colour('--plot-naive'),
            width: 1.5,
            dash: [5, 4],
            points: { show: false },
          },
        ],
      },
      this.#data,
      byId('plot'),
    );
  }
}

const size = () => ({ width: Math.max(200, byId('plot').clientWidth), height: HEIGHT });

/** @param {number} seconds */
const clock = (seconds) => new Date(seconds * 1_000).toLocaleTimeString('en-GB');
