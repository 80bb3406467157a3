"""One unit of work: what it is given, how it is run, and how its outcome reaches the caller."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from inspect import iscoroutinefunction, isgeneratorfunction

from engine.ledger import Tx

Work = Callable[[Tx], object]


@dataclass(frozen=True, slots=True)
class Done:
    """The unit is durable; what its function returned."""

    result: object


@dataclass(frozen=True, slots=True)
class Broken:
    """Nothing of the unit was kept, and why."""

    error: BaseException


Outcome = Done | Broken
"""A value: an exception set on a future is reported as lost when its caller was cancelled."""


def require_plain(work: Work) -> None:
    """Refuse a function that would await or yield inside a transaction (TypeError)."""
    if iscoroutinefunction(work) or isgeneratorfunction(work):
        message = f"a unit of work is a plain function, and {work!r} is not"
        raise TypeError(message)


def perform(work: Work, tx: Tx) -> object:
    """Run a unit's function; TypeError if a coroutine or generator comes out, since nothing has run then."""
    result = work(tx)
    if isinstance(result, (Coroutine, Generator)):
        result.close()
        message = f"a unit of work is a plain function, and {work!r} returned {type(result).__name__}"
        raise TypeError(message)
    return result


async def outcome_of(future: asyncio.Future[Outcome]) -> object:
    """Wait for a unit and return its result or raise its error.

    The unit cannot be called back once it waits, so a cancelled caller waits for the outcome all the same and
    gets its CancelledError then; it undoes by a unit of its own what it no longer wants.
    """
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    outcome = future.result()
    if isinstance(outcome, Broken):
        raise outcome.error
    return outcome.result
