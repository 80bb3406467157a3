"""Gift codes: operators make them, whoever has one redeems it, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from engine.audit import Actor, Deed, Entry
from engine.codes import HOUR, NAME_LENGTH, TRIES_AN_HOUR, digest_of, name_of, new_code
from engine.domain import Account, Person, TierName
from engine.facts import Access, AccessReason
from engine.giving import Giver, Objection, gives, misdated, shown
from engine.grants import Gift, GiftState, Grant, after_others
from engine.ledger import Tx

MOST_AT_ONCE = 1_000
LONGEST_DAYS = 3_660
LISTED = 200


class Unredeemed(StrEnum):
    """Why a code gave nothing."""

    UNKNOWN = "unknown"
    USED = "used"
    YOURS = "yours"
    """The same person used it before."""
    EXPIRED = "expired"
    VOID = "void"
    BLOCKED = "blocked"
    """The operator lets them ask nothing: the code stays good."""
    TOO_MANY_TRIES = "too_many_tries"
    HAVE_AS_MUCH = "have_as_much"
    """What they pay for, or a seat, gives as much or more: the code stays good."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a code gave."""

    grant: Grant
    access: Access
    """What the person has now."""


class Gifts(Giver):
    """Makes codes and redeems them."""

    async def make(
        self, actor: Actor, tier: TierName, days: int, count: int = 1, expires: datetime | None = None
    ) -> Sequence[str] | Objection:
        """New codes, each for one person; they are never shown again."""
        now = self._clock.now()
        if not gives(self._wares, tier):
            return Objection.NOT_A_TIER
        if not 0 < count <= MOST_AT_ONCE:
            return Objection.TOO_MANY
        if not 0 < days <= LONGEST_DAYS:
            return Objection.TOO_FAR
        if expires and (obstacle := misdated(expires, now)):
            return obstacle
        codes = [new_code() for _ in range(count)]

        def work(tx: Tx) -> None:
            for code in codes:
                tx.save_gift(Gift(digest_of(code), self._mode, tier, days, now, actor.name, expires))
            good = f", good until {shown(expires)}" if expires else ""
            tx.note(Entry(now, actor, Deed.GIFT, "", f"{count} of {tier} for {days} days{good}"))

        await self._store.transact(work)
        return codes

    async def listed(self, actor: Actor) -> Sequence[Gift]:
        """The newest codes and what became of them."""
        now = self._clock.now()

        def work(tx: Tx) -> Sequence[Gift]:
            tx.note(Entry(now, actor, Deed.GIFTS))
            return tx.gifts(self._mode, LISTED)

        return await self._store.transact(work)

    async def void(self, actor: Actor, code: str) -> Gift | Objection:
        """Let an unused code, or the one of that name in the list, be good no more."""
        now = self._clock.now()
        name = code.lower() if len(code) == NAME_LENGTH else name_of(digest_of(code))

        def work(tx: Tx) -> Gift | Objection:
            found = tx.void_gift(name, self._mode, now)
            if not found:
                return Objection.NOTHING
            tx.note(Entry(now, actor, Deed.VOID, name, f"{found[0].tier} for {found[0].days} days"))
            return found[0]

        return await self._store.transact(work)

    async def redeem(self, person: Person, code: str) -> Redeemed | Unredeemed:
        """Turn a code into a grant: once, whoever comes at once. Its days come after those given before."""
        now = self._clock.now()
        return await self._store.transact(lambda tx: self._redeemed(tx, person, code, now))

    def _redeemed(self, tx: Tx, person: Person, code: str, now: datetime) -> Redeemed | Unredeemed:
        account = tx.lock_account(person, now)
        if account.blocked_at:
            return Unredeemed.BLOCKED
        if not tx.try_code(account.id, now, now - HOUR, TRIES_AN_HOUR):
            return Unredeemed.TOO_MANY_TRIES
        gift = tx.gift(digest_of(code), self._mode)
        if gift is None:
            return Unredeemed.UNKNOWN
        if obstacle := self._obstacle(tx, account, gift, now):
            return obstacle
        if not tx.use_gift(gift.digest, account.id, now):  # somebody else was faster
            return Unredeemed.USED
        grant = tx.add_grant(self._grant(tx, account, gift, now))
        told = f"{gift.tier} from {shown(grant.since)} until {shown(grant.until)}"
        tx.note(Entry(now, Actor.in_chat(person), Deed.REDEEM, gift.name, told))
        self._subscriptions.record(tx, account, now)
        return Redeemed(grant, self._access(tx, account, now))

    def _obstacle(self, tx: Tx, account: Account, gift: Gift, now: datetime) -> Unredeemed | None:
        """What keeps an account from using a code."""
        match gift.state(now):
            case GiftState.USED:
                return Unredeemed.YOURS if gift.account == account.id else Unredeemed.USED
            case GiftState.EXPIRED:
                return Unredeemed.EXPIRED
            case GiftState.VOID:
                return Unredeemed.VOID
        found, rank = self._access(tx, account, now), self._wares.today.rank
        paid = found.tier is not TierName.FREE and found.reason is not AccessReason.GRANTED
        return Unredeemed.HAVE_AS_MUCH if paid and rank(found.tier) >= rank(gift.tier) else None

    def _grant(self, tx: Tx, account: Account, gift: Gift, now: datetime) -> Grant:
        others = tx.grants(account.id, self._mode)
        since = after_others(others, gift.tier, self._wares.today.rank, now)
        until = since + timedelta(days=gift.days)
        return Grant(account.id, self._mode, 0, gift.tier, since, until, now, gift.made_by, gift=gift.digest)
