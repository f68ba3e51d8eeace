"""A partner's service: sells crypto through orderkeep, and hears of it by webhooks. Python 3.9, one package.

It knows the engine by its OpenAPI document alone: paths and methods are looked up there by their operation's name.

    pip install standardwebhooks
    python shop.py --engine http://127.0.0.1:7070 --payer http://127.0.0.1:7071 --sales 3

Kill the engine while it runs: every sale ends once. (`--payer` is the sandbox; there, payers are played by a request.)
"""

import argparse
import base64
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

args = argparse.ArgumentParser()
args.add_argument("--engine", required=True)
args.add_argument("--payer", required=True)
args.add_argument("--sales", type=int, default=1)
args = args.parse_args()

SECRET = "whsec_" + base64.b64encode(os.urandom(32)).decode()
handled = set()  # webhook ids: each may come more than once
state = threading.Condition()  # one webhook is handled at a time
sold = {}  # our sale -> how it ended


def request(method, url, body=None, headers={}):
    """One request, until there is an answer: while the engine is restarted there is none."""
    data = None if body is None else json.dumps(body).encode()
    while True:
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code != 429 and error.code < 500:
                raise RuntimeError(f"{method} {url}: {error.read().decode()}") from error
        except OSError:
            pass
        time.sleep(0.2)


document = request("GET", f"{args.engine}/v1/openapi.json")
operations = {}  # by name: method and path
for path, methods in document["paths"].items():
    operations.update({operation["operationId"]: (method.upper(), path) for method, operation in methods.items()})


def call(operation, body=None, headers={}, **parameters):
    """Calls the engine by an operation's name."""
    method, path = operations[operation]
    return request(method, args.engine + path.format(**parameters), body, headers)


def sell(sale):
    """Sells under our own key: asked twice, it is one order."""
    wanted = {"amount": "100", "currency": "usdc", "network": "polygon"}
    call("submitOrder", {"sell": wanted, "reference": sale}, {"Idempotency-Key": sale})


def handle(event):
    order = call("getOrder", id=event["subject"])
    if event["type"] == "orderkeep.order.wallet_given":
        # Here a shop shows the address to its customer; the sandbox's payer pays at once.
        request("POST", f"{args.payer}/_control/pay", {"address": order["address"]})
    else:
        assert order["reference"] not in sold, f"{order['reference']} ended twice"
        sold[order["reference"]] = event["type"].rpartition(".")[2]


class Hooks(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            event = Webhook(SECRET).verify(body, dict(self.headers.items()))
        except WebhookVerificationError:
            return self.answer(401)
        try:
            with state:
                if self.headers["webhook-id"] not in handled:
                    handle(event)
                    handled.add(self.headers["webhook-id"])
                    state.notify()
        except Exception as error:  # Not handled: it comes again.
            print(error, file=sys.stderr)
            return self.answer(500)
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Hooks)
threading.Thread(target=server.serve_forever, daemon=True).start()
types = [f"orderkeep.order.{name}" for name in ("wallet_given", "executed", "failed")]
assert set(types) <= set(document["webhooks"]), "the document names every webhook"
endpoint = {"url": f"http://127.0.0.1:{server.server_port}/hooks", "secret": SECRET, "types": types}
call("createWebhookEndpoint", endpoint)
for number in range(args.sales):
    sell(f"sale-{os.getpid()}-{number}")
    print(json.dumps({"submitted": number + 1}), flush=True)
with state:
    state.wait_for(lambda: len(sold) == args.sales)
print(json.dumps({"sold": sold}), flush=True)
