"""A database whose units are counted, and which can be away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from engine.errors import TryAgainError
from engine.ledger import Tx
from engine.ports import Store

T = TypeVar("T")


@dataclass(slots=True)
class Counted:
    """The Store port before a real store."""

    store: Store
    away: bool = False
    units: list[str] = field(default_factory=list)

    async def transact(self, work: Callable[[Tx], T]) -> T:
        """Count and do it."""
        self._count("transact")
        return await self.store.transact(work)

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Count and do it."""
        self._count("read")
        return await self.store.read(work)

    def _count(self, kind: str) -> None:
        if self.away:
            raise TryAgainError("the database is away")
        self.units.append(kind)
