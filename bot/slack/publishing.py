"""Keeps publications of members' Homes few."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable

MOST_VISITORS = 2000


class Publishing:
    """One publication for a member at a time; whatever is asked for meanwhile is one more."""

    def __init__(self) -> None:
        self._again: dict[str, bool] = {}
        self.visitors: OrderedDict[str, None] = OrderedDict()
        """Members whose Home has been shown, the latest last."""

    def visited(self, user: str) -> None:
        """Remember that a member's Home is shown."""
        self.visitors[user] = None
        self.visitors.move_to_end(user)
        if len(self.visitors) > MOST_VISITORS:
            self.visitors.popitem(last=False)

    async def once(self, user: str, publish: Callable[[], Awaitable[None]]) -> None:
        """Publish, unless that is being done."""
        if user in self._again:
            self._again[user] = True
            return
        self._again[user] = True
        try:
            while self._again[user]:
                self._again[user] = False
                await publish()
        finally:
            del self._again[user]
