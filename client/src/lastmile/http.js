/** Requests to the server, and the timers and pauses between tries. */

/** @import {Backoff, Clock, Http, Settings, Timer} from './types.js' */

const MAX_RETRY_AFTER_SECONDS = 60;

/** A failed request: the server answered with an error (RFC 9457), or did not answer. */
export class Problem extends Error {
  /**
   * @param {string} title
   * @param {number} [status] of HTTP; absent if there was no response
   * @param {number} [retryAfterSeconds]
   * @param {string} [field] of the request that the problem is about
   */
  constructor(title, status, retryAfterSeconds, field) {
    super(title);
    this.name = 'Problem';
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
    this.field = field;
  }

  /** @param {unknown} error */
  static of(error) {
    return error instanceof Problem ? error : new Problem(String(error));
  }

  /** Whether the same request may succeed later: no response, or the server is not available. */
  get retryable() {
    return this.status === undefined || this.status === 429 || this.status >= 500;
  }
}

/** @type {(settings: Settings) => Http} */
export const createHttp = ({ baseUrl, clock, fetch, requestMillis }) => ({
  async send(method, path, { body, key, keepalive = false, abort = new AbortController() } = {}) {
    const timer = createTimer(clock, () => abort.abort());
    timer.start(requestMillis);
    /** @type {RequestInit} */
    const init = { method, keepalive, cache: 'no-store', signal: abort.signal };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { 'Content-Type': 'application/json', ...(key && { 'Idempotency-Key': key }) };
    }
    let response;
    let text;
    try {
      response = await fetch(baseUrl + path, init);
      text = await response.text();
    } catch {
      throw new Problem('the server cannot be reached');
    } finally {
      timer.stop();
    }
    const json = parse(text);
    if (!response.ok) {
      throw new Problem(
        String(json?.detail ?? json?.title ?? `status ${response.status}`),
        response.status,
        retryAfter(response.headers, clock.date()),
        String(json?.field ?? ''),
      );
    }
    if (json === undefined) {
      // The page of a proxy or of a captive portal.
      throw new Problem('the response is not JSON');
    }
    return json;
  },
});

/**
 * `Retry-After` (RFC 9110), which is in seconds or a date.
 *
 * @param {Headers} headers
 * @param {number} date
 */
function retryAfter(headers, date) {
  const wanted = headers.get('Retry-After') ?? '';
  let seconds = /^\d+$/.test(wanted) ? Number(wanted) : NaN;
  if (/ GMT$/.test(wanted)) {
    // By the server's clock if the response has it: the browser's may be wrong.
    const now = Date.parse(headers.get('Date') ?? '') || date;
    seconds = Math.max(0, Math.ceil((Date.parse(wanted) - now) / 1_000));
  }
  return seconds >= 0 ? Math.min(seconds, MAX_RETRY_AFTER_SECONDS) : undefined;
}

/** Undefined if it is not JSON. @param {string} text */
function parse(text) {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Many clients that want something at the same moment distribute it over this time. */
const SPREAD_MILLIS = 1_000;

/** A random delay for what many clients do at once. @param {Clock} clock */
export const spread = (clock) => clock.random() * SPREAD_MILLIS;

/** @type {(clock: Clock, run: () => void) => Timer} */
export const createTimer = (clock, run) => {
  /** @type {unknown} */
  let id = null;
  const timer = {
    at: Infinity,

    start(/** @type {number} */ millis) {
      timer.stop();
      timer.at = clock.now() + millis;
      if (timer.at < Infinity) {
        id = clock.setTimeout(() => {
          timer.stop();
          run();
        }, Math.max(0, millis));
      }
    },

    stop() {
      clock.clearTimeout(id);
      timer.at = Infinity;
    },
  };
  return timer;
};

/** @type {(settings: Settings, maxMillis?: number) => Backoff} */
export const createBackoff = ({ clock, retryMillis, retryMaxMillis }, maxMillis = retryMaxMillis) => ({
  tries: 0,

  next(retryAfterSeconds = 0) {
    const pause = Math.min(maxMillis, retryMillis * 2 ** Math.min(this.tries++, 20));
    const wanted = retryAfterSeconds && retryAfterSeconds * 1_000 + spread(clock);
    return Math.max(pause * (0.5 + clock.random() / 2), wanted);
  },
});
