"""What is known of how a person wants to be spoken to, and how storage keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.domain import AccountId, Person


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """A person's languages as `de` or `de-AT`, and whether they were ever welcomed.

    `language` is what they chose themselves, `locale` what their platform said last.
    """

    language: str | None = None
    locale: str | None = None
    welcomed: bool = False

    def locale_among(self, now: str | None, fallback: str | None = None) -> str | None:
        """What to speak: as they chose, as the platform says now, as it said before, as the place does."""
        return self.language or now or self.locale or fallback


STRANGER = Acquaintance()


class AcquaintanceTx(Protocol):
    """Languages and welcomes."""

    def acquaintance(self, person: Person) -> Acquaintance | None:
        """What is known of a person; None for somebody without an account."""
        ...

    def set_locale(self, person: Person, locale: str) -> None:
        """Remember what the platform says; nothing happens to people without an account."""
        ...

    def set_language(self, account: AccountId, language: str | None) -> None:
        """Remember what the member chose; None: as the platform says."""
        ...

    def welcome(self, account: AccountId, now: datetime) -> bool:
        """Whether this is the one time that the account is welcomed."""
        ...
