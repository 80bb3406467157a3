"""Discord's rate limits: buckets by route and channel, and one for all requests of the bot."""

import re
import time
from collections import deque
from dataclasses import dataclass, field

from tests.fakes.discord.errors import Json

WINDOW_SECONDS = 5.0
WINDOW_WRITES = 5
GLOBAL_PER_SECOND = 50
FREE = ("/interactions", "/webhooks")
"""Not bound to the bot's limits."""


@dataclass(slots=True)
class Bucket:
    """Requests since the first of them; it is emptied as a whole."""

    began: float
    used: int = 0


@dataclass(slots=True)
class Refusal:
    """A 429: for how many seconds, and whose limit it was (`user`, `global` or `shared`)."""

    seconds: float
    scope: str = "user"

    def body(self) -> Json:
        """What is said."""
        words = "You are being rate limited."
        return {"message": words, "retry_after": self.seconds, "global": self.scope == "global"}

    def headers(self) -> dict[str, str]:
        """With `Via`, without which a client takes it for a ban by Cloudflare."""
        told = {"Via": "1.1 google", "Retry-After": str(max(1, round(self.seconds)))}
        if self.scope == "global":
            return {**told, "X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}
        bucket = _headers("user", WINDOW_WRITES, 0, self.seconds)
        return {**told, **bucket, "X-RateLimit-Scope": self.scope}


@dataclass(slots=True)
class Limits:
    """Lets a channel have five writes of a kind in five seconds, and the bot fifty requests a second."""

    window_seconds: float = WINDOW_SECONDS
    second: float = 1.0
    _buckets: dict[str, Bucket] = field(default_factory=dict)
    _recent: deque[float] = field(default_factory=deque)

    def take(self, method: str, path: str) -> Refusal | dict[str, str]:
        """Count a request: a refusal, or the headers of its answer."""
        if path.startswith(FREE):
            return {}
        now = time.monotonic()
        while self._recent and now - self._recent[0] >= self.second:
            self._recent.popleft()
        if len(self._recent) >= GLOBAL_PER_SECOND:
            return Refusal(max(0.001, self._recent[0] + self.second - now), "global")
        self._recent.append(now)
        if method == "GET":
            return {}
        return self._write(f"{method} {re.sub('/messages/.*', '/messages/', path)}", now)

    def _write(self, route: str, now: float) -> Refusal | dict[str, str]:
        bucket = self._buckets.setdefault(route, Bucket(now))
        if now - bucket.began >= self.window_seconds:
            bucket.began, bucket.used = now, 0
        left = max(0.001, bucket.began + self.window_seconds - now)
        if bucket.used >= WINDOW_WRITES:
            return Refusal(left)
        bucket.used += 1
        return _headers(route.partition(" ")[0].lower(), WINDOW_WRITES, WINDOW_WRITES - bucket.used, left)


def _headers(name: str, limit: int, remaining: int, seconds: float) -> dict[str, str]:
    return {
        "X-RateLimit-Bucket": f"loopback-{name}",
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": f"{time.time() + seconds:.3f}",
        "X-RateLimit-Reset-After": f"{seconds:.3f}",
    }
