"""What an operator tells many members: who is owed it, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from engine.domain import AccountId, Person, Platform, TierName

EVER = datetime(1970, 1, 1, tzinfo=UTC)


class Stage(StrEnum):
    """How far an announcement is."""

    DRAFT = "draft"
    """Shown to its operator alone; forgotten if nobody confirms it."""
    SENDING = "sending"
    SENT = "sent"
    STOPPED = "stopped"


class Fate(StrEnum):
    """What became of one member's."""

    OWED = "owed"
    SENT = "sent"
    OPTED_OUT = "opted_out"
    """They have switched announcements off, or were blocked meanwhile."""
    UNREACHABLE = "unreachable"
    """They cannot be written to (closed DMs), which is not tried again."""
    FAILED = "failed"
    """It was given up after several tries."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom it is for: members of these tiers, on these platforms, seen since then; empty: all."""

    tiers: tuple[TierName, ...] = ()
    platforms: tuple[Platform, ...] = ()
    seen_since: datetime = EVER


@dataclass(frozen=True, slots=True)
class Announcement:
    """The operator's own words, as they wrote them; `by` is the name of an `engine.audit.Actor`."""

    id: str
    text: str
    by: str
    audience: Audience
    made_at: datetime
    receivers: int
    """How many it was for when its operator was asked to confirm it."""
    stage: Stage = Stage.DRAFT
    gathered_to: AccountId | None = None
    """The last account that was looked at while its receivers are gathered."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody whom an announcement may be for."""

    account: AccountId
    person: Person
    listens: bool
    """Whether they want announcements."""


@dataclass(frozen=True, slots=True)
class Letter:
    """An announcement as it is owed to one person; `key` names that message for ever."""

    key: str
    person: Person
    text: str
    since: datetime
    """A moment before which it was not sent."""
    attempts: int = 0
    """Earlier claims."""
    locale: str | None = None
    listens: bool = True


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an announcement is, and how many members met which fate."""

    announcement: Announcement
    fates: Mapping[Fate, int]


class Crier(Protocol):
    """Tells a member what the operator announces, on one platform."""

    async def announce(self, letter: Letter, *, again: bool) -> None:
        """Show it privately to its person; `again` and errors as for `engine.ports.Messenger`."""
        ...


class AnnouncementsTx(Protocol):
    """Announcements: owed once to each member, claimed under a lease."""

    def set_announcements(self, account: AccountId, *, wanted: bool) -> None:
        """Remember whether a member wants them."""
        ...

    def receivers(self, audience: Audience, after: AccountId | None, limit: int) -> Sequence[Receiver]:
        """Members of the audience, of any tier, by the ids of their accounts: the first ones after that one.

        Nobody who is blocked, and only who wrote to the bot before.
        """
        ...

    def draft(self, announcement: Announcement) -> None:
        """Store a new one."""
        ...

    def announcement(self, name: str) -> Announcement | None:
        """One by its id."""
        ...

    def confirm_announcement(self, name: str, now: datetime) -> bool:
        """Let a draft be sent; False if there is none of that id, or it was confirmed before."""
        ...

    def stop_announcement(self, name: str) -> bool:
        """Send it to nobody more; False if it is not being sent."""
        ...

    def lock_gathering(self) -> Announcement | None:
        """The oldest one whose receivers are not gathered, locked until the unit ends."""
        ...

    def owe_announcement(self, name: str, receiver: Receiver, now: datetime) -> None:
        """Owe it to a member, once; to one who wants none it is only noted so."""
        ...

    def gathered(self, name: str, last: AccountId | None) -> None:
        """Go on after that account; None: all are gathered."""
        ...

    def announcing(self) -> bool:
        """Whether any is being sent."""
        ...

    def claim_letter(self, platform: Platform, now: datetime, lease_until: datetime) -> Letter | None:
        """Take what is due longest for a member of a platform."""
        ...

    def letter_ended(self, key: str, fate: Fate, now: datetime) -> None:
        """What became of one that is owed."""
        ...

    def letter_later(self, key: str, due: datetime) -> None:
        """Try again then."""
        ...

    def end_announcements(self, old: datetime) -> None:
        """Those that are owed to nobody more are sent; drafts made before `old` are forgotten."""
        ...

    def announcements(self, limit: int) -> Sequence[Progress]:
        """The newest with how far they are, drafts left out."""
        ...
