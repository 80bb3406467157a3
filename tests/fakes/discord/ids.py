"""Snowflakes that grow, and a clock that tests can push forward."""

import time
from datetime import UTC, datetime

DISCORD_EPOCH_MS = 1_420_070_400_000


class FakeTime:
    """The wall clock plus whatever a test has added to it."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """Return seconds since the Unix epoch, pushed ahead by every `advance`."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self._ahead += seconds

    def stamp(self) -> str:
        """Return the present as Discord writes a timestamp."""
        return datetime.fromtimestamp(self.now(), UTC).isoformat()


class Snowflakes:
    """Ids as Discord makes them: milliseconds in the high bits, and never the same or a smaller one again."""

    def __init__(self, clock: FakeTime) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> str:
        """Return an id greater than every id given before."""
        fresh = (int(self._clock.now() * 1000) - DISCORD_EPOCH_MS) << 22
        self._last = max(fresh, self._last + 1)
        return str(self._last)
