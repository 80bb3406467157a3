"""The first page: what wants attention, the big numbers, and how they came about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC
from functools import partial

from engine.charts import ConversationsOfDay, Overview
from engine.gauges import BacklogSize, WebhooksPanel
from engine.panels import Panels
from webhooks.admin import hooks, members, money
from webhooks.admin.asked import Asked
from webhooks.admin.backlog import LATE, WAITING
from webhooks.admin.limits import by_day as limits_by_day
from webhooks.admin.models import circuit_words, failing
from webhooks.admin.parts import Figure, Figures, Mood, Notice, Notices, Part, change
from webhooks.admin.series import (
    conversations_chart,
    funnel_chart,
    margin_chart,
    models_chart,
    revenue_chart,
    tiers_chart,
)
from webhooks.admin.tables import Column, Listed, Table, narrowing
from webhooks.admin.units import Unit, as_money, as_share, plain, written
from webhooks.admin.verdict import verdict
from webhooks.boundary import ADMIN_PATH

WORST = 5
FEW = 3
"""Fewer failures of a model may be chance."""
VENDOR_HOURS = 24
"""How far the first view looks back at vendors."""
Link = Callable[[str], str]
"""The address of another page, of the same span."""


class Front:
    """Builds the page."""

    def __init__(self, panels: Panels) -> None:
        self._panels = panels

    async def build(self, asked: Asked) -> Sequence[Part]:
        """From what is urgent to what is interesting."""
        days = asked.days
        now = await self._panels.overview(days)
        link = partial(to_page, asked)
        words = f"Numbers are of {asked.span_words}, changes against the {len(days.all)} days before."
        return [
            verdict(now.margin, now.revenue.usd, asked.span_words),
            Notices("attention", "What wants attention", attention(now, asked, link)),
            Figures("numbers", "The numbers", numbers(now, link), words),
            revenue_chart(now.revenue.usd),
            tiers_chart(now.tiers.days),
            conversations_chart(now.conversations),
            margin_chart(now.margin),
            models_chart(now.margin.models),
            funnel_chart(now.funnel),
            limits_by_day(now.limits, days, wide=False),
            worst(now),
        ]


def numbers(now: Overview, link: Link) -> list[Figure]:
    """Eight of them: what is left of the money first."""
    return [*earnings(now, link), *people(now, link), deliveries(now.webhooks, link)]


def earnings(now: Overview, link: Link) -> list[Figure]:
    """What stayed, what came in and went out, and what comes in each month."""
    margin, past, days = now.margin.total, now.past.margin, now.margin.days
    last = days[-1].margin if days else margin
    usd, paying, when = now.revenue.usd, paying_last(now), last_day(now)
    each = usd.closing / paying if paying else None
    return [
        Figure(
            "Margin",
            as_money(margin.margin),
            money.part_of_revenue(margin),
            *change(margin.margin, past.margin),
            [plain(day.margin.margin, Unit.MONEY) or 0.0 for day in days],
            link("money"),
        ),
        Figure(
            "Revenue",
            as_money(margin.revenue),
            f"{as_money(last.revenue)} {when}",
            *change(margin.revenue, past.revenue),
            [plain(day.margin.revenue, Unit.MONEY) or 0.0 for day in days],
            link("money"),
        ),
        Figure(
            "Vendor cost",
            as_money(margin.use.cost),
            f"{as_money(last.use.cost)} {when}",
            *change(margin.use.cost, past.use.cost, good_up=False),
            [plain(day.margin.use.cost, Unit.MONEY) or 0.0 for day in days],
            link("models"),
        ),
        Figure(
            "MRR",
            as_money(usd.closing),
            f"{as_money(each)} a paying member",
            *change(usd.closing, usd.opening),
            [plain(day.mrr, Unit.MONEY) or 0.0 for day in usd.days],
            link("money"),
        ),
    ]


def people(now: Overview, link: Link) -> list[Figure]:
    """Who pays, who leaves, who talks."""
    paying, talked = paying_last(now), total(now.conversations)
    last = now.conversations[-1].total if now.conversations else 0
    churned = now.revenue.churn
    return [
        Figure(
            "Paying members",
            f"{paying:,}",
            f"of {now.tiers.accounts:,} accounts",
            *change(paying, churned.opening),
            [float(sum(day.paying.values())) for day in now.tiers.days],
            link("members"),
        ),
        Figure(
            "Members lost",
            as_share(churned.rate),
            money.lost(now.revenue),
            *change(churned.rate, now.past.churn.rate, good_up=False),
            link=link("money"),
        ),
        Figure(
            "Conversations",
            f"{talked:,}",
            f"{last:,} {last_day(now)}",
            *change(talked, now.past.conversations),
            [float(day.total) for day in now.conversations],
            link("limits"),
        ),
    ]


def deliveries(panel: WebhooksPanel, link: Link) -> Figure:
    """Whether Stripe's events arrive."""
    success, *_ = hooks.verdicts(panel)
    return Figure(
        "Webhook success",
        as_share(panel.whole.success),
        f"{panel.whole.events:,} events",
        hooks.kept(success),
        success.mood,
        link=link("webhooks"),
    )


def paying_last(now: Overview) -> int:
    """Who pays at the end of the last day."""
    return sum(now.tiers.days[-1].paying.values()) if now.tiers.days else 0


def last_day(now: Overview) -> str:
    """What the last day of the span is called."""
    today = now.days.all[-1] == now.now.astimezone(UTC).date()
    return "today" if today else "on the last day"


def total(days: Sequence[ConversationsOfDay]) -> int:
    """Conversations in all."""
    return sum(day.total for day in days)


def attention(now: Overview, asked: Asked, link: Link) -> list[Notice]:
    """What an operator should look at, the most urgent first; a word of peace where there is nothing."""
    found = [
        *(Notice(f"{each.told[0].upper()}{each.told[1:]}.", Mood.BAD) for each in now.pauses),
        *vendor_notices(now, link("models")),
        *backlog_notices(now.backlog, now),
        *hooks.notices(now.webhooks, asked.span_words, link("webhooks")),
        *margin_notices(now, link),
    ]
    return found or [
        Notice(
            "Nothing: models answer, work is done in time, webhooks arrive, nothing is given at a loss.",
            Mood.GOOD,
        )
    ]


def vendor_notices(now: Overview, link: str) -> list[Notice]:
    """Models that are left alone, and others that fail often and not by chance."""
    alone = [
        Notice(f"Left alone: {circuit_words(each, now.now)}", Mood.BAD, link, "Look")
        for each in now.vendors.circuits
    ]
    worse = [each for each in now.vendors.lines if failing(each) and each.failures >= FEW]
    span = f"of its requests in the last {VENDOR_HOURS} hours"
    failed = [f"{each.model} failed in {as_share(each.share)} {span}." for each in worse]
    return alone + [Notice(words, Mood.BAD, link, "How") for words in failed]


def backlog_notices(backlog: BacklogSize, now: Overview) -> list[Notice]:
    """What was given up, and what is late."""
    found = []
    if count := backlog.given_up:
        words = f"{count:,} pieces of work were given up." if count > 1 else "A piece of work was given up."
        found.append(Notice(words, Mood.BAD, f"{ADMIN_PATH}/backlog", "See why, and retry"))
    late = [each for each in backlog.waiting if each.oldest and now.now - each.oldest > LATE]
    for each in late:
        words = (
            f"{each.count:,} waiting: {WAITING[each.kind].lower()}, the oldest since {written(each.oldest)}."
        )
        found.append(Notice(words, Mood.BAD, f"{ADMIN_PATH}/backlog", "Look"))
    return found


def margin_notices(now: Overview, link: Link) -> list[Notice]:
    """Losses, and costs that nobody knows."""
    found, margin = [], now.margin.total
    if margin.use.unpriced:
        words = f"{margin.use.unpriced:,} requests went to models without a price: they are not in the cost."
        found.append(Notice(words, Mood.BAD, link("models"), "Which"))
    if margin.margin < 0 and margin.revenue:
        words = f"These days cost {as_money(-margin.margin)} more than they earned."
        found.append(Notice(words, Mood.BAD, link("money"), "Why"))
    paying = [each for each in now.worst if each.margin < 0 and each.recurring > 0]
    if paying:
        words = f"Of the members who pay, {len(paying)} cost more than they bring in this month."
        found.append(Notice(words, Mood.BAD, f"{ADMIN_PATH}/members", "Who"))
    return found


def to_page(asked: Asked, page: str) -> str:
    """Another page, of the span that was chosen."""
    span = asked.query.get("span", "")
    return f"{ADMIN_PATH}/{page}?span={span}" if span else f"{ADMIN_PATH}/{page}"


def worst(now: Overview) -> Table:
    """The members of this month who leave least."""
    rows = [members.row_of(each) for each in now.worst]
    columns = [Column(each.key, each.title, each.unit) for each in members.COLUMNS]
    return Table(
        "worst",
        f"Worst margins of {now.now.astimezone(UTC):%B %Y}",
        columns,
        Listed(rows, ("person", "tier")),
        sort="margin",
        search=narrowing("Find a member or tier", rows),
        empty="Nobody has cost or brought in anything in this month.",
        size=WORST,
    )
