"""How often something may be done within a while, counted in this process."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable

KEYS_MOST = 1024
"""So many are told apart; who was not seen for longest is forgotten first."""


class Pace:
    """At most `most` times in any `seconds`, for each key."""

    def __init__(self, most: int, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._now = now
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, key: str) -> int | None:
        """Whole seconds until it may be done again; None if it may be done now."""
        times = self._times.get(key)
        if times is None or len(times) < self._most:
            return None
        left = times[0] + self._seconds - self._now()
        return math.ceil(left) if left > 0 else None

    def count(self, key: str) -> None:
        """It is done now."""
        self._times.setdefault(key, deque(maxlen=self._most)).append(self._now())
        self._times.move_to_end(key)
        if len(self._times) > KEYS_MOST:
            self._times.popitem(last=False)
