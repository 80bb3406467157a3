"""How many calls on the way to an answer a workspace may spend, by Slack's limit on each method."""

from __future__ import annotations

from collections.abc import Callable

A_SECOND = 40 / 60
"""`chat.update` is a tier-3 method, 50 calls a minute in a workspace; 10 of them are kept for last texts."""
AT_ONCE = 10.0
A_LITTLE = 3.0
"""Seconds to wait where Slack does not say how long."""


class Budget:
    """Tokens that come back steadily; a text on its way is skipped without one, a last text never is."""

    def __init__(
        self, now: Callable[[], float], a_second: float = A_SECOND, at_once: float = AT_ONCE
    ) -> None:
        """`now` gives monotonic seconds."""
        self._now = now
        self._rate = a_second
        self._most = at_once
        self._tokens = at_once
        self._at = now()

    def spend(self, calls: int) -> None:
        """Calls that are made whatever is left."""
        self._refill()
        self._tokens -= calls

    def allows(self) -> bool:
        """Whether a text on its way may be shown now."""
        self._refill()
        return self._tokens >= 1

    def rest(self, seconds: float | None) -> None:
        """Slack said to wait, None if not how long: nothing but last texts for so long."""
        seconds = A_LITTLE if seconds is None else seconds
        self._refill()
        self._tokens = min(self._tokens, 1 - seconds * self._rate)

    def _refill(self) -> None:
        now = self._now()
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
