"""OAuth on Slack's side: the page where a person allows the app, and the exchange of its code for a token."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.fakes.slack.errors import SlackError

CLIENT_ID = "111.222"
CLIENT_SECRET = "fake-client-secret"
CODE_SECONDS = 600


@dataclass(slots=True)
class Grant:
    """What a code stands for."""

    place: str
    scopes: frozenset[str]
    redirect_uri: str
    until: float
    used: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What the app asks a person to allow."""

    state: str
    scopes: frozenset[str]
    redirect_uri: str

    def back(self, **answer: str) -> str:
        """Where the browser goes then."""
        return f"{self.redirect_uri}?{urlencode({**answer, 'state': self.state})}"


def wish(address: str, redirect_urls: frozenset[str]) -> Wish:
    """Read the address of the consent page; ValueError for what Slack shows an error for."""
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    wrong = {
        "another path": parts.path != "/oauth/v2/authorize",
        "invalid_client_id": query.get("client_id") != CLIENT_ID,
        "bad_redirect_uri": query.get("redirect_uri") not in redirect_urls,
        "no scope": not query.get("scope"),
        "a user scope": bool(query.get("user_scope")),
        "no state": not query.get("state"),
    }
    if problems := [name for name, applies in wrong.items() if applies]:
        raise ValueError("; ".join(problems))
    return Wish(query["state"], frozenset(query["scope"].split(",")), query["redirect_uri"])


def exchange(grants: Mapping[str, Grant], args: Mapping[str, str], header: str, now: float) -> Grant:
    """Take a code once; SlackError is how Slack refuses it (oauth.v2.access)."""
    client, secret = _basic(header) or (args.get("client_id", ""), args.get("client_secret", ""))
    if client != CLIENT_ID:
        raise SlackError("invalid_client_id")
    if secret != CLIENT_SECRET:
        raise SlackError("bad_client_secret")
    grant = grants.get(args.get("code", ""))
    if grant is None or now >= grant.until:
        raise SlackError("invalid_code")
    if grant.used:
        raise SlackError("code_already_used")
    if args.get("redirect_uri") != grant.redirect_uri:
        raise SlackError("bad_redirect_uri")
    grant.used = True
    return grant


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme != "Basic":
        return None
    try:
        client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return client, secret
