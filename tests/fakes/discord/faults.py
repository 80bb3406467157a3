"""What can go wrong on the way: rate limits, server errors and answers that get lost."""

import asyncio
import re
from dataclasses import dataclass

from tests.fakes.discord.limits import WINDOW_SECONDS, Limits, Refusal


@dataclass(slots=True)
class Fault:
    """One planned failure of the next `times` requests that match."""

    pattern: str
    status: int
    method: str = ""
    times: int = 1
    retry_after: float | None = 0.05
    """For a 429; None is one by Cloudflare, which does not say."""
    passes: int = 0
    """So many matching requests are spared first."""
    lost: bool = False
    """Do what was asked, then cut the connection instead of answering."""
    gate: asyncio.Event | None = None
    """Do not even cut it before this is set."""

    def hits(self, method: str, path: str) -> bool:
        """Return whether this request is to fail."""
        if self.times <= 0 or self.method not in {"", method} or not re.search(self.pattern, path):
            return False
        self.passes -= 1
        return self.passes < 0


class Faults:
    """The planned failures, and rate limits as tight as Discord's if they are switched on."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []
        self.limits: Limits | None = None
        self.limited = 0
        """How many requests have been answered with 429."""

    def plan(
        self,
        pattern: str,
        status: int,
        *,
        method: str = "",
        times: int = 1,
        retry_after: float | None = 0.05,
        passes: int = 0,
    ) -> None:
        """Let the next `times` requests whose path contains `pattern` (a regular expression) get `status`.

        `passes` of them are spared first; a 429 without `retry_after` is one by Cloudflare.
        """
        self.planned.append(Fault(pattern, status, method, times, retry_after, passes))

    def lose(
        self,
        pattern: str,
        *,
        method: str = "",
        times: int = 1,
        gate: asyncio.Event | None = None,
        passes: int = 0,
    ) -> None:
        """Let the next `times` matching requests be done but never answered; `gate` keeps them waiting."""
        self.planned.append(Fault(pattern, 0, method, times, passes=passes, lost=True, gate=gate))

    def take(self, method: str, path: str) -> Fault | None:
        """Return the failure planned for this request, using it up."""
        found = next((fault for fault in self.planned if fault.hits(method, path)), None)
        if found is not None:
            found.times -= 1
            self.limited += found.status == 429
        return found

    def limit(self, *, quicker: float = 1.0) -> None:
        """Switch on rate limits as tight as Discord's, over times that are so much shorter."""
        self.limits = Limits(WINDOW_SECONDS / quicker, 1.0 / quicker)

    def over(self, method: str, path: str) -> Refusal | dict[str, str]:
        """Count a request: a refusal, or the headers that its answer comes with."""
        found = self.limits.take(method, path) if self.limits else {}
        self.limited += isinstance(found, Refusal)
        return found
