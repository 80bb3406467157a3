"""What operators did: who, what, to whom, when and from where; never what a member wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from engine.domain import Person


class Origin(StrEnum):
    """From where something was done."""

    DISCORD = "discord"
    SLACK = "slack"
    LOCAL = "local"
    """The playground."""
    CONSOLE = "console"
    """The command line."""
    DASHBOARD = "dashboard"


class Deed(StrEnum):
    """What an operator did."""

    BACKUP = "backup"
    RESTORE = "restore"
    EXPORT = "export"
    ERASE = "erase"
    WHY = "why"
    STATS = "stats"
    EVENTS = "events"
    """They were exported."""
    DASHBOARD_LINK = "dashboard-link"
    """Asked for a link into the dashboard."""
    DASHBOARD_ENTERED = "dashboard-entered"
    DASHBOARD_REFUSED = "dashboard-refused"
    """Tried a link that was used, void or too old, or that belongs to nobody in ADMIN_IDS."""
    DASHBOARD_LEFT = "dashboard-left"
    SESSIONS_ENDED = "sessions-ended"
    FIND = "find"
    RELOAD = "reload"
    WHAT_IF = "what-if"
    """A draft of the configuration was compared; never its text."""
    FORGIVE = "forgive"
    RECONCILE = "reconcile"
    DEAD_LETTERS = "dead-letters"
    """They were listed."""
    RETRY = "retry"
    BLOCK = "block"
    UNBLOCK = "unblock"
    PAUSE = "pause"
    RESUME = "resume"
    GRANT = "grant"
    REVOKE = "revoke"
    GIFT = "gift"
    GIFTS = "gifts"
    VOID = "void"
    REDEEM = "redeem"
    """A member used a code: the actor is the member."""
    CREDIT = "credit"
    UNCREDIT = "uncredit"
    ANNOUNCE = "announce"
    ANNOUNCEMENT_STOPPED = "announcement-stopped"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a person as `str(Person)`, or `console:NAME` for a user of the machine."""

    name: str
    origin: Origin

    @classmethod
    def in_chat(cls, person: Person) -> Actor:
        """Somebody who writes on their platform."""
        return cls(str(person), Origin(person.platform.value))


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the audit log; `subject` is whom or what it was about, `detail` what else is worth knowing."""

    at: datetime
    actor: Actor
    deed: Deed
    subject: str = ""
    detail: str = ""
    number: int = 0
    """Given when it is written down; rises."""


class DeedOrder(StrEnum):
    """By what entries are sorted; those that are alike stand with the newest first."""

    TIME = "at"
    ACTOR = "actor"
    ORIGIN = "origin"
    DEED = "deed"
    SUBJECT = "subject"
    DETAIL = "detail"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are looked for: of one deed, with a text anywhere in them, or all; and in what order."""

    deed: Deed | None = None
    text: str = ""
    order: DeedOrder = DeedOrder.TIME
    rising: bool = False
    """The oldest first, or from A to Z."""


class AuditTx(Protocol):
    """The audit log, to which is only ever added."""

    def note(self, entry: Entry) -> None:
        """Write down what was done, in the unit of work that does it."""
        ...

    def deeds(self, before: int | None, limit: int) -> Sequence[Entry]:
        """The newest entries, or the newest before a number; newest first."""
        ...

    def find_deeds(self, wanted: Wanted, skip: int, limit: int) -> Sequence[Entry]:
        """Those that are wanted, in that order, from the one after `skip` of them on."""
        ...

    def count_deeds(self, wanted: Wanted) -> int:
        """How many are wanted."""
        ...
