"""Whom the operator lets ask nothing any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.domain import AccountId, Person


@dataclass(frozen=True, slots=True)
class Block:
    """A member who is not answered; `why` is the operator's own note, shown to operators alone."""

    person: Person
    since: datetime
    why: str = ""


class BlocksTx(Protocol):
    """Blocks of accounts, which `Account.blocked_at` tells wherever an account is read."""

    def block(self, account: AccountId, since: datetime, why: str) -> None:
        """Block an account that is locked; blocked again it keeps its time, and gets the new reason."""
        ...

    def unblock(self, account: AccountId) -> bool:
        """Let an account that is locked ask again; False if it might all along."""
        ...

    def blocked(self) -> Sequence[Block]:
        """All that are blocked, the newest first."""
        ...
