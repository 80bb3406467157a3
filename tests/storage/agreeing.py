"""Holds the dashboard's figures against the rows that they are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import Any

import pytest

from engine import ranking
from engine.catalogue import Wares
from engine.charts import Days, MemberRow, MembersPage
from engine.domain import TierName
from engine.facts import Mode
from engine.gauges import TARGETS, Quantiles
from engine.health import duration
from engine.ledger import Tx
from engine.panels import Panels
from engine.ports import Clock
from engine.ranking import worst
from engine.tallies import Delivery, Kind, MemberOrder, bound, day_number, day_of
from engine.turns import CallEnd
from storage.store import Store
from tests.storage import raw_figures as raw
from tests.storage.makers import rows

MARKUP = Decimal(3)
SETTLED = frozenset({CallEnd.ANSWERED, CallEnd.LEFT, CallEnd.CUT})
"""Ends after which a member has words."""
DAY = timedelta(days=1)


async def agree(store: Store, url: str, clock: Clock, wares: Wares, mode: Mode, days: int = 70) -> None:
    """Every figure of so many days is what the rows say."""
    query: raw.Query = cache(partial(rows, url))
    panels = Panels(store, clock, wares, mode, MARKUP)
    span = panels.back(days)
    await use_agrees(store, query, span)
    await revenue_agrees(panels, query, mode, span)
    await margin_agrees(panels, query, mode, span)
    await steps_agree(panels, query, mode, span)
    for month in sorted({day.replace(day=1) for day in span.all}):
        await members_agree(store, panels, query, mode, month)
    found = {
        (each.day, tier or ""): count
        for each in await panels.conversations(span)
        for tier, count in each.by_tier.items()
    }
    assert Counter(found) == raw.conversations(query)


async def steps_agree(panels: Panels, query: raw.Query, mode: Mode, span: Days) -> None:
    """How far accounts came."""
    known = raw.steps(query, mode)
    for row in await panels.funnel(span):
        assert row.accounts == sum(known[day, row.step.value] for day in span.all)


async def use_agrees(store: Store, query: raw.Query, span: Days) -> None:
    """Requests, tokens, cost and answers."""
    counts = await store.read(lambda tx: tx.tallies([Kind.USAGE], "", 0, day_number(span.last) + 1))
    found: Counter[tuple[object, ...]] = Counter()
    for key, each in counts:
        names = day_of(key.period), key.tier, key.provider, key.model, key.detail
        found[(*names, "requests")] += each.times
        found[(*names, "unpriced")] += each.unpriced
        found[(*names, "in")] += each.input_tokens
        found[(*names, "out")] += each.output_tokens
        found[(*names, "cost")] += each.cost
        found[day_of(key.period), key.tier, key.model, "turns"] += each.turns
    assert {key: count for key, count in found.items() if count} == raw.use(query)


async def revenue_agrees(panels: Panels, query: raw.Query, mode: Mode, span: Days) -> None:
    """MRR, its movements, who pays and who has what."""
    revenue, tiers, moved = await panels.revenue(span), await panels.tiers(span), raw.moved(query, mode)
    assert {each.currency for each in revenue.currencies} >= {currency for _, currency, _ in moved}
    for each in revenue.currencies:
        for day in each.days:
            held = mrrs(raw.standing(query, mode, day.day + DAY), each.currency)
            assert (day.mrr, day.paying) == (sum(held, Fraction(0)), len(held))
            for kind, amount in day.moved.items():
                assert amount == moved[day.day, each.currency, kind]
        assert each.opening == sum(mrrs(raw.standing(query, mode, span.first), each.currency))
        assert each.mrr == sum(each.by_tier.values()) == each.days[-1].mrr
    for shown in (*tiers.days, tiers.now):
        there = raw.standing(query, mode, shown.day + DAY).values()
        assert dict(shown.paying) == dict(Counter(tier for mrr, _, tier in there if mrr))
        assert dict(shown.having) == dict(raw.having(query, mode, shown.day + DAY))


def mrrs(standing: dict[str, tuple[Fraction, str, str]], currency: str) -> list[Fraction]:
    """What those bring in that bring in something of a currency."""
    return [mrr for mrr, its, _ in standing.values() if its == currency and mrr]


async def margin_agrees(panels: Panels, query: raw.Query, mode: Mode, span: Days) -> None:
    """Revenue and cost, in whole and by tier and model."""
    found, metered = await panels.margin(span), raw.metered(query, mode, span.first, span.last)
    assert found.total.recurring == sum(raw.earned(query, mode, span.first, span.last).values())
    assert found.total.metered == sum(metered.values()) * Fraction(MARKUP)
    cost = raw.cost(query, span.first, span.last)
    assert found.total.use.cost == cost == sum(each.use.cost for each in found.models)
    for part in ("recurring", "metered", "revenue", "margin"):
        by_tier = sum(getattr(each.margin, part) for each in found.tiers)
        by_day = sum(getattr(each.margin, part) for each in found.days)
        assert getattr(found.total, part) == by_tier == by_day


async def members_agree(store: Store, panels: Panels, query: raw.Query, mode: Mode, month: date) -> None:
    """Each member's month, in every order, whole and page by page."""
    last = min(panels.today, (month + 31 * DAY).replace(day=1) - DAY)
    earned, metered = raw.earned(query, mode, month, last), raw.metered(query, mode, month, last)
    costs = {
        who: each for (who, *when), each in raw.months(query).items() if when == [month.year, month.month]
    }
    tiers = tuple(TierName)
    orders: dict[MemberOrder, Callable[[MemberRow], object]] = {
        MemberOrder.MARGIN: lambda row: row.margin,
        MemberOrder.COST: lambda row: -row.cost,
        MemberOrder.REQUESTS: lambda row: -row.requests,
        MemberOrder.REVENUE: lambda row: -row.recurring - row.metered,
        MemberOrder.PERSON: lambda row: str(row.person),
        MemberOrder.TIER: lambda row: -tiers.index(row.tier),
    }
    assert orders.keys() == set(MemberOrder)
    for order, backwards in product(orders, (False, True)):
        whole = await panels.members(month, order, limit=1000, backwards=backwards)
        seen = {row.account: (row.requests, row.cost, row.recurring, row.metered) for row in whole.rows}
        assert len(seen) == len(whole.rows) == whole.total
        assert seen.keys() >= costs.keys() | earned.keys() | metered.keys()
        for who, told in seen.items():
            wanted = earned.get(who, Fraction(0)), metered.get(who, 0) * Fraction(MARKUP)
            assert told == (*costs.get(who, (0, 0)), *wanted)
        placed: list[Any] = [orders[order](row) for row in whole.rows]
        if order is MemberOrder.MARGIN and not backwards:
            await worst_agree(store, mode, Days(month, last), placed)
        assert placed == sorted(placed, reverse=backwards)
        assert await paged(panels, month, order, backwards=backwards) == list(whole.rows)
        assert await in_one_go(panels, month, order, backwards=backwards) == list(whole.rows)


async def in_one_go(
    panels: Panels, month: date, order: MemberOrder, *, backwards: bool
) -> Sequence[MemberRow]:
    """All members as a file has them, few at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "AT_ONCE", 3)
        return await panels.every_member(month, order, "", list, backwards=backwards)


async def worst_agree(store: Store, mode: Mode, days: Days, margins: Sequence[Fraction | int]) -> None:
    """Who leaves least, from few rows."""
    for count in (1, 2, 3, 10):
        found = await store.read(partial(worst_of, mode=mode, days=days, count=count))
        assert [row.margin for row in found] == margins[:count]


def worst_of(tx: Tx, mode: Mode, days: Days, count: int) -> Sequence[MemberRow]:
    """As the first view reads them."""
    return worst(tx, mode, days, Fraction(MARKUP), lambda _: TierName.FREE, count)


async def health_agrees(panels: Panels, query: raw.Query, mode: Mode, span: Days) -> None:
    """Limits, webhooks, vendors and the backlog of a house that nothing was erased from."""
    met = Counter(
        {(each.day, each.tier.value, each.reason.value): each.times for each in await panels.limits(span)}
    )
    assert met == raw.limits_met(query, mode, span.first, span.last)
    webhooks, took = (await panels.webhooks(span)).whole, raw.events(query, mode, span.first, span.last)
    applied = sorted(each for each in took if each is not None)
    assert webhooks.deliveries[Delivery.TAKEN] + webhooks.deliveries.get(Delivery.IGNORED, 0) == len(took)
    assert webhooks.took == within(applied)
    assert webhooks.prompt == sum(each <= TARGETS.took for each in applied)
    ends = {
        (line.provider, line.model): line.ends for line in (await panels.vendors(24 * len(span.all))).lines
    }
    found = Counter(
        {
            (model, end.value): times
            for (_, model), each in ends.items()
            for end, times in each.items()
            if end in SETTLED
        }
    )
    assert found == raw.answers(query, span.first, span.last)
    waits = {each.kind.value: each.count for each in (await panels.backlog()).waiting}
    assert waits == raw.waiting(query, mode)


def within(took: Sequence[timedelta]) -> Quantiles:
    """The bounds that half and 95 of 100 durations keep, from each of them."""
    half, most = (duration(bound(took[-(-len(took) * percent // 100) - 1])) for percent in (50, 95))
    return Quantiles(half, most, len(took))


async def paged(panels: Panels, month: date, order: MemberOrder, *, backwards: bool) -> Sequence[object]:
    """The same by pages of seven."""
    found: list[object] = []
    page: MembersPage | None = None
    while page is None or page.rows:
        page = await panels.members(month, order, skip=len(found), limit=7, backwards=backwards)
        found += page.rows
    return found
