"""Verifies webhooks with the published library: one JSON object a line, `true` or `false` a line back."""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError

for line in sys.stdin:
    seen = json.loads(line)
    try:
        Webhook(seen["secret"]).verify(seen["body"], seen["headers"])
        print("true")
    except WebhookVerificationError:
        print("false")
