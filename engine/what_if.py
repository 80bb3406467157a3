"""What the last days would have been under a draft: cost, revenue, and who would notice."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import partial
from itertools import groupby
from operator import attrgetter

from engine.applying import PAYING
from engine.catalogue import judge
from engine.domain import AccountId, Interval, Micros, Person, RefusalReason, Tier, TierName
from engine.facts import Mode, Subscription
from engine.hindsight import Effects, Meter, Rules, Side, Swap, month_number
from engine.ledger import Tx
from engine.limits import next_month
from engine.overage import month_start
from engine.ports import Clock, Store
from engine.recorded import Recorded
from engine.replay import Replay
from engine.tallies import Kind, day_number

PAGE = 2_000
"""Rows that are read at once."""
WORST = 10
MONTH = 30
"""Days that a month's price is taken to pay for."""
MONTHS = {Interval.MONTH: 1, Interval.YEAR: 12}
ASSUMED = (
    "Nobody joins, leaves or asks otherwise than they did; what was refused left no use and stays refused.",
    "What the draft leaves as it is costs what was recorded.",
    "Where a model or its price is another, the recorded tokens are priced anew, at the prices of now.",
    "Subscriptions that run now pay for the whole span: a month's list price for 30 days, without discounts.",
    "So revenue is not what the page Money has: that is what was earned day by day.",
    "Metered use of today is what is on the bills.",
    "Whoever had a cheaper model at a ceiling keeps it.",
    "Who was given a tier has it and pays nothing; conversations begun on a credit stay begun.",
    "Of members who were erased only cost is known, by tier.",
    "A team's budget is taken as one, and how many answers were written at once is not known any more.",
)
"""What is taken for granted, a sentence each."""
LIMITS: Mapping[RefusalReason, str] = {
    RefusalReason.CONVERSATIONS: "conversations a day",
    RefusalReason.TURNS: "turns of a conversation",
    RefusalReason.RATE: "requests a minute",
    RefusalReason.CONCURRENT: "answers at once",
    RefusalReason.COMPARE: "models to compare",
    RefusalReason.MODEL_LOCKED: "no model for the tier",
    RefusalReason.COST: "cost of a month",
    RefusalReason.TEAM_COST: "cost of a team's month",
    RefusalReason.BUDGET: "ceiling of the house",
    RefusalReason.FREE_BUDGET: "what is left for free members",
}
WHY: Mapping[Swap, str] = {
    Swap.GONE: "not in the draft",
    Swap.LOCKED: "not for the tier",
    Swap.CEILING: "stepped down at a ceiling",
}
SOMEBODY = "somebody erased"


@dataclass(frozen=True, slots=True)
class Line:
    """A tier or all of them over the span, in micro-dollars."""

    members: int
    """Who used it."""
    paying: int
    """Subscriptions that run now and bring in money."""
    turns: int
    cost: Micros
    revenue: Fraction
    """Of these subscriptions for the span, and of metered use."""

    @property
    def margin(self) -> Fraction:
        """What is left."""
        return self.revenue - self.cost


NOBODY = Line(0, 0, 0, cost=Micros(0), revenue=Fraction(0))


@dataclass(frozen=True, slots=True)
class Half:
    """Everything under one set of rules."""

    whole: Line
    tiers: Mapping[TierName | None, Line]
    """None: what the operator pays alone, as for summaries."""
    models: Mapping[str, tuple[int, Micros]]
    """Requests and cost of each."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A limit of the draft: how often it would be met, and by how many."""

    reason: RefusalReason
    times: int
    members: int


@dataclass(frozen=True, slots=True)
class Affected:
    """A member who would notice."""

    person: Person | None
    blocked: int
    stepped: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Today's rules beside the draft's, over what was recorded in a span."""

    since: datetime
    until: datetime
    today: Half
    draft: Half
    blocked: tuple[Hit, ...]
    """Most often first."""
    blocked_members: int
    stepped_turns: int
    stepped_members: int
    swaps: tuple[tuple[str, str, Swap, int], ...]
    """Recorded model, model instead, why, how many turns; most first."""
    worst: tuple[Affected, ...]
    refused: int = 0
    """Questions that were refused when they were asked; of the first and the last UTC day all."""


Progress = Callable[[float], None]
"""Is told how far a comparison is, as a part of 1."""
began_at = attrgetter("began_at")


def silent(_: float) -> None:
    """Tells nobody."""


class WhatIf:
    """Compares drafts with the rules of today; it writes nothing."""

    def __init__(self, store: Store, clock: Clock, mode: Mode) -> None:
        self._store = store
        self._clock = clock
        self._mode = mode

    async def compare(self, today: Rules, draft: Rules, days: int, tell: Progress = silent) -> Comparison:
        """Go through the use of the last days; read page by page, so that memory holds one.

        TryAgainError: the database is away.
        """
        until = self._clock.now()
        since = until - timedelta(days=days)
        begin = month_start(since)
        meters = await self._store.read(lambda tx: self._meters(tx, begin, until))
        replay = Replay(today, draft, meters, since)
        await self._go_through(replay, begin, until, tell)
        billed, refused = await self._store.read(lambda tx: self._recorded(tx, since, until))
        as_billed(replay.today, replay.draft, billed)
        subscriptions = await self._subscriptions(until)
        people = await self._store.read(partial(named, accounts=affected(replay.effects)))
        span = Fraction(days, MONTH)
        halves = (
            half(replay.today, today, subscriptions, span),
            half(replay.draft, draft, subscriptions, span),
        )
        return replace(comparison(since, until, halves, replay.effects, people), refused=refused)

    def _meters(self, tx: Tx, begin: datetime, until: datetime) -> Mapping[AccountId, Meter]:
        """Who is or was on the meter, with the last use of each month that the books have."""
        lasts: defaultdict[AccountId, dict[int, datetime]] = defaultdict(dict)
        while begin < until:
            end = next_month(begin)
            for each in tx.metered_in(self._mode, begin, min(end, until)):
                lasts[each.account][month_number(begin)] = each.last
            begin = end
        accounts = dict.fromkeys([*tx.metered_accounts(self._mode), *lasts])
        return {
            each: Meter(
                self._mode, tx.metering(each, self._mode), tx.subscriptions(each, self._mode), lasts[each]
            )
            for each in accounts
        }

    def _recorded(self, tx: Tx, since: datetime, until: datetime) -> tuple[int, int]:
        """What is on meters' bills, and how many questions were refused; of the latter whole UTC days."""
        billed = sum(each.cost for each in tx.metered_in(self._mode, since, until))
        days = day_number(since.date()), day_number(until.date()) + 1
        return billed, sum(amounts.times for _, amounts in tx.tallies((Kind.REFUSAL,), "", *days))

    async def _go_through(self, replay: Replay, begin: datetime, until: datetime, tell: Progress) -> None:
        """Take all requests of a moment together, also where a page ends between them."""
        after: tuple[datetime, int] | None = None
        waiting: list[Recorded] = []
        while page := await self._store.read(
            lambda tx, after=after: tx.recorded(begin, until, after, PAGE)  # type: ignore[misc]
        ):
            after = (page[-1].began_at, page[-1].number)
            moments = [list(group) for _, group in groupby((*waiting, *page), began_at)]
            *whole, waiting = moments
            await asyncio.to_thread(replay.take_all, whole)  # other work goes on meanwhile
            tell((after[0] - begin) / (until - begin))
        if waiting:
            replay.take(waiting)
            tell(1.0)

    async def _subscriptions(self, now: datetime) -> Sequence[Subscription]:
        """All that bring in money now."""
        found: list[Subscription] = []
        last = ""
        while page := await self._store.read(
            lambda tx, last=last: tx.known_subscriptions(self._mode, last, PAGE)  # type: ignore[misc]
        ):
            last = page[-1][1].id
            found += [sub for _, sub in page if judge(sub, now).reason in PAYING]
        return found


def as_billed(today: Side, draft: Side, billed: int) -> None:
    """Let today's metered use be what is on the bills, and the draft's as much more or less as was found.

    Nobody knows any more when a payment was late or what somebody's cap was, and use of accounts that were
    erased is in the bills without a turn.
    """
    found = today.tiers[TierName.PRO].metered if TierName.PRO in today.tiers else 0
    if billed or found:
        change = draft.tiers[TierName.PRO].metered - found
        today.tiers[TierName.PRO].metered = billed
        draft.tiers[TierName.PRO].metered = max(0, billed + change)


def half(side: Side, rules: Rules, subscriptions: Sequence[Subscription], span: Fraction) -> Half:
    """What one side comes to, with what its subscriptions bring in at its prices."""
    names = dict.fromkeys([*rules.catalogue.tiers, *side.tiers])
    tiers = {name: line(name, side, rules, subscriptions, span) for name in names}
    everybody = {account for each in side.tiers.values() for account in each.members}
    whole = Line(
        members=len(everybody),
        paying=sum(each.paying for each in tiers.values()),
        turns=sum(each.turns for each in tiers.values()),
        cost=side.cost,
        revenue=sum((each.revenue for each in tiers.values()), Fraction(0)),
    )
    models = {name: (each.requests, Micros(each.cost)) for name, each in side.models.items()}
    return Half(whole, tiers, dict(sorted(models.items(), key=lambda each: -each[1][1])))


def line(
    name: TierName | None, side: Side, rules: Rules, subscriptions: Sequence[Subscription], span: Fraction
) -> Line:
    """One tier of it."""
    used = side.tiers.get(name)
    sold = [sub for sub in subscriptions if sub.tier is name]
    tier = rules.catalogue.tiers.get(name) if name else None
    monthly = sum((price(tier, sub) for sub in sold), Fraction(0)) if tier else Fraction(0)
    metered = used.metered * Fraction(rules.markup) if used else Fraction(0)
    return Line(
        members=len(used.members) if used else 0,
        paying=len(sold),
        turns=used.turns if used else 0,
        cost=Micros(used.cost if used else 0),
        revenue=monthly * span + metered,
    )


def price(tier: Tier, sub: Subscription) -> Fraction:
    """What a subscription costs a month at a tier's prices, its extra seats included."""
    interval = sub.interval or Interval.MONTH
    extra = max(0, sub.quantity - tier.seats) * (tier.extra_seat(interval) or 0)
    return Fraction(tier.price(interval) + extra, MONTHS[interval])


def affected(effects: Effects) -> Sequence[AccountId]:
    """Who would notice most: those who are blocked most often, then those who are stepped down."""
    blocked = total_blocked(effects)
    everybody = {*blocked, *effects.stepped}
    return sorted(everybody, key=lambda each: (-blocked.get(each, 0), -effects.stepped[each], each))[:WORST]


def total_blocked(effects: Effects) -> Mapping[AccountId, int]:
    """How often each account is refused, by whatever limit."""
    whole: dict[AccountId, int] = {}
    for counts in effects.blocked.values():
        for account, times in counts.items():
            whole[account] = whole.get(account, 0) + times
    return whole


def named(tx: Tx, accounts: Sequence[AccountId]) -> Mapping[AccountId, Person | None]:
    """The people of accounts, in their order."""
    return {account: tx.person_of(account) for account in accounts}


def comparison(
    since: datetime,
    until: datetime,
    halves: tuple[Half, Half],
    effects: Effects,
    people: Mapping[AccountId, Person | None],
) -> Comparison:
    """Everything put together."""
    blocked = total_blocked(effects)
    worst = (Affected(who, blocked.get(each, 0), effects.stepped[each]) for each, who in people.items())
    return Comparison(
        since=since,
        until=until,
        today=halves[0],
        draft=halves[1],
        blocked=tuple(sorted(hits(effects), key=lambda each: -each.times)),
        blocked_members=len(blocked),
        stepped_turns=effects.stepped.total(),
        stepped_members=len(effects.stepped),
        swaps=tuple((*key, times) for key, times in effects.swaps.most_common()),
        worst=tuple(worst),
    )


def limit_words(reason: RefusalReason) -> str:
    """What a limit is called."""
    return LIMITS.get(reason, reason.value)


def hits(effects: Effects) -> Iterator[Hit]:
    """Each limit that is met."""
    for reason, counts in effects.blocked.items():
        yield Hit(reason, counts.total(), len(counts))
