"""Copies of the whole database: what is known of one, and how the console asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from engine.audit import Actor


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is written down beside a backup, so that it can be checked later."""

    made_at: datetime
    kind: str
    """`sqlite` or `postgresql`."""
    schema: int
    """The number of its last migration."""
    rows: Mapping[str, int]
    """Of each table, in the moment that the backup shows."""
    digest: str
    """SHA-256 of the file."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is whole and was checked; `dropped` are older ones that were removed for it."""

    file: Path
    size: int
    manifest: Manifest
    dropped: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup that has taken the database's place."""

    aside: str
    """Where that which was replaced is now; empty if there was none."""
    made_at: datetime | None
    """None for a file without a manifest."""
    migrated: Sequence[str]
    due: int
    """Customers to be read from Stripe."""


class Backups(Protocol):
    """Makes and restores backups of one database; TellOperatorError says in words why it does not."""

    async def make(self, actor: Actor, file: Path | None, *, packed: bool, keep: int | None) -> Made:
        """Copy the database, while it is used, to a new file, or to one named by the time.

        `packed`: with gzip. `keep`: so many of those named by the time stay, the newest ones.
        """
        ...

    async def restore(self, actor: Actor, file: Path) -> Restored:
        """Put a backup in the database's place, brought to today's schema; refused while that is in use."""
        ...
