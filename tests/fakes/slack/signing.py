"""Slack's request signature, version 0."""

from __future__ import annotations

import hashlib
import hmac

from tests.fakes.slack.app import SIGNING_SECRET


def signed(body: bytes, at: float | str, secret: str = SIGNING_SECRET) -> dict[str, str]:
    """The two headers for a body sent at a unix time (or with any text in place of one)."""
    timestamp = at if isinstance(at, str) else str(int(at))
    base = b"v0:" + timestamp.encode() + b":" + body
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}
