"""Keeps publications of members' Homes few."""

from __future__ import annotations

from collections.abc import Awaitable, Callable


class Publishing:
    """One publication for a member at a time; whatever is asked for meanwhile is one more."""

    def __init__(self) -> None:
        self._again: dict[str, bool] = {}
        self.visitors: dict[str, None] = {}
        """Members whose Home has been shown, the latest last."""

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
