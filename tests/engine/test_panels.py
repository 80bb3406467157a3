"""The figures of the dashboard, of whole questions and whole purchases."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from engine.charts import Days
from engine.domain import RefusalReason, TierName
from engine.errors import TryAgainError
from engine.facts import Mode
from engine.figures import FunnelStep, MovementKind
from engine.models import Usage
from engine.panels import Panels
from engine.tallies import MemberOrder, WaitingKind
from engine.turns import CallEnd
from tests.engine.conftest import ALICE, BOB, Hall, last
from tests.fakes.models import Scripted

PRICE = Fraction(8_990_000)


def panels(hall: Hall, markup: int = 0) -> Panels:
    """Those of this hall."""
    return Panels(hall.store, hall.clock, hall.catalogue, Mode.TEST, Decimal(markup))


async def test_questions_are_in_the_first_view_by_day_tier_and_model(hall: Hall) -> None:
    hall.free(conversations_per_day=2)
    hall.one = Scripted(usage=Usage(1000, 0, 10))
    ends = [await last(hall.chat(), hall.ask()) for _ in range(3)]
    hall.clock.advance(timedelta(days=1))
    hall.one = Scripted(errors=[TryAgainError("busy")] * 9)
    await last(hall.chat(), hall.ask(person=BOB))
    view = await panels(hall).overview(Days.back(2, hall.clock.now()))
    assert len(ends) == 3
    assert [day.by_tier for day in view.conversations] == [{TierName.FREE: 2}, {TierName.FREE: 1}]
    assert [day.margin.use.turns for day in view.margin.days] == [2, 1]
    assert [(line.model, line.use.turns) for line in view.margin.models] == [("quick", 2), ("spare", 1)]
    assert view.margin.total.use.cost == sum(each.use.cost for each in view.margin.models) > 0
    assert [(line.tier, line.reason, line.times) for line in view.limits] == [
        (TierName.FREE, RefusalReason.CONVERSATIONS, 1)
    ]
    assert [(step.step, step.accounts) for step in view.funnel][:3] == [
        (FunnelStep.LIMIT_HIT, 1),
        (FunnelStep.PAYWALL_SHOWN, 1),
        (FunnelStep.CHECKOUT_OPENED, 0),
    ]
    assert {line.model: line.ends for line in view.vendors.lines}["spare"] == {CallEnd.ANSWERED: 1}
    assert view.tiers.accounts == 2
    assert [row.person for row in view.worst.rows] == [ALICE, BOB]
    assert {each.kind for each in view.backlog.waiting} == set(WaitingKind)


async def test_a_house_without_anything_has_figures_too(hall: Hall) -> None:
    view = await panels(hall).overview(Days.back(30, hall.clock.now()))
    assert not view.revenue.usd.mrr
    assert view.revenue.churn.rate is None
    assert [moved.kind for moved in view.revenue.usd.moved] == list(MovementKind)
    assert not view.margin.total.margin
    assert view.margin.total.share is None
    assert (view.webhooks.whole.success, view.vendors.lines, view.worst.rows) == (None, (), ())
    assert len(view.conversations) == len(view.revenue.usd.days) == len(view.tiers.days) == 30
    for order in MemberOrder:
        assert (await panels(hall).members(panels(hall).today, order)).total == 0
