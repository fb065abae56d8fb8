"""PyPI: sseclient-py (over requests) or httpx-sse reads the stream and acks, standardwebhooks signs.

First argument: sseclient or httpx. Verbs: versions | listen [LAST_EVENT_ID] | ack ID VERSION | callback ID BODY; what it
gets goes to stdout, one JSON a line.
"""

import json
import os
import sys
from datetime import datetime, timezone
from importlib.metadata import version

import httpx
import httpx_sse
import requests
import sseclient
from standardwebhooks import Webhook

REPLICA, COOKIE, SECRET = (os.environ.get(name, "") for name in ("REPLICA", "COOKIE", "SECRET"))
library, verb, *rest = sys.argv[1:]


def show(line):
    print(json.dumps(line), flush=True)


def events(headers):
    url = REPLICA + "/api/stream"
    if library == "sseclient":
        answer = requests.get(url, stream=True, headers=headers, timeout=60)
        answer.raise_for_status()
        yield from sseclient.SSEClient(answer).events()
    else:
        with httpx.Client(timeout=60) as client:
            with httpx_sse.connect_sse(client, "GET", url, headers=headers) as source:
                yield from source.iter_sse()


def post(path, headers, body):
    headers = {"Content-Type": "application/json", **headers}
    client = requests if library == "sseclient" else httpx
    answer = client.post(REPLICA + path, headers=headers, data=body, timeout=10)
    show({"status": answer.status_code, "body": answer.text})


if verb == "versions":
    names = {"sseclient": ("sseclient-py", "requests"), "httpx": ("httpx-sse", "httpx")}[library]
    stream = f"{names[0]} {version(names[0])} ({names[1]} {version(names[1])})"
    show({"stream": stream, "webhook": f"standardwebhooks {version('standardwebhooks')} (PyPI)"})
elif verb == "listen":
    resume = {"Last-Event-ID": rest[0]} if rest and rest[0] else {}
    for event in events({"Cookie": COOKIE, "Accept": "text/event-stream", **resume}):
        if event.data:
            ours = event.id if event.event == "update" else ""
            show({"event": event.event, "id": ours or "", "data": json.loads(event.data)})
elif verb == "ack":
    acks = {"acks": [{"operationId": rest[0], "version": int(rest[1]), "via": "replay"}]}
    post("/api/acks", {"Cookie": COOKIE}, json.dumps(acks))
elif verb == "callback":
    now = datetime.now(tz=timezone.utc)
    headers = {
        "webhook-id": "msg_pypi",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_pypi", now, rest[1]),
    }
    post("/api/callbacks/" + rest[0], headers, rest[1])
