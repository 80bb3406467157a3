"""Keeps what was read from Stripe for a while, and not too much of it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

FRESH_SECONDS = 600.0
REMEMBERED = 256


class Fresh(Generic[K, V]):
    """A map that forgets what is older than ten minutes, and the oldest beyond 256."""

    def __init__(self, pace: Callable[[], float] = time.monotonic) -> None:
        self._pace = pace
        self._held: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """What is kept under a key and still fresh."""
        read_at, value = self._held.get(key, (None, None))
        return value if read_at is not None and self._pace() - read_at <= FRESH_SECONDS else None

    def keep(self, key: K, value: V) -> V:
        """Keep a value that was just read."""
        self._held[key] = (self._pace(), value)
        self._held.move_to_end(key)
        if len(self._held) > REMEMBERED:
            self._held.popitem(last=False)
        return value

    def clear(self) -> None:
        """Forget everything."""
        self._held.clear()
