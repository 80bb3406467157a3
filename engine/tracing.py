"""A request's id, which is in every line that is logged while it is served, in whatever room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from secrets import token_hex

_REQUEST: ContextVar[str] = ContextVar("request", default="")


def current() -> str:
    """The id of the request that this task serves; empty for none."""
    return _REQUEST.get()


@contextmanager
def traced(request: str = "") -> Iterator[str]:
    """Serve a request under that id, or a new one; tasks that are begun meanwhile are part of it."""
    mine = request or token_hex(6)
    before = _REQUEST.set(mine)
    try:
        yield mine
    finally:
        _REQUEST.reset(before)
