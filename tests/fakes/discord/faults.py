"""What can go wrong on the way: rate limits, server errors and answers that get lost."""

import asyncio
import re
import time
from collections import deque
from dataclasses import dataclass

from tests.fakes.discord.errors import Json

WINDOW_SECONDS = 5.0
WINDOW_WRITES = 5
GLOBAL_PER_SECOND = 50


@dataclass(slots=True)
class Fault:
    """One planned failure of the next `times` requests that match."""

    pattern: str
    status: int
    method: str = ""
    times: int = 1
    retry_after: float = 0.05
    lost: bool = False
    """Do what was asked, then cut the connection instead of answering."""
    gate: asyncio.Event | None = None
    """Do not even cut it before this is set."""

    def hits(self, method: str, path: str) -> bool:
        """Return whether this request is to fail."""
        return self.times > 0 and self.method in {"", method} and re.search(self.pattern, path) is not None


class Faults:
    """The planned failures, and rate limits as tight as Discord's if they are switched on."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []
        self.limiting = False
        """Allow a channel five writes of a kind in five seconds, and the bot fifty requests a second."""
        self.window_seconds = WINDOW_SECONDS
        self.limited = 0
        """How many requests have been answered with 429."""
        self._windows: dict[str, deque[float]] = {}

    def plan(
        self, pattern: str, status: int, *, method: str = "", times: int = 1, retry_after: float = 0.05
    ) -> None:
        """Let the next `times` requests whose path contains `pattern` (a regular expression) get `status`."""
        self.planned.append(Fault(pattern, status, method, times, retry_after))

    def lose(
        self, pattern: str, *, method: str = "", times: int = 1, gate: asyncio.Event | None = None
    ) -> None:
        """Let the next `times` matching requests be done but never answered; `gate` keeps them waiting."""
        self.planned.append(Fault(pattern, 0, method, times, lost=True, gate=gate))

    def take(self, method: str, path: str) -> Fault | None:
        """Return the failure planned for this request, using it up."""
        found = next((fault for fault in self.planned if fault.hits(method, path)), None)
        if found is not None:
            found.times -= 1
            self.limited += found.status == 429
        return found

    def over(self, method: str, path: str) -> float:
        """Count a request, and return the seconds after which it may come again: 0 if it may pass now."""
        if not self.limiting or path.startswith(("/interactions", "/webhooks")):
            return 0.0
        route = f"{method} {re.sub('/messages/.*', '/messages/', path)}"
        wait = self._full("global", GLOBAL_PER_SECOND, 1.0) or (
            self._full(route, WINDOW_WRITES, self.window_seconds) if method != "GET" else 0.0
        )
        self.limited += wait > 0
        return wait

    def _full(self, name: str, size: int, seconds: float) -> float:
        window = self._windows.setdefault(name, deque())
        now = time.monotonic()
        while window and now - window[0] >= seconds:
            window.popleft()
        if len(window) >= size:
            return max(0.001, window[0] + seconds - now)
        window.append(now)
        return 0.0


def limited_body(retry_after: float) -> Json:
    """Return the body of a 429."""
    return {"message": "You are being rate limited.", "retry_after": retry_after, "global": False}


def limited_headers(retry_after: float) -> dict[str, str]:
    """Return the headers of a 429; without `Via` a client takes it for a ban by Cloudflare."""
    return {
        "Via": "1.1 google",
        "Retry-After": str(max(1, round(retry_after))),
        "X-RateLimit-Bucket": "loopback",
        "X-RateLimit-Limit": str(WINDOW_WRITES),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(time.time() + retry_after),
        "X-RateLimit-Reset-After": str(retry_after),
        "X-RateLimit-Scope": "user",
    }
