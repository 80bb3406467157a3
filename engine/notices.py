"""Words owed to people: each owed once, claimed under a lease, and shown once or kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol

from engine.domain import AccountId, Kept, Person, TierName
from engine.facts import Mode

NoticeId = NewType("NoticeId", str)


class NoticeKind(StrEnum):
    """What a member is told unasked, each once."""

    ACTIVATED = "activated"
    CHANGED = "changed"
    ENDED = "ended"
    RENEWED = "renewed"
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_REMINDER = "payment_reminder"
    PAYMENT_LAST_CALL = "payment_last_call"
    CARD_EXPIRING = "card_expiring"
    TRIAL_ENDING = "trial_ending"
    CANCEL_PENDING = "cancel_pending"
    RESUMED = "resumed"
    CHANGE_PLANNED = "change_planned"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    TEAM_CHANGED = "team_changed"
    """Whose seat it is gets another tier from now on."""
    TEAM_ENDED = "team_ended"
    SEAT_TAKEN = "seat_taken"
    """The owner took a member out of the team."""
    SEAT_NEAR = "seat_near"
    SEAT_SPENT = "seat_spent"
    """A member's share of the team's budget."""
    TEAM_NEAR = "team_near"
    TEAM_SPENT = "team_spent"
    """All of it, for its owner."""
    ALLOWANCE_NEAR = "allowance_near"
    ALLOWANCE_SPENT = "allowance_spent"
    METERED_NEAR = "metered_near"
    METERED_BEGUN = "metered_begun"
    FREE_NEAR = "free_near"
    GRANTED = "granted"
    """A tier was given, or is what somebody has who paid for another one before."""
    GRANT_ENDING = "grant_ending"
    GRANT_ENDED = "grant_ended"
    CREDITED = "credited"
    """Conversations beyond the daily limit were given."""


QUIET = frozenset(
    {
        NoticeKind.RENEWED,
        NoticeKind.ALLOWANCE_NEAR,
        NoticeKind.METERED_NEAR,
        NoticeKind.FREE_NEAR,
        NoticeKind.SEAT_NEAR,
        NoticeKind.TEAM_NEAR,
    }
)
"""Good to know and no reason to disturb anybody."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Words owed to a person, in their `locale`; `key` is unique, so that it is owed and shown once."""

    id: NoticeId
    key: str
    account: AccountId
    mode: Mode
    person: Person
    kind: NoticeKind
    tier: TierName
    created_at: datetime
    until: datetime | None = None
    attempts: int = 0
    locale: str | None = None
    kept: Kept | None = None
    """The account's newest question that waits to be answered."""

    @property
    def simulated(self) -> bool:
        """Whether it is about money that nobody paid."""
        return self.mode is Mode.SIMULATED


class NoticesTx(Protocol):
    """Notices owed to people: owed once, claimed under a lease, sent or kept."""

    def owe(self, notice: Notice) -> bool:
        """Store it; False if a notice with that key exists."""
        ...

    def claim_notices(
        self, mode: Mode, now: datetime, lease_until: datetime, platforms: Sequence[str], limit: int
    ) -> Sequence[Notice]:
        """Take due notices of a mode for these platforms; `attempts` of each result counts earlier claims."""
        ...

    def notice_sent(self, notice: NoticeId, now: datetime) -> None:
        """It was shown."""
        ...

    def notice_later(self, notice: NoticeId, due: datetime) -> None:
        """Try again then."""
        ...

    def keep_notice(self, notice: NoticeId) -> None:
        """The person cannot be written to: keep it for their next command."""
        ...

    def has_kept(self, account: AccountId, mode: Mode) -> bool:
        """Whether the account has kept notices of that mode."""
        ...

    def take_kept(self, account: AccountId, mode: Mode, now: datetime) -> Sequence[Notice]:
        """Kept notices of an account in that mode, marked as sent by this unit."""
        ...

    def notices(self, account: AccountId) -> Sequence[Notice]:
        """All of an account in any mode, oldest first."""
        ...
