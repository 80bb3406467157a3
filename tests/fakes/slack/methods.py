"""The Web API's methods: what each takes, who may call it, and the way of a call through the checks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.fakes.slack.app import APP_TOKEN, BOT_TOKEN
from tests.fakes.slack.errors import SlackError

if TYPE_CHECKING:
    from tests.fakes.slack.server import SlackServer
    from tests.fakes.slack.state import Json

Run = Callable[["SlackServer", "Json"], "Json"]
ANYWHERE = frozenset({"team_id"})
"""Arguments that Bolt adds to every call and Slack takes."""
JSON_ARGUMENTS = frozenset(
    {"attachments", "blocks", "chunks", "files", "loading_messages", "metadata", "prompts", "view"}
)


@dataclass(frozen=True, slots=True)
class Method:
    """One method; `required` and `optional` are argument names, `tier` is Slack's rate-limit tier."""

    required: frozenset[str]
    optional: frozenset[str]
    scope: str | None
    tier: int
    token: str
    run: Run


METHODS: dict[str, Method] = {}


def method(
    name: str,
    *,
    required: str = "",
    optional: str = "",
    scope: str | None = None,
    tier: int = 3,
    token: str = BOT_TOKEN,
) -> Callable[[Run], Run]:
    """Register the function below as a method; argument names are separated by spaces."""

    def register(run: Run) -> Run:
        METHODS[name] = Method(
            frozenset(required.split()), frozenset(optional.split()), scope, tier, token, run
        )
        return run

    return register


def arguments(form: Mapping[str, str], body: object) -> Json:
    """A call's arguments from its query, form or JSON; JSON inside form fields is read."""
    args: Json = {}
    for name, value in form.items():
        args[name] = _decoded(value) if name in JSON_ARGUMENTS else value
    if isinstance(body, Mapping):
        args.update({key: _decoded(v) if key in JSON_ARGUMENTS else v for key, v in body.items()})
    return {key: value for key, value in args.items() if value is not None and key != "token"}


def call(slack: SlackServer, name: str, args: Json, token: str) -> Json:
    """Do a call; SlackError is how Slack refuses it."""
    known = METHODS.get(name)
    if known is None:
        raise SlackError("unknown_method", req_method=name)
    _check_token(known, token)
    if known.scope and known.scope not in slack.app.scopes:
        raise SlackError("missing_scope", needed=known.scope, provided=",".join(sorted(slack.app.scopes)))
    missing = sorted(known.required - args.keys())
    if missing:
        raise SlackError(
            "invalid_arguments", *(f"[ERROR] missing required field: {field}" for field in missing)
        )
    for extra in sorted(args.keys() - known.required - known.optional - ANYWHERE):
        slack.log.find(f"{name} has no argument {extra!r}")
    return {"ok": True, **known.run(slack, args)}


def flag(args: Json, name: str) -> bool:
    """A boolean argument, however it was written."""
    return str(args.get(name, "")).lower() in {"1", "true"}


def _check_token(known: Method, token: str) -> None:
    if not token:
        raise SlackError("not_authed")
    if token not in {BOT_TOKEN, APP_TOKEN}:
        raise SlackError("invalid_auth")
    if token != known.token:
        raise SlackError("not_allowed_token_type")


def _decoded(value: Any) -> object:  # noqa: ANN401 - whatever came over the wire
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise SlackError("invalid_arguments", "[ERROR] not JSON") from error
