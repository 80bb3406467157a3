"""What travels between a client and Stripe: JSON objects, form fields and the shape of an error."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]
Form = dict[str, "Form | str"]

_PIECES = re.compile(r"[^\[\]]+|\[\]")


class StripeError(Exception):
    """An error as Stripe answers it."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.param = param
        self.code = code

    def body(self) -> Json:
        """The JSON body."""
        optional = {"param": self.param, "code": self.code}
        error = {"message": self.message, "type": self.kind}
        return {"error": error | {name: value for name, value in optional.items() if value is not None}}


def copied(value: Any) -> Any:  # noqa: ANN401 - JSON
    """A JSON value that shares nothing with the one given; `copy.deepcopy` takes three times as long."""
    if isinstance(value, dict):
        return {name: copied(inner) for name, inner in value.items()}
    return [copied(inner) for inner in value] if isinstance(value, list) else value


def missing(noun: str, wanted: str, param: str, *, status: int = 404, hint: str = "") -> StripeError:
    """The error for an id that names nothing."""
    message = f"No such {noun}: '{wanted}'{hint}"
    return StripeError(message, status=status, param=param, code="resource_missing")


def in_other_mode(*, livemode: bool) -> str:
    """How Stripe goes on about an object that exists only in that mode."""
    there, here = ("live", "test") if livemode else ("test", "live")
    return f"; a similar object exists in {there} mode, but a {here} mode key was used to make this request."


def decode_form(pairs: Iterable[tuple[str, str]]) -> Form:
    """Nest `a[b][0]=c` as {"a": {"b": {"0": "c"}}}; `a[]` takes the next index."""
    form: Form = {}
    for key, value in pairs:
        _place(form, _PIECES.findall(key), key, value)
    return form


def form_of_json(value: object) -> Form | str:
    """A JSON value as the form fields that say the same, so that one set of schemas checks both."""
    if isinstance(value, dict):
        return {name: form_of_json(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return {str(index): form_of_json(inner) for index, inner in enumerate(value)}
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _place(form: Form, pieces: list[str], key: str, value: str) -> None:
    if not pieces:
        raise StripeError(f"Invalid parameter name: {key!r}")
    node = form
    for piece in pieces[:-1]:
        child = node.setdefault(piece, {})
        if isinstance(child, str):
            raise StripeError(f"Parameter given both as a value and as a hash: {key}", param=key)
        node = child
    last = str(len(node)) if pieces[-1] == "[]" else pieces[-1]
    node[last] = value
