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

    def take(self, key: str) -> int | None:
        """Do it now, if it may be done; else the whole seconds until it may."""
        times, now = self._times.setdefault(key, deque(maxlen=self._most)), self._now()
        self._times.move_to_end(key)
        if len(self._times) > KEYS_MOST:
            self._times.popitem(last=False)
        left = times[0] + self._seconds - now if len(times) == self._most else 0.0
        if left > 0:
            return math.ceil(left)
        times.append(now)
        return None
