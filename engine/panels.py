"""Reads the figures of the operator's dashboard: few rows of counts each, at any size of the books."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import TypeVar

from engine.catalogue import Wares
from engine.charts import (
    ConversationsOfDay,
    Days,
    MarginPanel,
    MemberRow,
    MembersPage,
    Overview,
    Past,
    RevenuePanel,
    TiersPanel,
)
from engine.churning import Churns
from engine.domain import AccountId, TierName
from engine.earnings import margin_panel, paying, revenue_panel, tiers_by_day
from engine.facts import Mode
from engine.figures import FunnelStep
from engine.gauges import BacklogPanel, BacklogSize, LimitLine, VendorsPanel, WebhooksPanel
from engine.health import conversations, limits, vendors_panel, webhooks_panel
from engine.ledger import Tx
from engine.ports import Clock, Store
from engine.ranking import Ranking, month_of, read_month, worst
from engine.reports import FunnelRow, funnel
from engine.tallies import Counted, Kind, MemberOrder, RevenueDay, day_number, hour_number
from engine.teams import access_of

T = TypeVar("T")
WORST = 10
"""Members in the first view."""
FOUND = 200
"""Members that a search finds at most."""
LONGEST_BY_HOUR = 72
"""Hours that are shown one by one; what is longer by the day."""
ONE_DAY = timedelta(days=1)


class Panels:
    """What the operator's pages show, of the mode in which the house sells; each method is one reading.

    One reading at a time, so that however many look, a connection is left to the chat.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        wares: Wares,
        mode: Mode = Mode.LIVE,
        markup: Decimal = Decimal(0),
    ) -> None:
        """`markup` is what 1 USD of metered vendor cost is sold for."""
        self._store = store
        self._clock = clock
        self._wares = wares
        self._mode = mode
        self._markup = Fraction(markup)
        self._turn = asyncio.Lock()

    @property
    def today(self) -> date:
        """The UTC day that it is."""
        return self._clock.now().astimezone(UTC).date()

    def back(self, days: int) -> Days:
        """So many days, today the last of them."""
        return Days.back(days, self._clock.now())

    async def overview(self, days: Days) -> Overview:
        """The first view, all of one moment; vendors are those of the last 24 hours."""
        return await self._read(lambda look: look.overview(days))

    async def revenue(self, days: Days) -> RevenuePanel:
        """MRR now and by day, its movements, and churn."""
        return await self._read(lambda look: look.revenue(days))

    async def tiers(self, days: Days) -> TiersPanel:
        """Who pays, now and by day."""
        return await self._read(lambda look: look.tiers(days))

    async def funnel(self, days: Days) -> Sequence[FunnelRow]:
        """Accounts that came to each step for the first time in these days."""
        return await self._read(lambda look: look.funnel(days))

    async def conversations(self, days: Days) -> Sequence[ConversationsOfDay]:
        """Conversations by day and tier."""
        return await self._read(lambda look: look.conversations(days))

    async def margin(self, days: Days) -> MarginPanel:
        """Revenue, cost and margin by day and tier; cost by model."""
        return await self._read(lambda look: look.margin(days))

    async def members(
        self,
        month: date,
        order: MemberOrder = MemberOrder.MARGIN,
        *,
        skip: int = 0,
        limit: int = 50,
        text: str = "",
        backwards: bool = False,
    ) -> MembersPage:
        """A page of the members of the UTC month of a day: the worst margin first, or in another order.

        With `text` those whose person has it in its text, whether they cost anything or not.
        """
        way = Way(order, text, backwards)
        return await self._read(lambda look: look.members(month, way, skip, limit))

    async def every_member(
        self,
        month: date,
        order: MemberOrder,
        text: str,
        take: Callable[[Iterator[MemberRow]], T],
        *,
        backwards: bool = False,
    ) -> T:
        """What `take` makes of all of them, of one moment and in the order of the pages.

        It goes through them while they are read, in the thread of the reading; and through all of them again
        if the database was lost meanwhile.
        """
        way = Way(order, text, backwards)
        return await self._read(lambda look: take(look.every_member(month, way)))

    async def vendors(self, hours: int = 24) -> VendorsPanel:
        """How requests went in so many hours up to now; by the hour, or by the day where they are many."""
        return await self._read(lambda look: look.vendors(hours))

    async def webhooks(self, days: Days) -> WebhooksPanel:
        """Webhook events by the hour, or by the day where there are many."""
        return await self._read(lambda look: look.webhooks(days))

    async def limits(self, days: Days) -> Sequence[LimitLine]:
        """Questions that limits stopped, by day, tier and reason."""
        return await self._read(lambda look: look.limits(days))

    async def backlog(self) -> BacklogPanel:
        """What has to be done now, and what was given up; `Tx.retry_dead` brings that back."""
        return await self._read(lambda look: look.backlog())

    async def _read(self, work: Callable[[Look], T]) -> T:
        async with self._turn:
            now = self._clock.now()
            return await self._store.read(
                lambda tx: work(Look(tx, now, self._mode, self._markup, self._wares))
            )


@dataclass(frozen=True, slots=True)
class Way:
    """How members are looked at: in which order, and who is searched for."""

    order: MemberOrder
    text: str
    backwards: bool


@dataclass(frozen=True)
class Look:
    """One reading of the figures; what several of them are made of is read once."""

    tx: Tx
    now: datetime
    mode: Mode
    markup: Fraction
    wares: Wares

    @property
    def today(self) -> date:
        """The UTC day that it is."""
        return self.now.astimezone(UTC).date()

    @cached_property
    def revenue_days(self) -> Sequence[RevenueDay]:
        """All that moved the revenue up to today."""
        return self.tx.revenue_days(self.mode, self.today + ONE_DAY)

    def daily(self, days: Days, *kinds: Kind, mode: str = "") -> Sequence[Counted]:
        """Counts of some days."""
        return self.tx.tallies(kinds, mode, day_number(days.first), day_number(days.last) + 1)

    def overview(self, days: Days) -> Overview:
        """Everything at a glance."""
        return Overview(
            mode=self.mode,
            now=self.now,
            days=days,
            revenue=self.revenue(days),
            tiers=self.tiers(days),
            funnel=self.funnel(days),
            conversations=self.conversations(days),
            margin=self.margin(days),
            past=self.past(days.before),
            worst=self.worst(),
            vendors=self.vendors(24),
            webhooks=self.webhooks(days),
            limits=self.limits(days),
            pauses=tuple(self.tx.pauses(self.now)),
            backlog=BacklogSize(tuple(self.tx.waiting(self.mode, self.now)), self.tx.count_dead(self.mode)),
        )

    def past(self, days: Days) -> Past:
        """What other days are compared with."""
        churns, talked = self.churns(days), self.conversations(days)
        opening = paying(self.revenue_days, days)
        return Past(churns.logos(opening), sum(each.total for each in talked), self.margin(days).total)

    def churns(self, days: Days) -> Churns:
        """Who left and who pays less."""
        return Churns(self.tx.turnovers(self.mode, days.since, days.until))

    def revenue(self, days: Days) -> RevenuePanel:
        """As `Panels.revenue`."""
        return revenue_panel(self.mode, days, self.today, self.revenue_days, self.churns(days))

    def tiers(self, days: Days) -> TiersPanel:
        """As `Panels.tiers`."""
        changes = self.tx.tallies((Kind.TIER,), self.mode, 0, day_number(self.today) + 1)
        now, by_day = tiers_by_day(days, self.today, self.revenue_days, changes)
        return TiersPanel(now, self.tx.count_accounts(), by_day)

    def funnel(self, days: Days) -> tuple[FunnelRow, ...]:
        """As `Panels.funnel`."""
        reached: dict[FunnelStep, int] = {}
        for key, amounts in self.daily(days, Kind.STEP, mode=self.mode):
            step = FunnelStep(key.detail)
            reached[step] = reached.get(step, 0) + amounts.times
        return funnel(list(reached.items()))

    def conversations(self, days: Days) -> tuple[ConversationsOfDay, ...]:
        """As `Panels.conversations`."""
        return conversations(days, self.daily(days, Kind.CONVERSATION))

    def margin(self, days: Days) -> MarginPanel:
        """As `Panels.margin`."""
        counts = [*self.daily(days, Kind.USAGE), *self.daily(days, Kind.METERED, mode=self.mode)]
        return margin_panel(self.mode, days, self.revenue_days, counts, self.markup)

    def vendors(self, hours: int) -> VendorsPanel:
        """As `Panels.vendors`."""
        step = step_of(hours)
        until = hour_number(self.now) + 1
        since = (until - hours) // step * step
        counts = self.tx.tallies((Kind.CALL, Kind.FIRST, Kind.TOTAL), "", since, until, step)
        return vendors_panel(counts, self.tx.circuits(), step)

    def webhooks(self, days: Days) -> WebhooksPanel:
        """As `Panels.webhooks`."""
        kinds = Kind.DELIVERY, Kind.APPLIED, Kind.READING
        since, until = day_number(days.first) * 24, (day_number(days.last) + 1) * 24
        step = step_of(until - since)
        return webhooks_panel(self.tx.tallies(kinds, self.mode, since, until, step), step)

    def limits(self, days: Days) -> tuple[LimitLine, ...]:
        """As `Panels.limits`."""
        return limits(self.daily(days, Kind.REFUSAL))

    def backlog(self) -> BacklogPanel:
        """As `Panels.backlog`."""
        waiting, letters = self.tx.waiting(self.mode, self.now), self.tx.dead_letters(self.mode)
        return BacklogPanel(tuple(waiting), tuple(letters))

    def worst(self) -> tuple[MemberRow, ...]:
        """Members who leave least in this month."""
        days = month_of(self.today, self.today)
        return tuple(worst(self.tx, self.mode, days, self.markup, self.tier_of, WORST))

    def members(self, day: date, way: Way, skip: int, limit: int) -> MembersPage:
        """As `Panels.members`."""
        month = read_month(self.tx, self.mode, month_of(day, self.today), self.markup)
        ranking = Ranking(self.tx, self.mode, month, self.tier_of, way.backwards)
        if way.text.strip():
            found = ranking.found(way.text, way.order, FOUND)
            return MembersPage(month.days.first, tuple(found[skip : skip + limit]), len(found), skip)
        page = ranking.page(way.order, skip, limit)
        return MembersPage(month.days.first, tuple(page), ranking.count(), skip)

    def every_member(self, day: date, way: Way) -> Iterator[MemberRow]:
        """As `Panels.every_member`."""
        month = read_month(self.tx, self.mode, month_of(day, self.today), self.markup)
        ranking = Ranking(self.tx, self.mode, month, self.tier_of_few, way.backwards)
        if way.text.strip():
            return iter(ranking.found(way.text, way.order, FOUND))
        return ranking.every(way.order)

    @cached_property
    def favoured(self) -> frozenset[AccountId]:
        """Those who may have another tier than the free one."""
        return self.tx.favoured(self.mode)

    def tier_of_few(self, account: AccountId) -> TierName:
        """As `tier_of`, where so many are asked about that most can have no tier at all."""
        return self.tier_of(account) if account in self.favoured else TierName.FREE

    def tier_of(self, account: AccountId) -> TierName:
        """The tier that an account has now, by a seat or its own."""
        return access_of(self.tx, self.wares.today, account, self.mode, self.now).tier


def step_of(hours: int) -> int:
    """How many hours of so many are shown as one."""
    return 1 if hours <= LONGEST_BY_HOUR else 24
