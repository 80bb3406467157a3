"""The page that compares drafts of config.toml: what it tells, what it refuses, and that it keeps nothing."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from html import unescape
from pathlib import Path
from tempfile import gettempdir
from typing import cast

import pytest
from aiohttp import FormData

from engine.admission import Admission, Desk, admit
from engine.audit import Actor, Deed, Origin
from engine.domain import Ask, Micros, Person, Platform, TurnId
from engine.drafts import MOST_BYTES
from engine.ledger import Tx
from engine.models import Usage
from engine.settings import Settings
from engine.settling import write_down
from engine.turns import Charge, Settlement
from engine.what_if import Comparison
from storage.store import Store
from tests.engine.conftest import CATALOGUE
from tests.fakes.clock import FakeClock
from tests.web.admin.desk import MODE, OURS, PAGE, SHIPPED, Seat, drafting, seated, settings_of
from webhooks.admin.answers import MOST, Answers

HERE = "/admin/what-if"
TEXT = SHIPPED.read_text(encoding="utf-8")
NOBODY_ASKS = TEXT.replace("conversations_per_day = 10", "conversations_per_day = 0", 1)
EVIL = "</textarea><script>alert(1)</script>"


@pytest.fixture
async def seat(store: Store, clock: FakeClock) -> AsyncIterator[Seat]:
    async with seated(store, clock) as taken:
        yield taken


async def proof_of(seat: Seat) -> str:
    """What shows that a form is from our page."""
    found = re.search(r'name="csrf" value="([^"]+)"', await seat.read(HERE))
    assert found
    return found[1]


async def sent(
    seat: Seat, text: str = "", days: str = "30", file: bytes = b"", more: Mapping[str, str] = OURS
) -> tuple[int, str]:
    """Send a draft as the page's form does; the status and the page that comes back."""
    form = FormData(default_to_multipart=True)
    form.add_field("csrf", await proof_of(seat))
    form.add_field("text", text)
    form.add_field(
        "file", file, filename="draft.toml" if file else "", content_type="application/octet-stream"
    )
    form.add_field("days", days)
    async with seat.client.post(HERE, data=form, headers={**PAGE, **more}) as answer:
        return answer.status, await answer.text()


def ask(tx: Tx, clock: FakeClock) -> None:
    """Somebody asks twice, in two conversations, and is answered."""
    desk = Desk(CATALOGUE, MODE, "", "p")
    for number in range(2):
        person = Person(Platform.LOCAL, "", "carol")
        admission = admit(
            tx, desk, Ask(f"k{number}", person, "Hi", (f"t{number}",)), TurnId(f"t{number}"), clock.now()
        )
        assert isinstance(admission, Admission)
        used, spec = Usage(1000, 0, 100), admission.routes[0].spec
        charge = Charge(spec.name, spec.provider, used, Micros(4_000))
        write_down(
            tx, admission, Settlement(spec.name, "Well.", used, charge.cost, "end", clock.now(), (charge,))
        )


def cells(page: str, table: str) -> list[list[str]]:
    """The texts of a table's rows."""
    part = re.search(rf'id="{table}-rows".*?</section>', page, re.DOTALL)
    assert part, page
    rows = re.findall(r"<tr data-key.*?</tr>", part[0], re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd][^>]*>.*?</t[hd]>", row)] for row in rows
    ]


async def test_a_draft_is_shown_beside_today_and_kept_in_the_form(
    seat: Seat, store: Store, clock: FakeClock
) -> None:
    await store.transact(lambda tx: ask(tx, clock))
    clock.advance(timedelta(minutes=1))
    status, page = await sent(seat, NOBODY_ASKS, "7")
    assert status == 200
    assert cells(page, "amounts")[0] == ["All tiers", "Cost", "$0.0080", "$0.00", "-$0.0080"]
    assert cells(page, "answers")[0] == ["All tiers", "2", "0", "-2", "1", "0"]
    assert cells(page, "limits") == [["Conversations a day", "2", "1"]]
    assert cells(page, "affected") == [["local:carol", "2", "0"]]
    assert "cost $0.0080 today, $0.00 under the draft" in page
    assert "conversations_per_day = 0" in page
    assert '<option value="7" selected>' in page
    assert "the recorded tokens are priced anew" in page


async def test_what_was_compared_is_written_down_without_the_draft(seat: Seat, store: Store) -> None:
    for text in (f"# secret plan\n{TEXT}", "secret plan"):
        await sent(seat, text, "90")
    wrong, right = await store.read(lambda tx: tx.deeds(None, 2))
    assert (right.actor, right.deed) == (Actor("local:alice", Origin.DASHBOARD), Deed.WHAT_IF)
    assert (right.subject, right.detail) == ("", "90 days, compared")
    assert (wrong.deed, wrong.subject, wrong.detail) == (Deed.WHAT_IF, "", "90 days, not valid")


async def test_a_file_is_taken_instead_of_the_text_as_it_is_in_utf_8(seat: Seat) -> None:
    status, page = await sent(seat, "no toml", file=f"# größer\r\n{TEXT}".encode())
    assert status == 200
    assert "# größer\n" in page
    status, words = await sent(seat, file=b"# gr\xf6\xdfer")
    assert status == 400
    assert "not text in UTF-8" in words


async def test_a_draft_that_needs_mending_is_told_with_every_mend_and_kept(seat: Seat) -> None:
    status, page = await sent(seat, f'{TEXT}\n[tiers."{EVIL}"]\n')
    assert status == 422
    assert "The draft needs mending" in page
    assert "draft.toml tiers." in page
    assert gettempdir() not in page
    assert "&lt;/textarea&gt;" in page
    assert "<script>alert" not in page
    assert 'id="amounts"' not in page
    status, page = await sent(seat, "[[" * 60_000)
    assert status == 422
    assert "draft.toml: is not TOML" in page


@pytest.mark.parametrize(
    ("text", "days", "status", "words"),
    [
        (" \n", "30", 400, "There is no draft"),
        (TEXT, "31", 400, "7, 30 or 90"),
        ("#" * (MOST_BYTES + 1), "30", 413, "longer than 256 kB"),
        ("#" * (3 * MOST_BYTES), "30", 413, "longer than"),
    ],
)
async def test_what_cannot_be_compared_is_said_in_words(
    seat: Seat, text: str, days: str, status: int, words: str
) -> None:
    told = await sent(seat, text, days)
    assert told[0] == status
    assert words in told[1]


async def test_nothing_is_compared_without_proof_of_our_page(seat: Seat, store: Store) -> None:
    proof = await proof_of(seat)
    fields = {"text": TEXT, "days": "30"}
    elsewhere = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for given, headers in (
        ({}, OURS),
        ({"csrf": "x"}, OURS),
        ({"csrf": proof}, elsewhere),
        ({"csrf": proof}, {}),
    ):
        form = FormData({**fields, **given}, default_to_multipart=True)
        async with seat.client.post(HERE, data=form, headers=headers) as answer:
            assert answer.status == 403
    async with seat.client.post(HERE, data={**fields, "csrf": proof}, headers=OURS) as answer:
        assert answer.status == 415
    seat.client.cookie_jar.clear()
    form = FormData(fields, default_to_multipart=True)
    async with seat.client.post(HERE, data=form, headers=OURS) as answer:
        assert answer.status == 401
    deeds = await store.read(lambda tx: tx.deeds(None, 9))
    assert Deed.WHAT_IF not in {each.deed for each in deeds}


async def test_a_draft_may_begin_with_what_is_in_force(
    seat: Seat, store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    page = await seat.read(f"{HERE}?begin=config")
    assert "[tiers.free]" in page
    async with seated(store, clock, drafting(store, clock, tmp_path / "none.toml")) as other:
        assert "config.toml cannot be read here" in await other.read(f"{HERE}?begin=config")


async def test_a_comparison_that_takes_too_long_is_given_up_in_words(
    seat: Seat, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.admin.drafting.PATIENCE", 0)
    status, page = await sent(seat, TEXT)
    assert status == 503
    assert "Choose fewer days" in page
    assert "[tiers.free]" in page
    (newest,) = await store.read(lambda tx: tx.deeds(None, 1))
    assert newest.detail == "30 days, given up"


async def test_one_comparison_is_worked_out_at_a_time(store: Store, clock: FakeClock) -> None:
    begun, go_on, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

    def slowly(path: Path) -> Settings:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait()
        return settings_of(path)

    async with seated(store, clock, drafting(store, clock, read=slowly)) as seat:
        first = asyncio.create_task(sent(seat, TEXT))
        await begun.wait()
        try:
            status, page = await sent(seat, f"{TEXT}\n# second")
        finally:
            go_on.set()
        assert status == 503
        assert "Another comparison" in page
        assert "# second" in page
        assert (await first)[0] == 200
        assert (await sent(seat, TEXT))[0] == 200


def links(page: str, start: str) -> list[str]:
    """The addresses of a page's links that begin so."""
    return [unescape(each) for each in re.findall(r'href="([^"#]+)', page) if each.startswith(start)]


async def test_what_a_draft_came_to_is_sorted_and_had_as_files_while_it_is_kept(
    seat: Seat, store: Store, clock: FakeClock
) -> None:
    await store.transact(lambda tx: ask(tx, clock))
    clock.advance(timedelta(minutes=1))
    _, page = await sent(seat, NOBODY_ASKS, "7")
    upwards = next(each for each in links(page, HERE) if "amounts-sort=-change" in each)
    again = await seat.read(upwards)
    changes = [row[4] for row in cells(again, "amounts")]
    assert changes[0] == "+$0.0080"
    assert changes[-1] == "-$0.0080"
    assert cells(again, "affected") == cells(page, "affected")
    assert "secret" not in again
    assert "conversations_per_day = 0" not in again
    files = links(again, f"{HERE}/")
    names = {each.partition(".csv")[0].rpartition("/")[2] for each in files}
    assert names == {"beside", "answers", "amounts", "models", "limits", "swaps", "affected"}
    text = await seat.read(next(each for each in files if "/amounts.csv" in each))
    head, *rows = text.splitlines()
    assert head == "Tier,What,Today (USD),Draft (USD),Change (USD)"
    assert rows[-1].endswith(",-0.008")
    clock.advance(timedelta(hours=1))
    assert "compare again" in await seat.read(upwards, 410)


async def test_what_a_draft_came_to_is_kept_while_it_is_looked_at_and_only_of_the_last(
    clock: FakeClock,
) -> None:
    answers, nothing = Answers(clock), cast("Comparison", None)
    first = answers.keep(nothing, 7)
    clock.advance(timedelta(minutes=59))
    assert answers.find(first)
    clock.advance(timedelta(minutes=59))
    assert answers.find(first)
    others = [answers.keep(nothing, 30) for _ in range(MOST)]
    assert [answers.find(each) is not None for each in (first, *others)] == [False, *[True] * MOST]
    assert answers.find("other") is None
