// @ts-check
/** Where one was on the page, kept over a reload. */

const NAME = 'lastmile-place';
const PATIENCE_MILLIS = 2_000;
/** What comes with the cards, a look at the cluster, may be a little later. */
const SETTLE_MILLIS = 300;

/**
 * The browser would go there before the cards are there, and lose the place when they come. So it
 * is done here, as soon as the page is long enough; until then nothing is shown that would move.
 */
export function keepPlace() {
  history.scrollRestoration = 'manual';
  addEventListener('pagehide', () => sessionStorage.setItem(NAME, String(Math.floor(scrollY))));
  const [navigation] = /** @type {any[]} */ (performance.getEntriesByType('navigation'));
  const place = Number(sessionStorage.getItem(NAME));
  if (/reload|back_forward/.test(navigation?.type) && place > 0) {
    document.documentElement.dataset.returning = '';
    goTo(place, performance.now() + PATIENCE_MILLIS);
  }
}

/** @param {number} place @param {number} until when it is gone to at the latest */
function goTo(place, until) {
  const { scrollHeight } = document.documentElement;
  if (scrollHeight - innerHeight < place && performance.now() < until) {
    requestAnimationFrame(() => goTo(place, until));
    return;
  }
  setTimeout(() => {
    scrollTo(0, place);
    delete document.documentElement.dataset.returning;
  }, SETTLE_MILLIS);
}
