"""Members by what a month brought in and cost: a page without reading many more, or one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from heapq import merge
from itertools import chain, islice

from engine.charts import Days, MemberRow
from engine.domain import AccountId, Micros, TierName
from engine.earnings import NOTHING, USD, Earned, days_in_month, earned_by_account
from engine.facts import Mode
from engine.ledger import Tx
from engine.tallies import MemberCost, MemberOrder

NEAR = (4, 40, 400)
"""So many times more of those that cost most are looked at before all members are."""
AT_ONCE = 2_000
"""Members that are read at once where all are wanted."""
TIERS = tuple(TierName)
"""From the lowest to the highest."""
TierOf = Callable[[AccountId], TierName]


@dataclass(frozen=True, slots=True)
class Month:
    """What accounts brought in, in one UTC month up to today."""

    days: Days
    recurring: Mapping[AccountId, Earned]
    metered: Mapping[AccountId, Fraction]
    payers: Sequence[MemberCost]
    """All that ever brought in money, as far as they cost something in the month."""
    costless: Sequence[MemberCost]
    """Those that brought in something in the month, and cost nothing."""

    def revenue(self, account: AccountId) -> Fraction:
        """US micro-dollars."""
        recurring = self.recurring.get(account, {}).get(USD, NOTHING)
        metered = self.metered.get(account)
        return recurring + metered if metered else recurring

    def margin(self, member: MemberCost) -> float:
        """What is left of a member's revenue, near enough to sort by: fractions are slow to compare."""
        return float(self.revenue(member.account)) - member.cost

    def row(self, member: MemberCost, tier: TierName) -> MemberRow:
        """A member as they are shown."""
        earned = self.recurring.get(member.account, {})
        return MemberRow(
            account=member.account,
            person=member.person,
            tier=tier,
            seen_at=member.seen_at,
            requests=member.requests,
            cost=member.cost,
            recurring=earned.get(USD, NOTHING),
            metered=self.metered.get(member.account, NOTHING),
            others={currency: amount for currency, amount in earned.items() if currency != USD},
        )


def month_of(day: date, today: date) -> Days:
    """The days of its month that have begun."""
    first = day.replace(day=1)
    last = first + timedelta(days=days_in_month(first) - 1)
    return Days(first, min(last, today))


def read_month(tx: Tx, mode: Mode, days: Days, markup: Fraction) -> Month:
    """What accounts brought in on these days, and what those cost that ever brought in anything."""
    recurring = earned_by_account(tx.balances(mode, days.last + timedelta(days=1)), days)
    used = tx.metered_costs(mode, days.since, days.until)
    metered = {account: cost * markup for account, cost in used.items()}
    costs = tx.costs_of_payers(mode, days.first)
    brought = {**recurring, **metered}
    free = (MemberCost(each, None, None, 0, Micros(0)) for each in sorted(brought) if each not in costs)
    return Month(days, recurring, metered, tuple(costs.values()), tuple(free))


def worst(
    tx: Tx, mode: Mode, days: Days, markup: Fraction, tier_of: TierOf, count: int
) -> Sequence[MemberRow]:
    """So many members of a month who leave least, from few that cost most where that can be told from them.

    Nobody loses more than they cost: whoever costs less than these lose is none of them.
    """
    used = {
        account: cost * markup for account, cost in tx.metered_costs(mode, days.since, days.until).items()
    }
    for most in (count * times for times in NEAR):
        dearest = tx.dearest(days.first, 0, most)
        balances = tx.balances_of_dearest(mode, days.last + timedelta(days=1), days.first, most)
        month = Month(days, earned_by_account(balances, days), used, (), ())
        found = sorted(dearest, key=month.margin)[:count]
        if len(dearest) == most and month.margin(found[-1]) < -dearest[-1].cost:
            return [month.row(each, tier_of(each.account)) for each in found]
    whole = Ranking(tx, mode, read_month(tx, mode, days, markup), tier_of)
    return whole.page(MemberOrder.MARGIN, 0, count)


@dataclass(frozen=True, slots=True)
class Ranking:
    """The members of one month in any order."""

    tx: Tx
    mode: Mode
    month: Month
    tier_of: TierOf
    backwards: bool = False

    def count(self) -> int:
        """Members that cost or brought in something."""
        return self.tx.count_members(self.month.days.first) + len(self.month.costless)

    def page(self, order: MemberOrder, skip: int, limit: int) -> Sequence[MemberRow]:
        """Some of them, in that order."""
        ways: dict[MemberOrder, Callable[[int, int], Sequence[MemberCost]]] = {
            MemberOrder.MARGIN: self._by_margin,
            MemberOrder.REVENUE: self._by_revenue,
            MemberOrder.COST: self._by_cost,
            MemberOrder.REQUESTS: self._by_requests,
            MemberOrder.PERSON: self._by_person,
            MemberOrder.TIER: lambda skip, limit: tuple(islice(self._by_tier(), skip, skip + limit)),
        }
        return self._shown(ways[order](skip, limit))

    def every(self, order: MemberOrder) -> Iterator[MemberRow]:
        """All of them, in the order of the pages, read as they are taken."""
        found = self.in_order(order)
        while some := tuple(islice(found, AT_ONCE)):
            yield from self._shown(some)

    def in_order(self, order: MemberOrder) -> Iterator[MemberCost]:
        """The same by what they cost, some without their persons."""
        if order is MemberOrder.PERSON:
            return self._every_person()
        if order is MemberOrder.TIER:
            return self._by_tier()
        if order in {MemberOrder.COST, MemberOrder.REQUESTS}:
            members = self._in_turn(by_requests=order is MemberOrder.REQUESTS)
            return self._either_way(members, self.month.costless)
        return self._every_by_money(order)

    def _every_by_money(self, order: MemberOrder) -> Iterator[MemberCost]:
        brought = {each.account for each in self._payers()}
        others = (each for each in self._in_turn() if each.account not in brought)
        if order is MemberOrder.REVENUE:
            return self._either_way(self._payers_by_revenue(), others)
        return merge(self._payers_by_margin(), others, key=self._loss)

    def _either_way(self, first: Iterable[MemberCost], others: Iterable[MemberCost]) -> Iterator[MemberCost]:
        return chain(others, first) if self.backwards else chain(first, others)

    def _in_turn(self, *, by_requests: bool = False) -> Iterator[MemberCost]:
        """All that cost something, the most first, or the least."""
        if self.backwards:
            for skip in range(0, self._askers(), AT_ONCE):
                yield from self._dearest(skip, AT_ONCE, by_requests=by_requests)
            return
        last: MemberCost | None = None
        while some := self.tx.dearest_behind(self.month.days.first, last, AT_ONCE, by_requests=by_requests):
            yield from some
            last = some[-1]

    def found(self, text: str, order: MemberOrder, most: int) -> Sequence[MemberRow]:
        """Those whose person has that in its text, in that order."""
        accounts = self.tx.find_members(text, most)
        members = self.tx.costs_of(accounts, self.month.days.first)
        if order is MemberOrder.TIER:
            tiered = [(self.tier_of(each.account), each) for each in members]
            return self._shown([each for _, each in sorted(tiered, key=self._tier_place)])
        ways: dict[MemberOrder, Callable[[MemberCost], float | str | tuple[float, int]]] = {
            MemberOrder.MARGIN: self.month.margin,
            MemberOrder.REVENUE: lambda each: (-float(self.month.revenue(each.account)), -each.cost),
            MemberOrder.COST: lambda each: -each.cost,
            MemberOrder.REQUESTS: lambda each: -each.requests,
            MemberOrder.PERSON: lambda each: str(each.person),
        }
        return self._shown(sorted(members, key=ways[order], reverse=self.backwards))

    def _by_person(self, skip: int, limit: int) -> Sequence[MemberCost]:
        return self.tx.costs_of(self._persons()[skip : skip + limit], self.month.days.first)

    def _persons(self) -> Sequence[AccountId]:
        """The accounts of all members in the order of their persons."""
        costless = {each.account for each in self.month.costless}
        found = self.tx.by_person(self.mode, self.month.days.first)
        named = [account for account, asked in found.items() if asked or account in costless]
        return named[::-1] if self.backwards else named

    def _every_person(self) -> Iterator[MemberCost]:
        members = {each.account: each for each in chain(self._in_turn(), self.month.costless)}
        return (members[account] for account in self._persons())

    def _by_tier(self) -> Iterator[MemberCost]:
        """Read as they are taken: those who have a tier are few, all others come by their margin."""
        tiered = [each for _, each in sorted(self._tiered(), key=self._tier_place)]
        known = {each.account for each in tiered}
        worst_first = replace(self, backwards=False).in_order(MemberOrder.MARGIN)
        return self._either_way(tiered, (each for each in worst_first if each.account not in known))

    def _tiered(self) -> Iterator[tuple[TierName, MemberCost]]:
        """Members who have another tier than the free one, each with it."""
        costless = {each.account for each in self.month.costless}
        favoured = self.tx.costs_of(sorted(self.tx.favoured(self.mode)), self.month.days.first)
        for each in favoured:
            if not each.requests and each.account not in costless:
                continue
            tier = self.tier_of(each.account)
            if tier is not TierName.FREE:
                yield tier, each

    def _tier_place(self, tiered: tuple[TierName, MemberCost]) -> tuple[int, float, str]:
        rank, member = TIERS.index(tiered[0]), tiered[1]
        return rank if self.backwards else -rank, self.month.margin(member), member.account

    def _by_margin(self, skip: int, limit: int) -> Sequence[MemberCost]:
        """The worst first.

        Of those that never paid only such are read as may stand on the page: however the payers stand between
        them, at most so many of the page's predecessors are payers.
        """
        payers = self._payers_by_margin()
        unread = max(0, skip - len(payers))
        others = self._others(unread, skip - unread + limit)
        together = sorted((*payers, *others), key=self._loss)
        return together[skip - unread : skip - unread + limit]

    def _by_revenue(self, skip: int, limit: int) -> Sequence[MemberCost]:
        payers = self._payers_by_revenue()
        if not self.backwards:
            return self._then(payers, self._others, skip, limit)
        here, past = self._others(skip, limit), max(0, skip - self._others_count())
        return (*here, *payers[past : past + limit - len(here)])

    def _payers_by_margin(self) -> Sequence[MemberCost]:
        return sorted(self._payers(), key=lambda each: (self._loss(each), each.account))

    def _loss(self, member: MemberCost) -> float:
        margin = self.month.margin(member)
        return -margin if self.backwards else margin

    def _payers_by_revenue(self) -> Sequence[MemberCost]:
        def place(member: MemberCost) -> tuple[float, int, str]:
            return -float(self.month.revenue(member.account)), -member.cost, member.account

        return sorted(self._payers(), key=place, reverse=self.backwards)

    def _by_cost(self, skip: int, limit: int) -> Sequence[MemberCost]:
        return self._before_costless(skip, limit, by_requests=False)

    def _by_requests(self, skip: int, limit: int) -> Sequence[MemberCost]:
        return self._before_costless(skip, limit, by_requests=True)

    def _before_costless(self, skip: int, limit: int, *, by_requests: bool) -> Sequence[MemberCost]:
        costless = self.month.costless
        if self.backwards:
            read = partial(self._dearest, by_requests=by_requests)
            return self._then(costless, read, skip, limit)
        found = self._dearest(skip, limit, by_requests=by_requests)
        if len(found) == limit:
            return found
        past = max(0, skip - self._askers())
        return (*found, *costless[past : past + limit - len(found)])

    def _dearest(self, skip: int, limit: int, *, by_requests: bool) -> Sequence[MemberCost]:
        read = partial(self.tx.dearest, self.month.days.first, by_requests=by_requests)
        return turned(read, self._askers(), skip, limit) if self.backwards else read(skip, limit)

    def _askers(self) -> int:
        return self.tx.count_members(self.month.days.first)

    def _others_count(self) -> int:
        return self._askers() - len(self.month.payers)

    def _then(
        self,
        first: Sequence[MemberCost],
        others: Callable[[int, int], Sequence[MemberCost]],
        skip: int,
        limit: int,
    ) -> Sequence[MemberCost]:
        here = first[skip : skip + limit]
        rest = limit - len(here)
        return (*here, *(others(max(0, skip - len(first)), rest) if rest else ()))

    def _others(self, skip: int, limit: int) -> Sequence[MemberCost]:
        """Those that never brought in money, the dearest first, or the cheapest."""
        read = partial(self.tx.dearest_of_others, self.mode, self.month.days.first)
        return turned(read, self._others_count(), skip, limit) if self.backwards else read(skip, limit)

    def _payers(self) -> Sequence[MemberCost]:
        return (*self.month.payers, *self.month.costless)

    def _shown(self, members: Sequence[MemberCost]) -> Sequence[MemberRow]:
        """With their persons and tiers."""
        bare = [each.account for each in members if each.person is None]
        known = {each.account: each for each in self.tx.costs_of(bare, self.month.days.first)}
        found = [known.get(each.account, each) for each in members]
        return [self.month.row(each, self.tier_of(each.account)) for each in found]


def turned(
    read: Callable[[int, int], Sequence[MemberCost]], count: int, skip: int, limit: int
) -> Sequence[MemberCost]:
    """A page of what `read` has the other way round, of so many."""
    end = max(0, count - skip)
    begin = max(0, end - limit)
    return read(begin, end - begin)[::-1] if end > begin else ()
