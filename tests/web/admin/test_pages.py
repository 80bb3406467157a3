"""Pages of the dashboard over a real store: what is given up and tried again, and what operators did."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator
from functools import partial

import pytest

from engine.alerts import DASHBOARD, PAGES
from engine.audit import Actor, Deed, Entry, Origin, Wanted
from engine.domain import Person, Platform
from engine.ledger import Tx
from storage.store import Store
from tests.engine.gauge import gauged
from tests.fakes.clock import FakeClock
from tests.storage.makers import conversation as talk
from tests.storage.makers import hold, settlement
from tests.web.admin.desk import OURS, Seat, give_up, seated
from webhooks.admin import audit_log

EVIL = "<script>alert(1)</script>\"'=1+1"
SHELL = Actor("console:root", Origin.CONSOLE)


@pytest.fixture
async def seat(store: Store, clock: FakeClock) -> AsyncIterator[Seat]:
    async with seated(store, clock) as taken:
        yield taken


async def pressed(seat: Seat, letter: str) -> tuple[int, str]:
    """Press a letter's button as its page has it; the status, and where it leads."""
    page = await seat.read("/admin/backlog")
    proof = re.search(r'name="csrf" value="([^"]+)"', page)
    assert proof
    form = {"csrf": proof[1], "about": letter}
    async with seat.client.post(
        "/admin/backlog/retry", data=form, headers=OURS, allow_redirects=False
    ) as answer:
        return answer.status, answer.headers.get("Location", "")


async def test_a_dead_letter_is_tried_again_once_and_that_is_written_down(
    seat: Seat, store: Store, clock: FakeClock
) -> None:
    await give_up(store, clock, "cus_one")
    await give_up(store, clock, "cus_two")
    assert await pressed(seat, "cus_one") == (303, "/admin/backlog?retried=1")
    assert await pressed(seat, "cus_one") == (303, "/admin/backlog?retried=0")
    page = await seat.read("/admin/backlog?retried=1")
    assert "will be tried again" in page
    assert "cus_two" in page
    assert "cus_one" not in page
    assert "not a dead letter any more" in await seat.read("/admin/backlog?retried=0")
    second, first = await store.read(lambda tx: tx.deeds(None, 2))
    assert (first.actor, first.deed) == (Actor("local:alice", Origin.DASHBOARD), Deed.RETRY)
    assert (first.subject, first.detail) == ("cus_one", "1 tried again")
    assert (second.subject, second.detail) == ("cus_one", "0 tried again")


@pytest.mark.parametrize("path", ["/admin", "/admin/limits"])
async def test_pages_read_as_much_however_much_was_given_up(
    seat: Seat, store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    await give_up(store, clock, "cus_one")
    with gauged(monkeypatch) as one:
        assert '<span class="badge">1<' in await seat.read(path)
    for number in range(5):
        await give_up(store, clock, f"cus_{number}")
    with gauged(monkeypatch) as many:
        assert '<span class="badge">6<' in await seat.read(path)
    assert (one.statements, one.rows) == (many.statements, many.rows)


async def test_a_button_without_a_letter_tries_nothing(seat: Seat, store: Store, clock: FakeClock) -> None:
    await give_up(store, clock, "cus_one")
    assert await pressed(seat, "") == (303, "/admin/backlog?retried=0")


@pytest.mark.parametrize("path", ["/admin/backlog/retry", "/admin/backlog/retry-all"])
async def test_no_letter_is_tried_again_without_proof_of_our_page(
    seat: Seat, store: Store, clock: FakeClock, path: str
) -> None:
    await give_up(store, clock, "cus_one")
    for form in ({"about": "cus_one"}, {"about": "cus_one", "csrf": "x"}):
        async with seat.client.post(path, data=form, headers=OURS) as answer:
            assert answer.status == 403
    async with seat.client.get(path) as answer:
        assert answer.status == 405
    assert "cus_one" in await seat.read("/admin/backlog")
    (newest,) = await store.read(lambda tx: tx.deeds(None, 1))
    assert newest.deed is Deed.DASHBOARD_ENTERED


@pytest.mark.parametrize("said", ["", "-1", "x", "1e9", "<b>", "99999999"])
async def test_a_page_says_nothing_of_buttons_that_nobody_pressed(seat: Seat, said: str) -> None:
    assert 'class="told' not in await seat.read(f"/admin/backlog?retried={said}")


async def test_a_lone_letter_has_no_button_for_all(seat: Seat, store: Store, clock: FakeClock) -> None:
    await give_up(store, clock, "cus_one")
    assert "Retry all" not in await seat.read("/admin/backlog")
    await give_up(store, clock, "cus_two")
    assert "Yes, retry all 2" in await seat.read("/admin/backlog?letters-search=one")


async def test_what_others_wrote_stays_text(seat: Seat, store: Store, clock: FakeClock) -> None:
    await give_up(store, clock, EVIL, EVIL)
    now = clock.now()
    await store.transact(lambda tx: tx.note(Entry(now, SHELL, Deed.WHY, EVIL, EVIL)))
    for path in ("/admin/backlog", "/admin/audit", "/admin/audit?deeds-search=%3Cscript%3E%22"):
        page = await seat.read(path)
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page
        assert not re.search(r"<[^>]* (on\w+|style)=", page)


async def test_the_audit_log_is_searched_filtered_and_turned_over(
    seat: Seat, store: Store, clock: FakeClock
) -> None:
    for number in range(60):
        entry = Entry(clock.now(), SHELL, Deed.WHY if number % 2 else Deed.STATS, f"discord:{number}")
        await store.transact(lambda tx, entry=entry: tx.note(entry))  # type: ignore[misc]
    page = await seat.read("/admin/audit?deeds-deed=why&deeds-page=2")
    assert "26 to 30 of 30" in page
    assert "discord:1<" in page
    assert "discord:59<" not in page
    text = await seat.read("/admin/audit/deeds.csv?deeds-deed=why&deeds-search=DISCORD:5&deeds-page=2")
    head, *rows = csv.reader(io.StringIO(text))
    assert head == ["Time (UTC)", "Who", "From", "What", "About", "More"]
    assert [row[4] for row in rows] == [f"discord:{number}" for number in (59, 57, 55, 53, 51, 5)]
    assert rows[0][:4] == [f"{clock.now():%Y-%m-%dT%H:%M:%SZ}", "console:root", "console", "why"]


async def test_signs_of_patterns_are_looked_for_as_they_are(store: Store, clock: FakeClock) -> None:
    for subject in ("100%", "100\\", "a_b", "axb"):
        entry = Entry(clock.now(), SHELL, Deed.WHY, subject)
        await store.transact(lambda tx, entry=entry: tx.note(entry))  # type: ignore[misc]

    async def found(text: str) -> list[str]:
        entries = await store.read(lambda tx: tx.find_deeds(Wanted(None, text), 0, 9))
        return [each.subject for each in entries]

    assert (await found("%"), await found("\\"), await found("A_B")) == (["100%"], ["100\\"], ["a_b"])
    assert await store.read(lambda tx: tx.count_deeds(Wanted(Deed.WHY))) == 4


async def test_a_fresh_installation_says_in_words_that_there_is_nothing_yet(seat: Seat) -> None:
    page = await seat.read("/admin/backlog")
    assert "Nothing was given up" in page
    assert "SIMULATED" in page
    assert "All times are UTC" in page


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/admin/nowhere", 404, "nothing at this address"),
        ("/admin/audit/nothing.csv", 404, "no such table"),
        ("/admin/nowhere/deeds.csv", 404, "nothing at this address"),
        ("/admin/audit?deeds-page=x", 400, "counted from 1"),
        ("/admin/audit?deeds-sort=password", 400, "no column"),
        ("/admin/audit?deeds-deed=burn", 400, "no such deed"),
        ("/admin/audit/deeds.csv?deeds-deed=burn", 400, "no such deed"),
    ],
)
async def test_what_there_is_not_is_said_in_words(seat: Seat, path: str, status: int, words: str) -> None:
    assert words in await seat.read(path, status)


async def test_pages_are_only_read(seat: Seat) -> None:
    for path in ("/admin/audit", "/admin/audit/deeds.csv"):
        async with seat.client.post(path, data={}, headers=OURS) as answer:
            assert answer.status == 405


async def test_nobody_sees_a_page_or_a_file_without_a_session(seat: Seat) -> None:
    seat.client.cookie_jar.clear()
    for path in ("/admin/audit", "/admin/backlog", "/admin/audit/deeds.csv"):
        assert "is for operators" in await seat.read(path, 401)


async def test_every_page_that_an_alert_leads_to_is_there(seat: Seat) -> None:
    for path in {DASHBOARD, *PAGES.values()}:
        await seat.read(path)


@pytest.mark.parametrize(
    ("order", "first"),
    [
        ("-at", "discord:2"),
        ("at", "discord:0"),
        ("actor", "discord:1"),
        ("-actor", "discord:2"),
        ("-subject", "discord:2"),
        ("subject", "discord:0"),
        ("detail", "discord:1"),
        ("-detail", "discord:0"),
        ("deed", "discord:2"),
        ("-deed", "discord:1"),
        ("origin", "discord:2"),
    ],
)
async def test_the_audit_log_is_sorted_both_ways_and_so_is_its_file(
    seat: Seat, store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, order: str, first: str
) -> None:
    monkeypatch.setattr(audit_log, "AT_ONCE", 2)
    entries = [
        Entry(clock.now(), Actor("console:b", Origin.CONSOLE), Deed.STATS, "discord:0", "Zebra"),
        Entry(clock.now(), Actor("console:A", Origin.CONSOLE), Deed.WHY, "discord:1", "apple"),
        Entry(clock.now(), Actor("console:c", Origin.CONSOLE), Deed.BLOCK, "discord:2"),
    ]
    for entry in entries:
        await store.transact(lambda tx, entry=entry: tx.note(entry))  # type: ignore[misc]
    text = await seat.read(f"/admin/audit/deeds.csv?deeds-sort={order}&deeds-search=console:")
    _, *rows = csv.reader(io.StringIO(text))
    assert rows[0][4] == first
    assert {row[4] for row in rows} == {each.subject for each in entries}
    page = await seat.read(f"/admin/audit?deeds-sort={order}&deeds-search=console:")
    assert re.findall(r">(discord:\d)<", page) == [row[4] for row in rows]
    way = "descending" if order.startswith("-") else "ascending"
    assert len(re.findall(f'aria-sort="{way}"', page)) == 1
    assert await seat.read("/admin/audit?deeds-sort=number", 400)


@pytest.mark.parametrize("key", ["person", "margin", "revenue", "cost", "requests", "tier"])
async def test_members_are_sorted_both_ways_on_their_page_and_in_their_file(
    seat: Seat, store: Store, key: str
) -> None:
    people = [Person(Platform.DISCORD, "", f"{number}") for number in range(3)]
    for number, person in enumerate(people):
        await store.transact(partial(asked_by, person=person, times=number + 1))
    lists = []
    for order in (key, f"-{key}"):
        page = await seat.read(f"/admin/members?members-sort={order}")
        file = await seat.read(f"/admin/members/members.csv?members-sort={order}")
        filed = [row[0] for row in csv.reader(io.StringIO(file))][1:]
        assert re.findall(r">(?:<span[^>]*>Marked: </span>)?(discord:\d)<", page) == filed
        assert f'aria-sort="{"descending" if order[0] == "-" else "ascending"}"' in page
        lists.append(filed)
    names = [str(each) for each in people]
    wanted = names[::-1] if key == "margin" else names
    if key in {"person", "margin", "cost", "requests"}:
        assert lists == [wanted, wanted[::-1]]


def asked_by(tx: Tx, person: Person, times: int) -> None:
    """A member whose questions cost something."""
    talk(tx, f"c{person.user}", person)
    for number in range(times):
        turn = hold(tx, f"t{person.user}-{number}", f"c{person.user}", person)
        tx.settle(turn, settlement(cost=1_000))
