"""A team's budget, shared fairly among its seats: what each may still use of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from engine.catalogue import Catalogue, seats_of
from engine.domain import AccountId, Micros, Scope, Tier
from engine.facts import Access, Mode
from engine.ledger import Tx
from engine.spending import Purse, seat, team


@dataclass(frozen=True, slots=True)
class Pot:
    """A month of a team's budget, as it is used by now. Amounts are vendor cost, held estimates included."""

    gone: Micros
    """Used by people who have no seat any more."""
    uses: Sequence[Micros]
    """Used by each seat that somebody has."""
    elapsed: Fraction
    """The part of the month that has gone, below 1."""

    @property
    def used(self) -> Micros:
        """By all of them."""
        return Micros(self.gone + sum(self.uses))

    def left(self, budget: Micros) -> Micros:
        """What is left of a budget."""
        return Micros(max(0, budget - self.used))

    def share(self, budget: Micros) -> Micros:
        """What each seat has of it."""
        return Micros(max(0, budget - self.gone) // len(self.uses))

    def level(self, budget: Micros) -> Micros:
        """How far all seats can come alike with what is left, those that used least first; at most a share.

        It is the share itself until somebody borrows. What a seat uses below it leaves it as it is.
        """
        below = sorted(use for use in self.uses if use < self.share(budget))
        levels = [(self.left(budget) + sum(below[:count])) // count for count in range(1, len(below) + 1)]
        return Micros(min([self.share(budget), *levels]))

    def kept(self, budget: Micros, use: Micros) -> Micros:
        """What of its share a seat that used so much has still before it, for the time that is to come."""
        share = self.share(budget)
        ahead = -(-share * (1 - self.elapsed) // 1)
        return Micros(max(0, min(share - use, int(ahead))))

    def room(self, budget: Micros, seat: int) -> Micros:
        """What a seat may still use of a budget.

        It can always come to the level. Beyond it, it borrows what the others have not used of the time that
        has gone: what is left without all that they have before them.
        """
        mine, left = self.uses[seat], self.left(budget)
        others = (use for number, use in enumerate(self.uses) if number != seat)
        kept = sum(self.kept(budget, use) for use in others)
        return Micros(max(0, self.level(budget) - mine, left - kept))

    def reach(self, budget: Micros | None, seat: int) -> Micros | None:
        """What a seat may come to have used; without a budget there is no limit."""
        return None if budget is None else Micros(self.uses[seat] + self.room(budget, seat))


@dataclass(frozen=True, slots=True)
class Share:
    """What an account has of its team's budget in this month."""

    owner: AccountId
    account: AccountId
    mode: Mode
    tier: Tier
    """The team's, whose ceiling and stop are for all seats together."""
    seats: int
    """As many as were bought or given."""
    pot: Pot
    place: int | None
    """The account's among the pot's uses; None: it was taken out of the team in this moment."""

    @property
    def purse(self) -> Scope:
        """Where it is counted what the seat uses; that of the whole team counts it, too."""
        return seat(self.owner, self.account)

    @property
    def used(self) -> Micros:
        """By this seat."""
        return Micros(0) if self.place is None else self.pot.uses[self.place]

    @property
    def own(self) -> Tier:
        """The tier with what this seat alone may come to have used by now, borrowed included."""
        tier = self.tier
        ceiling, stop = self.reach(tier.cost_ceiling_month), self.reach(tier.cost_stop_month)
        return replace(tier, cost_ceiling_month=ceiling, cost_stop_month=stop)

    def reach(self, budget: Micros | None) -> Micros | None:
        """What this seat may come to have used of a budget of the team's; without one there is no limit."""
        if budget is None:
            return None
        return Micros(0 if self.place is None else self.used + self.pot.room(budget, self.place))

    def reserved(self, most: Micros) -> Mapping[Scope, Micros]:
        """What a question that costs so much at most holds of the seat's share and of the whole budget."""
        return {team(self.owner): most, self.purse: most}


def share_of(
    tx: Tx, catalogue: Catalogue, found: Access, account: AccountId, mode: Mode, now: datetime, *, lock: bool
) -> Share | None:
    """The account's share, if what it has is a seat in a team, its own one or another's.

    With `lock` nobody else of the team is let in before this unit ends.
    """
    tier = catalogue.tier(found.tier)
    if not tier.shared:
        return None
    owner = found.team or account
    if lock:
        tx.lock_team(owner, mode)
    return renewed(tx, Share(owner, account, mode, tier, seats_of(catalogue, found), NOTHING, None), now)


def renewed(tx: Tx, share: Share, now: datetime) -> Share:
    """The same by what is used now."""
    return seen(share, tx.team_purses(share.owner, share.mode, now), now)


def seen(share: Share, purses: Mapping[Scope, Purse], now: datetime) -> Share:
    """The same by those purses of the team."""
    (_, whole), *joined = purses.items()
    seated = dict(joined[: share.seats])
    uses = [each.taken for each in seated.values()]
    pot = Pot(Micros(max(0, whole.taken - sum(uses))), uses, elapsed(now))
    return replace(share, pot=pot, place=list(seated).index(share.purse) if share.purse in seated else None)


def elapsed(now: datetime) -> Fraction:
    """The part of a UTC month that has gone."""
    begin = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = (begin + timedelta(days=32)).replace(day=1)
    instant = timedelta(microseconds=1)
    return Fraction((now - begin) // instant, (end - begin) // instant)


NOTHING = Pot(Micros(0), (), Fraction(0))
"""The pot of a share that was not read yet."""
