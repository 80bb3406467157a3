"""Whether the bot earns or loses money, and why, in the first sentence of the dashboard."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest

from engine.charts import CostOfModel, CurrencyRevenue, Margin, MarginOfTier, MarginPanel, RevenueOfDay, Use
from engine.domain import Micros, TierName
from engine.facts import Mode
from engine.figures import MovementKind
from engine.revenue import Moved, RevenueChurn
from engine.tallies import conversation, day_number
from storage.store import Store
from tests.fakes.clock import FakeClock
from tests.web.admin.desk import seated
from webhooks.admin.parts import Mood
from webhooks.admin.verdict import verdict

DOLLAR = 1_000_000
NOTHING = Fraction(0)
DAY = date(2026, 1, 31)


def left(earned: int, cost: int) -> Margin:
    """Of dollars."""
    return Margin(Fraction(earned * DOLLAR), NOTHING, Use(3, 2, cost=Micros(cost * DOLLAR)))


def margin(earned: int, cost: int, *tiers: MarginOfTier) -> MarginPanel:
    """What came in and went out, all to one model."""
    total = left(earned, cost)
    return MarginPanel(Mode.LIVE, total, (), tiers, (CostOfModel("vendor", "clever", total.use),))


def revenue(opening: int, closing: int, now: int, *moved: Moved) -> CurrencyRevenue:
    """Before the days, at their end, and now."""
    was, end, is_ = (Fraction(each * DOLLAR) for each in (opening, closing, now))
    last = RevenueOfDay(DAY, end, {}, NOTHING, 1)
    churn = RevenueChurn(was, NOTHING, NOTHING, NOTHING, NOTHING)
    return CurrencyRevenue("usd", was, is_, {}, (last,), moved, churn)


@pytest.mark.parametrize(
    ("earned", "cost", "words", "mood"),
    [
        (100, 40, "Earning $60.00 in May: $100.00 earned, $40.00 paid to vendors.", Mood.GOOD),
        (40, 100, "Losing $60.00 in May: $40.00 earned, $100.00 paid to vendors.", Mood.BAD),
        (0, 40, "Nothing was earned in May; vendors cost $40.00.", Mood.BAD),
        (0, 0, "Nothing was earned in May, and nothing was spent.", Mood.LEVEL),
    ],
)
def test_the_first_sentence_says_whether_money_is_earned_or_lost(
    earned: int, cost: int, words: str, mood: Mood
) -> None:
    said = verdict(margin(earned, cost), revenue(0, 0, 0), "May")
    assert (said.words, said.mood) == (words, mood)


def test_the_reasons_are_what_moved_revenue_and_who_costs_most() -> None:
    moved = (
        Moved(MovementKind.NEW, 2, Fraction(30 * DOLLAR)),
        Moved(MovementKind.CHURN, 1, Fraction(-10 * DOLLAR)),
    )
    tiers = (
        MarginOfTier(TierName.FREE, left(0, 4)),
        MarginOfTier(TierName.PRO, left(5, 16)),
        MarginOfTier(TierName.PREMIUM, left(45, 20)),
    )
    said = verdict(margin(50, 40, *tiers), revenue(50, 70, 70, *moved), "May")
    assert said.reasons == [
        "MRR rose by $20.00 to $70.00: new +$30.00, churn -$10.00.",
        "Dearest model: clever, $40.00 (100.0 % of the cost); free members cost $4.00; pro loses $11.00.",
    ]


def test_a_month_that_is_over_is_judged_by_its_own_end() -> None:
    said = verdict(margin(50, 40), revenue(50, 30, 500), "May")
    assert said.reasons[0].startswith("MRR fell by $20.00 to $30.00")


async def test_what_is_today_is_only_said_of_today(store: Store, clock: FakeClock) -> None:
    now = clock.now()
    past = now.replace(day=1) - timedelta(days=1)
    counts = conversation(day_number(past), TierName.PRO, 41), conversation(day_number(now), TierName.PRO, 7)
    await store.transact(lambda tx: tx.tally(*counts))
    async with seated(store, clock) as seat:
        over, current = await seat.read(f"/admin?span={past:%Y-%m}"), await seat.read("/admin")
    assert "41 on the last day" in over
    assert "7 today" in current
    assert f'href="/admin/money?span={past:%Y-%m}"' in over
    assert f"in {past:%B %Y}" in over
