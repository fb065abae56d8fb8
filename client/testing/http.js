/** {@link Server} behind a port. */
import { createServer } from 'node:http';

/**
 * @param {import('./server.js').Server} server
 * @param {number} [port]
 * @returns {Promise<{url: string, close: () => Promise<void>}>}
 */
export async function listen(server, port = 0) {
  const http = createServer(async (request, response) => {
    const { pathname, search, searchParams } = new URL(request.url, 'http://here');
    const what = `${request.method} ${pathname}`;
    const cookie = /lastmile_identity=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
    if (what === 'GET /api/stream') {
      const resume = request.headers['last-event-id'] || searchParams.get('lastEventId');
      const stream = {
        send: (event) => response.write(encode(event)),
        end: () => request.socket.destroy(),
      };
      response.on('close', () => server.streams.delete(stream));
      response.setHeader('Content-Type', 'text/event-stream');
      if (!server.open(stream, cookie, resume)) {
        response.writeHead(server.identities.has(cookie) ? 503 : 401).end();
      }
      return;
    }
    let text = '';
    for await (const chunk of request) {
      text += chunk;
    }
    const body = text && JSON.parse(text);
    const key = request.headers['idempotency-key'];
    const answer = await server.answer({ what, query: search, body, cookie, key });
    response
      .writeHead(answer.status, { 'Content-Type': 'application/json', ...answer.headers })
      .end(answer.text ?? (answer.json === undefined ? undefined : JSON.stringify(answer.json)));
  });
  await new Promise((resolve) => http.listen(port, '127.0.0.1', () => resolve(undefined)));
  return {
    url: `http://127.0.0.1:${/** @type {any} */ (http.address()).port}`,
    close: () => {
      http.closeAllConnections();
      return new Promise((resolve) => http.close(() => resolve()));
    },
  };
}

function encode({ type, data, id, retry }) {
  return [
    ...(id ? [`id: ${id}`] : []),
    ...(retry ? [`retry: ${retry}`] : []),
    ...(type ? [`event: ${type}`, `data: ${JSON.stringify(data)}`] : []),
    '\n',
  ].join('\n');
}
