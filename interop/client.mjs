// npm: eventsource reads the stream, fetch acks, standardwebhooks signs.
// Verbs: versions | listen | ack ID VERSION | callback ID BODY; what it gets goes to stdout, one JSON a line.
import { readFileSync } from "node:fs";
import { EventSource } from "eventsource";
import { Webhook } from "standardwebhooks";

const { REPLICA, COOKIE, SECRET } = process.env;
const [verb, id, rest] = process.argv.slice(2);
const print = (line) => console.log(JSON.stringify(line));

async function post(path, headers, body) {
  const answer = await fetch(REPLICA + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body,
  });
  print({ status: answer.status, body: await answer.text() });
}

function versionOf(name) {
  const file = new URL(`node_modules/${name}/package.json`, `file://${process.cwd()}/`);
  return JSON.parse(readFileSync(file)).version;
}

if (verb === "versions") {
  const node = process.versions.node;
  print({ stream: `eventsource ${versionOf("eventsource")} (Node ${node})`, webhook: `standardwebhooks ${versionOf("standardwebhooks")} (npm)` });
} else if (verb === "listen") {
  // eventsource's timer for the next attempt does not keep a process of Node alive.
  setInterval(() => {}, 60_000);
  const source = new EventSource(`${REPLICA}/api/stream`, {
    fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, Cookie: COOKIE } }),
  });
  for (const name of ["ready", "update", "heartbeat", "reset"]) {
    source.addEventListener(name, (event) =>
      print({ event: name, id: name === "update" ? event.lastEventId : "", data: JSON.parse(event.data) }),
    );
  }
} else if (verb === "ack") {
  await post("/api/acks", { Cookie: COOKIE }, JSON.stringify({ acks: [{ operationId: id, version: Number(rest), via: "replay" }] }));
} else if (verb === "callback") {
  const now = new Date();
  const headers = {
    "webhook-id": "msg_npm",
    "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
    "webhook-signature": new Webhook(SECRET).sign("msg_npm", now, rest),
  };
  await post(`/api/callbacks/${id}`, headers, rest);
}
