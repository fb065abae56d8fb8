/** What of a browser Node lacks: a cookie, and an EventSource that sends it. */
import { EventSource } from 'eventsource';

/**
 * @param {string[]} [replicas] every request goes to the next one that answers, as behind a load balancer
 * @returns {any} options of `connect`
 */
export function nodeBrowser(replicas = ['']) {
  let cookie = '';
  let turn = 0;
  const fetchWithCookie = async (url, init = {}) => {
    const headers = { ...init.headers, ...(cookie && { Cookie: cookie }) };
    const response = await fetch(replicas[turn++ % replicas.length] + url, { ...init, headers });
    cookie = response.headers.get('Set-Cookie')?.split(';')[0] ?? cookie;
    return response;
  };
  return {
    fetch: fetchWithCookie,
    EventSource: class extends EventSource {
      constructor(url) {
        // Only its path matters where replicas are given.
        super(new URL(url, 'http://balanced'), {
          fetch: (target, init) =>
            fetchWithCookie(String(target).replace('http://balanced', ''), init),
        });
      }
    },
  };
}
