"""What members come to: every occurrence a row, in the unit of work that brings it about, in codes."""

from __future__ import annotations

import csv
import json
from argparse import Namespace
from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from bot.console.events import COLUMNS, events
from bot.console.household import Household
from engine.audit import Deed
from engine.chat import Chat
from engine.domain import Answered, Platform, Refusal, RefusalReason, TierName
from engine.facts import Mode
from engine.happenings import AN_HOUR, AT_WILL, LIMITS, MOST_AN_HOUR, Happening, HappeningKind
from engine.ledger import Tx
from tests.bot.counter import simulated_counter
from tests.engine.conftest import ALICE, BOB, Hall, last
from tests.fakes.clock import NOON

DAY = timedelta(days=1)
SECRET = "what alice wrote"


async def happenings(hall: Hall) -> Sequence[Happening]:
    return await hall.store.read(lambda tx: tx.happenings(NOON - DAY, NOON + DAY, 0, 100))


async def stopped(hall: Hall, times: int = 2) -> Chat:
    """Alice may begin nothing today, and tries so often."""
    hall.free(conversations_per_day=0)
    chat = hall.chat()
    for _ in range(times):
        assert isinstance(await last(chat, hall.ask(SECRET)), Refusal)
    return chat


async def test_every_limit_that_is_hit_and_every_offer_beside_it_is_a_row(hall: Hall) -> None:
    await stopped(hall, times=3)
    found = await happenings(hall)
    assert [each.kind for each in found] == [HappeningKind.LIMIT_HIT, HappeningKind.PAYWALL_SHOWN] * 3
    first = found[0]
    assert (first.mode, first.platform, first.tier) == (Mode.TEST, Platform.LOCAL, TierName.FREE)
    assert first.reason == RefusalReason.CONVERSATIONS
    assert SECRET not in str(found)


async def test_an_answered_question_leaves_none(hall: Hall) -> None:
    assert isinstance(await last(hall.chat(), hall.ask()), Answered)
    assert await happenings(hall) == []


async def test_what_is_about_the_question_itself_is_no_limit(hall: Hall) -> None:
    for ask in (hall.ask(""), hall.ask("Hi", model="no-such-model")):
        end = await last(hall.chat(), ask)
        assert isinstance(end, Refusal)
        assert end.reason not in LIMITS
    assert await happenings(hall) == []


async def test_a_refusal_that_is_not_committed_leaves_none(hall: Hall) -> None:
    chat = await stopped(hall, times=1)
    ask = hall.ask()
    await last(chat, ask)
    await last(chat, ask)  # a duplicate of the platform's
    assert len(await happenings(hall)) == 4


async def test_a_click_on_a_tier_is_a_row_however_often_and_whatever_comes_of_it(hall: Hall) -> None:
    counter = simulated_counter(hall.store, hall.clock)
    for tier in ("premium", "premium", "gold"):
        await counter.affairs.buy(ALICE, tier, None)
    clicks = [each for each in await happenings(hall) if each.kind is HappeningKind.UPGRADE_CLICK]
    assert [each.tier for each in clicks] == [TierName.PREMIUM] * 2


@pytest.mark.parametrize("kind", HappeningKind)
async def test_whoever_presses_on_and_on_fills_no_disk_and_nothing_paid_is_lost(
    hall: Hall, kind: HappeningKind
) -> None:
    def pressing(tx: Tx) -> None:
        for person in (ALICE, BOB):
            account = tx.lock_account(person, hall.clock.now())
            done = Happening(kind, account.id, Mode.TEST, hall.clock.now(), person.platform)
            for _ in range(MOST_AN_HOUR + 5):
                tx.happened(done)

    most = MOST_AN_HOUR if kind in AT_WILL else MOST_AN_HOUR + 5
    for hours in (1, 2):
        await hall.store.transact(pressing)
        found = await hall.store.read(lambda tx: tx.happenings(NOON - DAY, NOON + DAY, 0, 1000))
        assert len(found) == 2 * hours * most
        hall.clock.advance(AN_HOUR)


async def test_what_is_too_old_is_forgotten(hall: Hall) -> None:
    await stopped(hall, times=1)
    hall.clock.advance(timedelta(hours=1))
    await stopped(hall, times=1)
    assert await hall.store.transact(lambda tx: tx.forget_events(hall.clock.now(), 9)) == 2
    assert [each.at for each in await happenings(hall)] == [hall.clock.now()] * 2


async def test_they_are_counted_by_kind_and_reason_within_a_span_and_mode(hall: Hall) -> None:
    await stopped(hall, times=2)
    reason = RefusalReason.CONVERSATIONS
    for mode, since, expected in ((Mode.TEST, NOON, 2), (Mode.LIVE, NOON, 0), (Mode.TEST, NOON + DAY, 0)):
        found = await hall.store.read(lambda tx: tx.count_happenings(mode, since, NOON + 2 * DAY))  # noqa: B023 - read at once
        both = (HappeningKind.LIMIT_HIT, HappeningKind.PAYWALL_SHOWN)
        assert list(found) == [(kind, reason, expected) for kind in both if expected]


def exporting(hall: Hall, **arguments: object) -> tuple[Namespace, Household]:
    usual: dict[str, object] = {"since": None, "until": None, "json": False}
    house = SimpleNamespace(store=hall.store, clock=hall.clock)
    return Namespace(**{**usual, **arguments}), cast("Household", house)


async def test_they_are_exported_as_csv_and_json_page_by_page_and_that_is_written_down(
    hall: Hall, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.console.events.PAGE", 3)
    await stopped(hall, times=4)
    hall.clock.advance(timedelta(seconds=1))
    assert await events(*exporting(hall)) == 0
    table = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert await events(*exporting(hall, json=True)) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [tuple(each) for each in (table[0], listed[0])] == [COLUMNS] * 2
    assert [int(each["number"]) for each in table] == [each["number"] for each in listed]
    assert len(listed) == 8
    assert [each.deed for each in await hall.store.read(lambda tx: tx.deeds(None, 9))] == [Deed.EVENTS] * 2


async def test_only_a_span_is_exported_and_an_empty_one_is_a_whole_document(
    hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    await stopped(hall, times=1)
    assert await events(*exporting(hall, since=NOON + DAY, until=NOON + 2 * DAY, json=True)) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert await events(*exporting(hall, since=NOON, until=NOON)) == 2
    assert "--since has to lie before --until" in capsys.readouterr().err
