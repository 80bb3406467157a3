"""What is drawn and noticed: nothing is left out, and what wants attention is said on the first page."""

from __future__ import annotations

from datetime import timedelta

from engine.charts import Days
from engine.domain import RefusalReason, TierName
from engine.gauges import LimitLine
from engine.ledger import Tx
from engine.pauses import FREE, Pause
from engine.tallies import Delivery, called, delivered
from engine.turns import Call, CallEnd
from storage.store import Store
from tests.fakes.clock import NOON, FakeClock
from tests.web.admin.desk import MODE, seated
from webhooks.admin.limits import MOST_REASONS, by_day
from webhooks.admin.parts import Chart, Goal, Series
from webhooks.admin.series import hours_between
from webhooks.admin.units import Unit


def chart(value: int | None, *goals: Goal) -> Chart:
    """Of a single value."""
    return Chart(
        "one", "One", "One.", "Day", ["Today"], [Series("It", [value], "one")], Unit.SHARE, goals=goals
    )


def test_a_target_is_drawn_beside_nothing_but_zeros_and_not_beside_nothing() -> None:
    goal = Goal("Target 1.0 %", 1)
    assert chart(0, goal).drawn
    assert not chart(None, goal).drawn
    assert not chart(0).drawn


def test_an_axis_of_hours_leaves_none_out() -> None:
    hour = timedelta(hours=1)
    assert hours_between({NOON, NOON + 3 * hour}) == [NOON + each * hour for each in range(4)]
    assert hours_between(()) == []


def test_rare_limits_are_drawn_together_so_that_the_days_are_whole() -> None:
    today = NOON.date()
    reasons = list(RefusalReason)[: MOST_REASONS + 2]
    lines = [LimitLine(today, TierName.FREE, reason, 10 - place) for place, reason in enumerate(reasons)]
    drawn = by_day(lines, Days(today, today))
    assert drawn.series[-1].name == "Others"
    assert sum(int(str(each.values[0])) for each in drawn.series) == sum(line.times for line in lines)
    assert by_day(lines[:2], Days(today, today)).series[-1].name != "Others"


async def test_the_first_page_says_what_is_paused_and_which_model_fails(
    store: Store, clock: FakeClock
) -> None:
    def work(tx: Tx) -> None:
        tx.pause(Pause(FREE, clock.now()))
        for model, failures in (("shaky", 3), ("unlucky", 2)):
            for place in range(8):
                end = CallEnd.LATE if place < failures else CallEnd.ANSWERED
                tx.tally(*called(call(model, end, clock)))

    await store.transact(work)
    async with seated(store, clock) as seat:
        page = await seat.read("/admin")
        funnel = await seat.read("/admin/overview/funnel.csv")
    assert "paused" in page.partition("What wants attention")[2].partition("</section>")[0]
    assert "shaky failed in 37.5 % of its requests in the last 24 hours" in page
    assert "unlucky failed" not in page
    assert "Of the step before (%)" in funnel


def call(model: str, end: CallEnd, clock: FakeClock) -> Call:
    """A request of just now."""
    second = timedelta(seconds=1)
    return Call("vendor", model, end, clock.now(), second, second)


async def test_webhooks_of_a_week_are_drawn_by_the_day_as_they_are_counted(
    store: Store, clock: FakeClock
) -> None:
    days = [clock.now() - timedelta(days=back) for back in (3, 0)]
    await store.transact(lambda tx: tx.tally(*(delivered(MODE, Delivery.TAKEN, at) for at in days)))
    async with seated(store, clock) as seat:
        week = (await seat.read("/admin/webhooks/events.csv?span=7d")).splitlines()
        success = (await seat.read("/admin/webhooks/success.csv?span=7d")).splitlines()
    assert week[0].startswith("Day,")
    assert [row.rpartition(",")[2] for row in week[1:]] == ["1", "0", "0", "1"]
    assert [row.rpartition(",")[2] for row in success[1:]] == ["100", "", "", "100"]
