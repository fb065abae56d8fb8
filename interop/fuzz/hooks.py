"""What the fuzzer has to know that no schema says: an identity, and how a webhook is signed."""

import base64
import hashlib
import hmac
import os
import time

import requests
import schemathesis

SECRET = base64.b64decode(os.environ["LASTMILE_WEBHOOK_SECRET"].removeprefix("whsec_"))
REPLICA = os.environ["LASTMILE_REPLICA_URL"]
COOKIE = "lastmile_identity"


@schemathesis.auth().skip_for(path_regex="^/api/callbacks/")
class Identity:
    """Cookies of one identity; the fuzzer also asks without, and with others."""

    def get(self, case, context):
        return requests.post(REPLICA + "/api/identity", timeout=10).cookies[COOKIE]

    def set(self, case, data, context):
        case.cookies = {**(case.cookies or {}), COOKIE: data}


class Signature(requests.auth.AuthBase):
    """Signs what is really sent."""

    def __call__(self, request):
        body = request.body or b""
        if isinstance(body, str):
            body = body.encode()
        stamp = str(int(time.time()))
        signed = hmac.new(SECRET, f"msg_fuzz.{stamp}.".encode() + body, hashlib.sha256)
        request.headers["webhook-id"] = "msg_fuzz"
        request.headers["webhook-timestamp"] = stamp
        request.headers["webhook-signature"] = "v1," + base64.b64encode(signed.digest()).decode()
        return request


@schemathesis.hook
def before_call(context, case, kwargs):
    """Signs each callback that came with all three headers; the others have to be refused."""
    headers = case.headers or {}
    named = all(headers.get("webhook-" + name) for name in ("id", "timestamp", "signature"))
    if case.operation.path.startswith("/api/callbacks/") and named:
        kwargs["auth"] = Signature()
