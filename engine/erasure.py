"""What is kept of one person in all tables: told, given to them, and erased, with proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from engine.domain import Account, AccountId, Person

Cell = str | int | bytes | None


class Fate(StrEnum):
    """What becomes of a person's rows in a table when they are erased."""

    DELETED = "deleted"
    EMPTIED = "emptied"
    """The row stays, its content does not."""
    NAMELESS = "nameless"
    """The row stays, and belongs to nobody."""
    RENAMED = "renamed"
    """The row stays under a name that leads to nobody."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Rows of a person in one table, what becomes of them, and why they are not deleted if they are not."""

    table: str
    fate: Fate
    rows: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Erased:
    """A person was erased; `name` is what stands in their place where something does."""

    name: str
    account: AccountId
    """Theirs until then."""
    traces: Sequence[Trace]


class ErasureTx(Protocol):
    """All that is kept of a person, in every table."""

    def traces(self, account: AccountId, person: Person, now: datetime) -> Sequence[Trace]:
        """How many rows of each table are theirs, and what would become of them."""
        ...

    def erase(self, account: Account, name: str, now: datetime) -> Sequence[Trace]:
        """Erase an account that is locked and everything of its person.

        What they cannot have anew before a period ends, should they come back, is kept under a keyed hash.
        """
        ...

    def remains(self, account: AccountId, person: Person) -> tuple[int, Sequence[str]]:
        """How many columns were searched, and each `table.column` that still names them.

        Where others wrote down what they wanted, only ids are looked for; of Stripe's events it is looked
        whether any says something of a customer who was erased, now or before.
        """
        ...

    def personal_tables(self) -> Sequence[str]:
        """The tables of which a person is given their rows."""
        ...

    def personal_rows(
        self, table: str, account: AccountId, person: Person, skip: int, limit: int
    ) -> Sequence[Mapping[str, Cell]]:
        """A person's rows of one of these, in the order of its key."""
        ...

    def forget_erased(self, now: datetime) -> int:
        """Forget what those who were erased had used in periods that are over; how many."""
        ...
