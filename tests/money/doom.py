"""What a process that is killed at its n-th write is made of: its settings, its clock and its store."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from engine.config import load_settings
from engine.facts import Mode
from engine.ledger import Tx
from engine.settings import Settings
from storage.store import Store
from tests.fakes.stripe import SECRET

T = TypeVar("T")
TELLING = frozenset({"bot.local.posts", "engine.jobs"})
"""Who writes down what was told: the same whoever takes the money."""
PACING = frozenset({"engine.pace"})


class LaterClock:
    """The wall clock, moved on."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        """The moved time."""
        return datetime.now(UTC) + self._by


class MortalStore:
    """A store whose process is killed at its n-th write: before its commit, or once it is durable."""

    def __init__(self, store: Store, last: int, aside: frozenset[str], *, after: bool) -> None:
        """`aside` are modules whose writes do not count."""
        self._store = store
        self._left = last
        self._aside = aside
        self._after = after
        self.read = store.read
        self.close = store.close

    async def transact(self, work: Callable[[Tx], T]) -> T:
        """Run the unit, or die."""
        due = False

        def mortal(tx: Tx) -> T:
            nonlocal due
            before = written(tx)
            result = work(tx)
            if written(tx) > before and work.__module__ not in self._aside:
                self._left -= 1
                due = self._left == 0
            if due and not self._after:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        result = await self._store.transact(mortal)
        if due:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


def written(tx: Tx) -> int:
    """How many rows were changed over this connection."""
    changes: int = tx._session._connection.total_changes  # type: ignore[attr-defined]  # noqa: SLF001
    return changes


@dataclass(frozen=True, slots=True)
class Setting:
    """Where lives are lived: a folder, and of a Stripe its address and the port that its events go to."""

    folder: Path
    stripe: str = ""
    port: int = 0

    @property
    def mode(self) -> Mode:
        """Whose money it is."""
        return Mode.TEST if self.stripe else Mode.SIMULATED

    @property
    def aside(self) -> frozenset[str]:
        """Whose writes nobody is killed at."""
        return PACING | TELLING if self.stripe else frozenset()

    def url(self, name: str) -> str:
        """A database."""
        return f"sqlite:///{self.folder}/{name}.db"

    def has_paid(self, name: str) -> bool:
        """Whether the member remembers to have paid."""
        return (self.folder / f"{name}.paid").exists()

    def note_paid(self, name: str) -> None:
        """Remember it, whatever becomes of the process."""
        (self.folder / f"{name}.paid").touch()

    def settings(self, name: str) -> Settings:
        """The settings of a life on that database."""
        variables = {"DATABASE_URL": self.url(name), "PORT": str(self.port), "PLAYGROUND": "1"}
        if self.stripe:
            variables |= {"STRIPE_SECRET_KEY": "sk_test_fake", "STRIPE_WEBHOOK_SECRET": SECRET}
            variables |= {"STRIPE_API_BASE": self.stripe}
        return load_settings(variables)


@dataclass(frozen=True, slots=True)
class Life:
    """A process that ends with its n-th write (0: when all is done), by a clock that is so far ahead."""

    last: int
    after: bool
    later: timedelta = timedelta(0)
