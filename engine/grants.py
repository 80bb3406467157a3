"""What is given without any payment: tiers until a date, codes for these, conversations beyond a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from engine.codes import name_of
from engine.domain import AccountId, ConversationId, Person, TierName
from engine.facts import Mode

Rank = Callable[[TierName], int]
"""How high a tier stands among those on sale."""
NOTICE = timedelta(days=3)
"""How long before its end a member is told of it, if what was given lasts longer than that."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A tier that an account has from `since` to before `until`, or to its revocation."""

    account: AccountId
    mode: Mode
    number: int
    """Within account and mode; given when it is written down."""
    tier: TierName
    since: datetime
    until: datetime
    made_at: datetime
    made_by: str
    """As `Actor.name`."""
    note: str = ""
    gift: str | None = None
    """The digest of the code that it was given by."""
    revoked_at: datetime | None = None

    @property
    def ends(self) -> datetime:
        """When it is really over."""
        return min(self.until, self.revoked_at) if self.revoked_at else self.until

    def runs(self, now: datetime) -> bool:
        """Whether it gives its tier at `now`."""
        return self.since <= now < self.ends


@dataclass(frozen=True, slots=True)
class Spell:
    """A time in which grants give one tier without a gap."""

    tier: TierName
    since: datetime
    until: datetime


def spell(grants: Sequence[Grant], rank: Rank, now: datetime) -> Spell | None:
    """What grants give at `now`, the best of them by rank, and how long they do; None: nothing."""
    best = max((each for each in grants if each.runs(now)), key=lambda each: rank(each.tier), default=None)
    if best is None:
        return None
    same = sorted(
        (each for each in grants if each.tier is best.tier and each.ends > each.since),
        key=lambda each: each.since,
    )
    since, until = best.since, best.ends
    for each in same:
        if each.since <= until:
            until = max(until, each.ends)
    for each in reversed(same):
        if each.ends >= since:
            since = min(since, each.since)
    return Spell(best.tier, since, until)


def last_end(grants: Iterable[Grant], now: datetime) -> datetime | None:
    """When the last of those that are over ended."""
    return max((each.ends for each in grants if each.since <= each.ends <= now), default=None)


def moments(grants: Iterable[Grant]) -> Iterable[datetime]:
    """Every moment at which what is given, or has to be said of it, changes by itself."""
    for each in grants:
        yield from (each.since, each.ends - NOTICE, each.ends)


def after_others(grants: Iterable[Grant], tier: TierName, rank: Rank, now: datetime) -> datetime:
    """When days of a tier that are added begin: after all that gives as much or more, else now."""
    ends = (each.ends for each in grants if rank(each.tier) >= rank(tier))
    return max((now, *ends))


class GiftState(StrEnum):
    """What became of a code."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Gift:
    """A code that gives a tier for some days to whoever uses it, once; `digest` is all that is kept of it."""

    digest: str
    mode: Mode
    tier: TierName
    days: int
    made_at: datetime
    made_by: str
    expires_at: datetime | None = None
    voided_at: datetime | None = None
    account: AccountId | None = None
    """Who used it."""
    used_at: datetime | None = None
    person: Person | None = None
    """Of that account."""

    @property
    def name(self) -> str:
        """What it is called in lists."""
        return name_of(self.digest)

    def state(self, now: datetime) -> GiftState:
        """What became of it by then."""
        if self.used_at:
            return GiftState.USED
        if self.voided_at:
            return GiftState.VOID
        return GiftState.EXPIRED if self.expires_at and self.expires_at <= now else GiftState.OPEN


@dataclass(frozen=True, slots=True)
class Credit:
    """Conversations beyond the daily limit, to be begun before `until`."""

    account: AccountId
    mode: Mode
    number: int
    """Within account and mode; given when it is written down."""
    amount: int
    until: datetime
    made_at: datetime
    made_by: str
    note: str = ""
    revoked_at: datetime | None = None
    used: int = 0
    """Conversations begun on it that are counted."""

    def left(self, now: datetime) -> int:
        """How many may still be begun on it."""
        over = self.revoked_at is not None or self.until <= now
        return 0 if over else max(0, self.amount - self.used)


def spendable(credits_: Iterable[Credit], now: datetime) -> Sequence[Credit]:
    """Those with something left, the one that ends first before the others."""
    return sorted((each for each in credits_ if each.left(now)), key=lambda each: (each.until, each.number))


def left(credits_: Iterable[Credit], now: datetime) -> int:
    """How many conversations may still be begun on all of them."""
    return sum(each.left(now) for each in credits_)


class GrantsTx(Protocol):
    """Grants, gifts and credits; whoever writes those of an account holds its lock."""

    def grants(self, account: AccountId, mode: Mode) -> Sequence[Grant]:
        """All of an account, those that are over or revoked too, by number."""
        ...

    def add_grant(self, grant: Grant) -> Grant:
        """Write it down with the account's next number (the given number is ignored)."""
        ...

    def revoke_grant(self, account: AccountId, mode: Mode, number: int, now: datetime) -> bool:
        """End it now; False if it is over, revoked, or none."""
        ...

    def granted_accounts(self, mode: Mode, now: datetime, after: str, limit: int) -> Sequence[AccountId]:
        """Accounts with a grant that runs, by id, those behind `after` ('' for the first page)."""
        ...

    def save_gift(self, gift: Gift) -> None:
        """Keep a new code's digest and what it gives."""
        ...

    def gift(self, digest: str, mode: Mode) -> Gift | None:
        """What a code gives."""
        ...

    def gifts(self, mode: Mode, limit: int) -> Sequence[Gift]:
        """The newest codes, newest first."""
        ...

    def use_gift(self, digest: str, account: AccountId, now: datetime) -> bool:
        """Use it up; False if it was used before, is void, or too old: one statement, so only once."""
        ...

    def void_gift(self, name: str, mode: Mode, now: datetime) -> Sequence[Gift]:
        """Let the open code of that name be good no more; it, or nothing."""
        ...

    def credits(self, account: AccountId, mode: Mode) -> Sequence[Credit]:
        """All of an account, those that are used up, over or revoked too, by number."""
        ...

    def add_credit(self, credit: Credit) -> Credit:
        """Write it down with the account's next number (the given number is ignored)."""
        ...

    def revoke_credit(self, account: AccountId, mode: Mode, number: int, now: datetime) -> bool:
        """Let nothing more be begun on it; False if it is over, revoked, or none."""
        ...

    def begin_on(self, conversation: ConversationId, credit: Credit, now: datetime) -> None:
        """Note on which credit a conversation is begun that is beyond the limit of its day."""
        ...

    def begin_within(self, conversation: ConversationId) -> None:
        """Note that a conversation, if it was begun on a credit before, is within the limit of its day."""
        ...
