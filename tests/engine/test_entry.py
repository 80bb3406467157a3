"""Links into the dashboard let one person in once; the sessions that they begin end in time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from engine.audit import Actor, Deed, Entry, Origin
from engine.entry import LINKS_MOST, LINKS_SPAN, Entered, Entrance, NoLink, Refused
from storage.store import Store
from tests.engine.conftest import ALICE, BOB
from tests.fakes.clock import FakeClock

OPERATOR = Actor.in_chat(ALICE)
SHELL = Actor("console:root", Origin.CONSOLE)
ADDRESS = "https://chat.example/admin/enter?link="


@pytest.fixture
def entrance(store: Store, clock: FakeClock) -> Entrance:
    """Alice operates the bot."""
    return Entrance(store, clock, (ALICE,), "https://chat.example")


async def token(entrance: Entrance, actor: Actor = OPERATOR) -> str:
    """That of a fresh link."""
    address = await entrance.link(actor)
    assert address.startswith(ADDRESS)
    return address.removeprefix(ADDRESS)


async def inside(entrance: Entrance, actor: Actor = OPERATOR) -> str:
    """The token of a fresh session."""
    found = await entrance.enter(await token(entrance, actor))
    assert isinstance(found, Entered)
    return found.token


async def deeds(store: Store) -> Sequence[Entry]:
    return await store.read(lambda tx: tx.deeds(None, 10))


async def test_a_link_begins_a_session_of_whom_it_was_given_to(entrance: Entrance, clock: FakeClock) -> None:
    found = await entrance.enter(await token(entrance))
    assert isinstance(found, Entered)
    session = await entrance.session(found.token)
    assert session == found.session
    assert (session.person, session.until) == ("local:alice", clock.now() + timedelta(hours=12))


async def test_a_link_is_used_once(entrance: Entrance) -> None:
    link = await token(entrance)
    assert isinstance(await entrance.enter(link), Entered)
    assert await entrance.enter(link) is Refused.USED


async def test_of_browsers_that_race_for_a_link_one_wins(store: Store, clock: FakeClock) -> None:
    processes = [Entrance(store, clock, (ALICE,), "https://chat.example") for _ in range(6)]
    link = await token(processes[0])
    found = await asyncio.gather(*(each.enter(link) for each in processes))
    assert sum(isinstance(each, Entered) for each in found) == 1
    assert [each for each in found if not isinstance(each, Entered)] == [Refused.USED] * 5


async def test_a_link_lasts_five_minutes(entrance: Entrance, clock: FakeClock) -> None:
    late, early = await token(entrance), await token(entrance, SHELL)
    clock.advance(timedelta(minutes=5) - timedelta(seconds=1))
    assert isinstance(await entrance.enter(early), Entered)
    clock.advance(timedelta(seconds=1))
    assert await entrance.enter(late) is Refused.EXPIRED


async def test_a_newer_link_voids_the_older_one_of_that_person_alone(entrance: Entrance) -> None:
    older, of_the_shell = await token(entrance), await token(entrance, SHELL)
    newer = await token(entrance)
    assert await entrance.enter(older) is Refused.VOID
    assert isinstance(await entrance.enter(newer), Entered)
    assert isinstance(await entrance.enter(of_the_shell), Entered)


async def test_links_asked_for_at_the_same_moment_leave_one_that_works(entrance: Entrance) -> None:
    links = await asyncio.gather(*(token(entrance) for _ in range(LINKS_MOST)))
    found = [await entrance.enter(link) for link in links]
    assert sum(isinstance(each, Entered) for each in found) == 1


async def test_made_up_links_and_sessions_are_nobodys(entrance: Entrance) -> None:
    link, session = await token(entrance), await inside(entrance, SHELL)
    for forged in ("", link[:-1], link + "A", link.swapcase(), "\udcff", session):
        assert await entrance.enter(forged) is Refused.UNKNOWN
    for forged in ("", link, session[:-1], session.swapcase()):
        assert await entrance.session(forged) is None


async def test_links_are_limited_also_when_they_are_asked_for_at_once(
    entrance: Entrance, clock: FakeClock
) -> None:
    given = await asyncio.gather(*(entrance.link(OPERATOR) for _ in range(LINKS_MOST + 3)))
    assert [each for each in given if isinstance(each, NoLink)] == [NoLink.TOO_MANY] * 3
    assert not isinstance(await entrance.link(SHELL), NoLink)
    clock.advance(LINKS_SPAN)
    given = [await entrance.link(OPERATOR) for _ in range(LINKS_MOST + 1)]
    assert [each for each in given if isinstance(each, NoLink)] == [NoLink.TOO_MANY]


async def test_only_the_people_of_admin_ids_get_links(entrance: Entrance) -> None:
    assert await entrance.link(Actor.in_chat(BOB)) is NoLink.NOT_ADMITTED
    entrance.people = ()
    assert await entrance.link(OPERATOR) is NoLink.CLOSED
    assert await entrance.link(SHELL) is NoLink.CLOSED


async def test_whoever_is_taken_off_admin_ids_is_out_at_once(entrance: Entrance) -> None:
    session, link = await inside(entrance), await token(entrance)
    entrance.people = (BOB,)
    assert await entrance.session(session) is None
    assert await entrance.enter(link) is Refused.NOT_ADMITTED
    entrance.people = (ALICE,)
    assert await entrance.session(session) is not None


async def test_a_shell_lets_in_while_there_is_a_dashboard(entrance: Entrance) -> None:
    session = await inside(entrance, SHELL)
    entrance.people = (BOB,)
    assert await entrance.session(session) is not None
    entrance.people = ()
    assert await entrance.session(session) is None


async def test_a_session_ends_twelve_hours_after_the_entry_however_much_it_is_used(
    entrance: Entrance, clock: FakeClock
) -> None:
    session = await inside(entrance)
    for _ in range(11):
        clock.advance(timedelta(hours=1))
        assert await entrance.session(session) is not None
    clock.advance(timedelta(hours=1))
    assert await entrance.session(session) is None


async def test_signing_out_ends_that_session_alone(entrance: Entrance, store: Store) -> None:
    here, there = await inside(entrance), await inside(entrance)
    await entrance.leave(here, "local:alice")
    await entrance.leave(here, "local:alice")
    assert await entrance.session(here) is None
    assert await entrance.session(there) is not None
    assert [each.deed for each in await deeds(store)].count(Deed.DASHBOARD_LEFT) == 1


async def test_all_sessions_and_links_of_a_person_can_be_ended(entrance: Entrance, store: Store) -> None:
    mine, others = [await inside(entrance), await inside(entrance)], await inside(entrance, SHELL)
    link = await token(entrance)
    assert await entrance.end_sessions(OPERATOR) == 2
    assert [await entrance.session(each) for each in mine] == [None, None]
    assert await entrance.enter(link) is Refused.VOID
    assert await entrance.session(others) is not None
    link = await token(entrance)
    assert await entrance.end_sessions(SHELL, everybody=True) == 1
    assert await entrance.session(others) is None
    assert await entrance.enter(link) is Refused.VOID
    assert (await deeds(store))[1].detail == "1 of everybody"


async def test_every_step_is_written_down(entrance: Entrance, store: Store, clock: FakeClock) -> None:
    link = await token(entrance)
    entered = await entrance.enter(link)
    assert isinstance(entered, Entered)
    await entrance.enter(link)
    await entrance.enter("never-given")
    await entrance.leave(entered.token, entered.session.person)
    expired = await token(entrance)
    clock.advance(timedelta(minutes=5))
    await entrance.enter(expired)
    by_browser = Actor("local:alice", Origin.DASHBOARD)
    assert [(each.actor, each.deed, each.detail) for each in reversed(await deeds(store))] == [
        (OPERATOR, Deed.DASHBOARD_LINK, ""),
        (by_browser, Deed.DASHBOARD_ENTERED, ""),
        (by_browser, Deed.DASHBOARD_REFUSED, "used"),
        (by_browser, Deed.DASHBOARD_LEFT, ""),
        (OPERATOR, Deed.DASHBOARD_LINK, ""),
        (by_browser, Deed.DASHBOARD_REFUSED, "expired"),
    ]


async def test_what_is_over_is_forgotten_later(entrance: Entrance, clock: FakeClock) -> None:
    link, session = await token(entrance), await inside(entrance, SHELL)
    clock.advance(timedelta(hours=1))
    await entrance.sweep()
    assert await entrance.enter(link) is Refused.EXPIRED
    assert await entrance.session(session) is not None
    clock.advance(timedelta(days=7))
    await entrance.sweep()
    assert await entrance.enter(link) is Refused.UNKNOWN
    clock.set(clock.now() - timedelta(days=7))
    assert await entrance.session(session) is None


async def test_no_token_is_shown_by_accident(entrance: Entrance) -> None:
    found = await entrance.enter(await token(entrance))
    assert isinstance(found, Entered)
    assert found.token not in repr(found)
