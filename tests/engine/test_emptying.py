"""Days pass: what members find of old conversations, and how long everything else is kept."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.archive import Archive
from engine.audit import Actor, Deed, Entry, Origin
from engine.domain import Account, Answered, ChatEvent, Person, Redo, Refusal, RefusalReason
from engine.emptying import ROWS, UNITS, Emptying
from engine.facts import BillingEvent, EventId, Mode
from engine.happenings import Happening, HappeningKind
from engine.ledger import Tx
from engine.models import Finish
from engine.preferences import Preferences
from engine.retention import Retention
from engine.simulated import LocalMessage
from tests.bot.house import household, settings_of
from tests.engine.conftest import ALICE, Hall, last
from tests.fakes.clock import NOON
from tests.fakes.stores import Counted
from tests.storage.makers import change, conversation, hold, rows, settlement

DAY = timedelta(days=1)
FOREVER = Retention(None, None, None, None)
ADA = Actor("console:ada", Origin.CONSOLE)


def emptying(hall: Hall, retention: Retention) -> Emptying:
    return Emptying(hall.store, hall.clock, retention)


async def answered(hall: Hall, text: str, *anchors: str, person: Person = ALICE) -> Answered:
    event = await last(hall.chat(), hall.ask(text, person, anchors=anchors))
    assert isinstance(event, Answered), event
    return event


async def told(hall: Hall) -> list[str]:
    """What the model was sent last."""
    return [each.text for each in hall.one.seen[-1].messages]


async def test_days_after_its_last_turn_a_conversation_is_gone_and_a_reply_begins_anew(hall: Hall) -> None:
    sweep = emptying(hall, Retention(content=3 * DAY)).work
    await answered(hall, "one", "thread")
    hall.clock.advance(2 * DAY)
    await answered(hall, "two", "thread")
    for _ in range(3):
        assert await sweep() == 0
        hall.clock.advance(DAY)
    hall.clock.advance(timedelta(microseconds=1))
    assert await hall.chat().follows(ALICE, ["thread"])
    assert await sweep() == 1
    assert not await hall.chat().follows(ALICE, ["thread"])
    fresh = await answered(hall, "three", "thread")
    assert await told(hall) == ["three"]
    assert fresh.standing.turn == 1
    await answered(hall, "four", "thread")
    assert (await told(hall))[0] == "three"


async def redone(hall: Hall, about: Answered, redo: Redo) -> ChatEvent:
    return await last(hall.chat(), hall.ask("", redo=redo, about=about.turn))


async def test_what_is_gone_can_neither_be_redone_nor_shown_nor_taken_away(hall: Hall) -> None:
    hall.one.finish = Finish.LENGTH
    about = await answered(hall, "my words", "thread")
    preferences = Preferences(hall.store, hall.clock)
    assert await preferences.turn(ALICE, about.turn)
    hall.clock.advance(2 * DAY)
    await emptying(hall, Retention(content=DAY)).work()
    for redo in Redo:
        refusal = await redone(hall, about, redo)
        assert isinstance(refusal, Refusal)
        assert refusal.reason is RefusalReason.GONE
    assert await preferences.turn(ALICE, about.turn) is None
    assert await preferences.keep(ALICE, about.turn, ["thread"]) is None
    async with aclosing(Archive(hall.store).pieces(ALICE)) as pieces:
        assert [piece async for piece in pieces] == []


async def test_an_export_under_way_ends_where_a_conversation_is_emptied_meanwhile(hall: Hall) -> None:
    def work(tx: Tx) -> None:
        conversation(tx, "c", ALICE)
        for number in range(60):
            tx.settle(hold(tx, f"t{number:02}", "c", ALICE), settlement())

    await hall.store.transact(work)
    hall.clock.advance(2 * DAY)
    found = []
    async with aclosing(Archive(hall.store).pieces(ALICE)) as pieces:
        async for piece in pieces:
            found.append([turn.answer for turn in piece.turns])
            await emptying(hall, Retention(content=DAY)).work()
    assert found == [["answer"] * 50]


async def test_what_counts_for_limits_and_means_is_as_it_was(hall: Hall) -> None:
    hall.free(requests_per_minute=None)
    for number in range(3):
        await answered(hall, "Hi", f"place {number}")
    now = hall.clock.now()

    def usage(tx: Tx) -> object:
        account = tx.lock_account(ALICE, now)
        return tx.usage(account.id, now), tx.spent(account.id, now)

    before = await hall.store.transact(usage)
    hall.clock.advance(2 * DAY)
    assert await emptying(hall, Retention(content=DAY)).work() == 3
    assert await hall.store.transact(usage) == before


Life = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 4)), min_size=1, max_size=8)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(life=Life, days=st.integers(1, 4), number=st.integers(0, 10**9))
async def test_whatever_the_life_content_is_there_as_long_as_said_and_no_longer(
    hall: Hall, life: list[tuple[str, int]], days: int, number: int
) -> None:
    hall.free(conversations_per_day=None, cost_ceiling_month=None, turns_per_conversation=None)
    ann = replace(ALICE, user=f"ann-{number}-{hall.asked}")
    sweep = emptying(hall, Retention(content=days * DAY)).work
    newest: dict[str, tuple[int, list[str]]] = {}
    today = 0
    for place, rest in life:
        hall.clock.advance(rest * DAY + timedelta(minutes=1))
        today += rest
        await sweep()
        then, said = newest.get(place, (today, []))
        said = said if today - then < days else []
        await answered(hall, f"{place}{today}", place, person=ann)
        assert (await told(hall))[::2] == [*said, f"{place}{today}"]
        newest[place] = (today, [*said, f"{place}{today}"])


async def test_each_kind_has_its_days_and_is_kept_for_ever_without(hall: Hall, database_url: str) -> None:
    def work(tx: Tx) -> None:
        account: Account = tx.lock_account(ALICE, NOON)
        for age in range(4):
            at = NOON - age * DAY
            name = EventId(f"evt_{age}")
            event = BillingEvent(name, "x", at, Mode.TEST, None, relevant=False, payload=b"{}")
            tx.store_event(event, at, matters=False)
            tx.happened(Happening(HappeningKind.LIMIT_HIT, account.id, Mode.TEST, at, ALICE.platform, None))
            tx.note(Entry(at, ADA, Deed.RELOAD))
            tx.put_local(LocalMessage(f"m{age}", "room", "alice", None, {}, at))

    await hall.store.transact(work)
    await emptying(hall, FOREVER).work()
    left = [4, 4, 4, 4]
    queries = (
        "SELECT COUNT(*) FROM stripe_event WHERE LENGTH(payload) > 0",
        "SELECT COUNT(*) FROM event",
        "SELECT COUNT(*) FROM audit",
        "SELECT COUNT(*) FROM local_message",
    )
    kinds = ("payloads", "events", "audit", "content")
    for which, kind in [(-1, ""), *enumerate(kinds)]:
        if kind:
            await emptying(hall, replace(FOREVER, **{kind: 2 * DAY - timedelta(seconds=1)})).work()
            left[which] = 2
        assert [rows(database_url, query)[0][0] for query in queries] == left, kind
    assert rows(database_url, "SELECT COUNT(*) FROM stripe_event") == [(4,)]


async def test_a_round_is_many_small_units_and_the_next_round_goes_on(hall: Hall, database_url: str) -> None:
    many = ROWS * UNITS + 1

    def work(tx: Tx) -> None:
        for _ in range(many):
            tx.note(Entry(NOON, ADA, Deed.RELOAD))

    await hall.store.transact(work)
    hall.clock.advance(2 * DAY)
    counted = Counted(hall.store)
    sweep = Emptying(counted, hall.clock, replace(FOREVER, audit=DAY)).work
    assert (await sweep(), len(counted.units)) == (ROWS * UNITS, UNITS)
    assert (await sweep(), await sweep()) == (1, 0)
    assert rows(database_url, "SELECT COUNT(*) FROM audit") == [(0,)]


ENDED = [("sent", ""), ("stopped", ""), ("sending", "News."), ("draft", "News.")]
ANNOUNCED = """INSERT INTO announcement (
    id, text, actor, tiers, platforms, seen_since, receivers, state, made_at, gathering
) VALUES ('a', 'News.', 'console:ada', '', '', 0, 0, 'STATE', 0, 0)"""


@pytest.mark.parametrize(("state", "left"), ENDED)
async def test_the_text_of_an_announcement_goes_once_it_has_ended(
    hall: Hall, database_url: str, state: str, left: str
) -> None:
    change(database_url, ANNOUNCED.replace("STATE", state))
    await emptying(hall, replace(FOREVER, content=DAY)).work()
    assert rows(database_url, "SELECT text FROM announcement") == [(left,)]


async def test_the_office_goes_by_the_days_of_the_settings_in_force(hall: Hall) -> None:
    office = household(hall).office
    assert office.emptying.retention == Retention()
    assert office.emptying.work in office.rounds
    office.refit(replace(settings_of(), retention=FOREVER))
    assert office.emptying.retention is FOREVER
