"""Remembers what was done lately, so that it is not done again too soon."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

MOST = 2000


class Seldom:
    """Things by name, each due once in a while; of more than `most` the oldest are forgotten."""

    def __init__(self, now: Callable[[], float], seconds: float, most: int = MOST) -> None:
        """`now` gives monotonic seconds."""
        self._now = now
        self._seconds = seconds
        self._most = most
        self._until: OrderedDict[str, float] = OrderedDict()

    def due(self, name: str) -> bool:
        """Whether this may be done, and then it counts as done now."""
        now = self._now()
        if self._until.get(name, 0.0) > now:
            return False
        self._until[name] = now + self._seconds
        self._until.move_to_end(name)
        if len(self._until) > self._most:
            self._until.popitem(last=False)
        return True
