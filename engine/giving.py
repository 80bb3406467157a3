"""Operators give tiers until a date, and conversations beyond a day's limit, and take them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from engine.audit import Actor, Deed, Entry
from engine.catalogue import Wares
from engine.domain import Account, Person, TierName
from engine.facts import Access
from engine.grants import Credit, Grant
from engine.ledger import Tx, locked
from engine.notices import Notice, NoticeId, NoticeKind
from engine.ports import Clock, Store
from engine.subscriptions import Subscriptions
from engine.teams import access_of

CREDIT_LIFE = timedelta(days=90)
LONGEST = timedelta(days=3660)
MOST_CREDITS = 10_000
NOTE_LENGTH = 200


class Objection(StrEnum):
    """Why nothing was given or taken back."""

    NOT_A_TIER = "not_a_tier"
    """Free, or one that config.toml does not describe."""
    PAST = "past"
    TOO_FAR = "too_far"
    TOO_MANY = "too_many"
    NOTHING = "nothing"
    """There is nothing to take back."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A tier that was given, and what the person has with it."""

    grant: Grant
    access: Access
    met: bool
    """Whether the person was ever seen before."""


@dataclass(frozen=True, slots=True)
class Credited:
    """Conversations that were given."""

    credit: Credit
    limited: bool
    """Whether the person's tier has a daily limit beyond which they count."""
    met: bool


class Giver:
    """What anything that gives tiers works with."""

    def __init__(self, store: Store, clock: Clock, wares: Wares, subscriptions: Subscriptions) -> None:
        self._store = store
        self._clock = clock
        self._wares = wares
        self._subscriptions = subscriptions
        self._mode = subscriptions.mode

    def now(self) -> datetime:
        """The time by our clock."""
        return self._clock.now()

    def _access(self, tx: Tx, account: Account, now: datetime) -> Access:
        return access_of(tx, self._wares.today, account.id, self._mode, now)


class Giving(Giver):
    """What operators give, each with its row in the audit log in the same unit of work."""

    async def grant(
        self, actor: Actor, person: Person, tier: TierName, until: datetime, note: str = ""
    ) -> Granted | Objection:
        """Give a tier from now on; the person is told once. Grants beside it go on as they are."""
        now = self._clock.now()
        if not gives(self._wares, tier):
            return Objection.NOT_A_TIER
        if obstacle := misdated(until, now):
            return obstacle

        def work(tx: Tx) -> Granted:
            met = tx.find_account(person) is not None
            account = tx.lock_account(person, now)
            made = Grant(account.id, self._mode, 0, tier, now, until, now, actor.name, note[:NOTE_LENGTH])
            grant = tx.add_grant(made)
            told = f"{tier} until {shown(until)}"
            tx.note(Entry(now, actor, Deed.GRANT, str(person), noted(told, grant.note)))
            tx.owe(self._notice(account, NoticeKind.GRANTED, grant.number, tier, until, now))
            self._subscriptions.record(tx, account, now)
            return Granted(grant, self._access(tx, account, now), met)

        return await self._store.transact(work)

    async def revoke(
        self, actor: Actor, person: Person, number: int | None = None
    ) -> Sequence[Grant] | Objection:
        """End a person's grants now, or the one of that number; which they were."""
        now = self._clock.now()

        def work(tx: Tx) -> Sequence[Grant] | Objection:
            account = locked(tx, person)
            if account is None:
                return Objection.NOTHING
            mode = self._mode
            ended = [
                each
                for each in tx.grants(account.id, mode)
                if number in {None, each.number} and tx.revoke_grant(account.id, mode, each.number, now)
            ]
            for each in ended:
                told = f"number {each.number}: {each.tier} until {shown(each.until)}"
                tx.note(Entry(now, actor, Deed.REVOKE, str(person), told))
            self._subscriptions.record(tx, account, now)
            return ended or Objection.NOTHING

        return await self._store.transact(work)

    async def credit(
        self, actor: Actor, person: Person, amount: int, until: datetime | None = None, note: str = ""
    ) -> Credited | Objection:
        """Give so many conversations beyond the daily limit; the person is told once."""
        now = self._clock.now()
        ends = until or now + CREDIT_LIFE
        if not 0 < amount <= MOST_CREDITS:
            return Objection.TOO_MANY
        if obstacle := misdated(ends, now):
            return obstacle

        def work(tx: Tx) -> Credited:
            met = tx.find_account(person) is not None
            account = tx.lock_account(person, now)
            made = Credit(account.id, self._mode, 0, amount, ends, now, actor.name, note[:NOTE_LENGTH])
            credit = tx.add_credit(made)
            told = noted(f"{amount} until {shown(ends)}", credit.note)
            tx.note(Entry(now, actor, Deed.CREDIT, str(person), told))
            tier = self._wares.today.tier(self._access(tx, account, now).tier)
            tx.owe(self._notice(account, NoticeKind.CREDITED, credit.number, tier.name, ends, now))
            return Credited(credit, tier.conversations_per_day is not None, met)

        return await self._store.transact(work)

    async def uncredit(
        self, actor: Actor, person: Person, number: int | None = None
    ) -> Sequence[Credit] | Objection:
        """Take back what is left of a person's credits, or of the one of that number; which they were."""
        now = self._clock.now()

        def work(tx: Tx) -> Sequence[Credit] | Objection:
            account = locked(tx, person)
            if account is None:
                return Objection.NOTHING
            taken = [
                each
                for each in tx.credits(account.id, self._mode)
                if number in {None, each.number} and each.left(now)
            ]
            for each in taken:
                tx.revoke_credit(account.id, self._mode, each.number, now)
                told = f"number {each.number}: {each.left(now)} of {each.amount}"
                tx.note(Entry(now, actor, Deed.UNCREDIT, str(person), told))
            return taken or Objection.NOTHING

        return await self._store.transact(work)

    def _notice(
        self, account: Account, kind: NoticeKind, number: int, tier: TierName, until: datetime, now: datetime
    ) -> Notice:
        key = f"{kind}:{self._mode}:{account.id}:{number}"
        name = NoticeId(uuid4().hex)
        return Notice(name, key, account.id, self._mode, account.person, kind, tier, now, until)


def gives(wares: Wares, tier: TierName) -> bool:
    """Whether a tier is described and gives more than free does."""
    return tier is not TierName.FREE and tier in wares.today.tiers


def misdated(until: datetime, now: datetime) -> Objection | None:
    """What is wrong with an end."""
    if until <= now:
        return Objection.PAST
    return Objection.TOO_FAR if until - now > LONGEST else None


def shown(at: datetime) -> str:
    """A moment as operators read it."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def noted(told: str, note: str) -> str:
    """What was done, with the operator's note."""
    return f"{told} ({note})" if note else told
