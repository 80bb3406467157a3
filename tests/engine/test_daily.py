"""The daily report is sent once for a day and destination, whatever breaks, and never days late."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.alerts import AlertKind
from engine.briefs import Reporting
from engine.daily import LEASE, TOLD_AFTER, Daily, DailyReports
from engine.errors import OutsideError, TellOperatorError, TryAgainError, UnreachableError
from engine.facts import Mode
from engine.panels import Panels
from tests.engine.alarms import told
from tests.engine.conftest import Hall

HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")


class Postman:
    """Keeps what it carries, or fails as told."""

    def __init__(self, *errors: OutsideError, to: Sequence[str] = ("mail",), missed: str = "") -> None:
        self.errors = list(errors)
        self.missed = missed
        self.to = to
        self.carried: list[tuple[date, str, bool]] = []

    def destinations(self) -> Sequence[str]:
        return self.to

    async def carry(self, daily: Daily, destination: str, *, again: bool) -> str:
        if self.errors:
            raise self.errors.pop(0)
        self.carried.append((daily.day, destination, again))
        return self.missed


def reports(hall: Hall, postman: Postman, to: tuple[str, ...] = ("mail",)) -> DailyReports:
    """Those of one process."""
    panels = Panels(hall.store, hall.clock, hall.catalogue, Mode.TEST)
    made = DailyReports(hall.store, hall.clock, panels, Reporting(8, BERLIN))
    made.couriers.append(postman)
    made.destinations = to
    return made


async def passes(hall: Hall, made: DailyReports, by: timedelta, step: timedelta = HOUR) -> None:
    """Let time pass, working all the while."""
    end = hall.clock.now() + by
    while hall.clock.now() < end:
        await made.owe()
        while await made.work():
            pass
        hall.clock.advance(step)


async def test_each_day_is_sent_once_over_the_change_of_the_clocks(hall: Hall) -> None:
    hall.clock.advance(datetime(2027, 3, 25, 12, tzinfo=UTC) - hall.clock.now())
    postman = Postman()
    await passes(hall, reports(hall, postman), timedelta(days=6), 3 * HOUR)
    assert [day.day for day, _, _ in postman.carried] == [24, 25, 26, 27, 28, 29, 30]


async def test_processes_that_work_together_send_one_to_each_destination(hall: Hall) -> None:
    destinations = ("mail", "discord:7")
    postmen = [Postman(to=destinations) for _ in range(4)]
    made = [reports(hall, each, destinations) for each in postmen]
    for _ in range(3):
        await asyncio.gather(*(each.owe() for each in made), *(each.work() for each in made))
    carried = [each for postman in postmen for each in postman.carried]
    assert sorted(to for _, to, _ in carried) == ["discord:7", "mail"]


async def test_a_process_that_died_while_it_sent_is_followed_by_one_that_knows(hall: Hall) -> None:
    first = reports(hall, Postman())
    await first.owe()
    now = hall.clock.now()
    await hall.store.transact(lambda tx: tx.claim_brief(now, now + LEASE, ["mail"]))
    postman = Postman()
    second = reports(hall, postman)
    assert await second.work() == 0
    hall.clock.advance(LEASE)
    assert await second.work() == 1
    assert [again for _, _, again in postman.carried] == [True]


async def test_what_is_only_away_is_tried_until_it_is_back_and_told_once_after_some_tries(hall: Hall) -> None:
    postman = Postman(*(TryAgainError("421 come back later") for _ in range(TOLD_AFTER + 4)))
    await passes(hall, reports(hall, postman), timedelta(hours=3), timedelta(minutes=11))
    assert len(postman.carried) == 1
    assert await told(hall) == [(AlertKind.REPORT_FAILING, "mail", "421 come back later")]


async def test_a_short_absence_is_told_to_nobody(hall: Hall) -> None:
    postman = Postman(TryAgainError("451"), TryAgainError("451"))
    await passes(hall, reports(hall, postman), timedelta(hours=1), timedelta(minutes=11))
    assert len(postman.carried) == 1
    assert await told(hall) == []


@pytest.mark.parametrize("error", [TellOperatorError("535 no"), UnreachableError("gone")])
async def test_what_is_refused_for_good_is_told_at_once_and_not_tried_again(
    hall: Hall, error: OutsideError
) -> None:
    postman = Postman(error)
    await passes(hall, reports(hall, postman), timedelta(hours=12), 3 * HOUR)
    assert postman.carried == []
    assert await told(hall) == [(AlertKind.REPORT_FAILING, "mail", str(error))]
    await passes(hall, reports(hall, postman), timedelta(days=1), 6 * HOUR)
    assert len(postman.carried) == 1, "the next day's is tried anew"


async def test_that_one_of_several_receivers_is_refused_is_told_and_nobody_gets_it_twice(hall: Hall) -> None:
    postman = Postman(missed="receiver 2 of 2 is refused: 550 nobody")
    await passes(hall, reports(hall, postman), timedelta(hours=3))
    assert len(postman.carried) == 1
    assert await told(hall) == [(AlertKind.REPORT_FAILING, "mail", postman.missed)]


async def test_after_a_long_time_off_only_the_newest_is_sent(hall: Hall) -> None:
    down = Postman(*(TryAgainError("away") for _ in range(3)))
    made = reports(hall, down)
    await made.owe()
    await made.work()
    hall.clock.advance(timedelta(days=5))
    postman = Postman()
    back = reports(hall, postman)
    await passes(hall, back, HOUR)
    assert [day for day, _, _ in postman.carried] == [back.reporting.day(hall.clock.now())]


async def test_a_later_hour_brings_no_report_that_is_older_than_the_last_one(hall: Hall) -> None:
    postman = Postman()
    made = reports(hall, postman)
    await passes(hall, made, HOUR)
    newest = made.reporting.day(hall.clock.now())
    made.reporting = Reporting(hall.clock.now().astimezone(BERLIN).hour + 2, BERLIN)
    assert made.reporting.day(hall.clock.now()) < newest
    await passes(hall, made, timedelta(hours=4))
    assert [day for day, _, _ in postman.carried] == [newest]


async def test_a_destination_that_is_configured_no_more_gets_nothing(hall: Hall) -> None:
    made = reports(hall, Postman(TryAgainError("away"), to=("discord:7",)), ("discord:7",))
    await made.owe()
    await made.work()
    hall.clock.advance(HOUR)
    postman = Postman(to=("mail", "discord:7"))
    await passes(hall, reports(hall, postman, ("mail",)), HOUR)
    assert [to for _, to, _ in postman.carried] == ["mail"]


async def test_without_anywhere_to_go_nothing_is_owed(hall: Hall) -> None:
    await passes(hall, reports(hall, Postman(), ()), HOUR)
    now = hall.clock.now()
    assert await hall.store.transact(lambda tx: tx.claim_brief(now, now + LEASE, ["mail"])) is None


async def test_old_ones_are_forgotten(hall: Hall) -> None:
    made, postman = reports(hall, Postman()), Postman()
    await passes(hall, made, HOUR)
    day = made.reporting.day(hall.clock.now())
    await hall.store.transact(lambda tx: tx.forget_briefs(day + timedelta(days=1)))
    await passes(hall, reports(hall, postman), HOUR)
    assert len(postman.carried) == 1
