"""Asks a model to reason in the first of several ways that its vendor takes, and remembers which."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from engine.models import Completion, Effort

W = TypeVar("W")
S = TypeVar("S")

SHARES = {Effort.LOW: 0.25, Effort.MEDIUM: 0.5, Effort.HIGH: 0.75}
"""Of our output cap, what a model that wants a budget in tokens may think."""


class Ladder(Generic[W]):
    """The ways to ask, best first; a vendor's models differ in what they take, and no list of them lasts.

    A refusal costs nothing, and comes once for a model and an effort in the life of a process.
    """

    def __init__(
        self, ways: Callable[[Completion], Sequence[W]], refusals: tuple[type[Exception], ...]
    ) -> None:
        self._ways = ways
        self._refusals = refusals
        self._known: dict[tuple[str, Effort | None], int] = {}

    async def climb(
        self, completion: Completion, ask: Callable[[W], Awaitable[S]], refuses: Callable[[Exception], bool]
    ) -> S:
        """Ask; raises what the last way was refused with, or what has nothing to do with the way."""
        key = completion.vendor_id, completion.reasoning
        ways = self._ways(completion)
        place = min(self._known.get(key, 0), len(ways) - 1)
        while True:
            try:
                stream = await ask(ways[place])
            except self._refusals as error:
                if place + 1 == len(ways) or not refuses(error):
                    raise
                place += 1
            else:
                self._known[key] = place
                return stream


def budget(completion: Completion, least: int) -> int:
    """Tokens to think, from our output cap, of which they are a part."""
    share = SHARES.get(completion.reasoning or Effort.OFF, 0.0)
    return max(least, int(completion.max_output * share))
