"""Sorting, searching, filtering, paging and the files of tables, by the parameters of an address."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from webhooks.admin.asked import Asked, View
from webhooks.admin.export import contents
from webhooks.admin.parts import Mood, change
from webhooks.admin.shown import Grid, grid, path
from webhooks.admin.tables import HANDFUL, Choice, Column, Listed, Row, Table, narrowing
from webhooks.admin.units import Unit

NOW = datetime(2026, 11, 28, 7, 30, tzinfo=UTC)
COLUMNS = (
    Column("name", "Member"),
    Column("tier", "Tier"),
    Column("cost", "Cost", Unit.MONEY),
    Column("note", "Note", sortable=False),
)
TIERS = (("free", "Free"), ("pro", "Pro"))


def asked(**query: str) -> Asked:
    return Asked("/admin/members", {name.replace("_", "-"): value for name, value in query.items()}, NOW)


def table(rows: Sequence[Row]) -> Table:
    return Table(
        "m",
        "Members",
        COLUMNS,
        Listed(rows, ("name",)),
        sort="-cost",
        search="Find",
        choices=(Choice("tier", "Tier", TIERS),),
        size=2,
    )


def row(name: str, tier: str, cost: int | None) -> Row:
    return Row(name, {"name": name, "tier": tier, "cost": cost})


MEMBERS = table(
    [
        row("alice", "pro", 3_000_000),
        row("Bob", "free", None),
        row("carol", "free", 12_000_000),
        row("dave", "pro", -1_000_000),
    ]
)


async def read(of: Table, view: View) -> str:
    """A table's file."""
    return b"".join([part async for part in contents(of, view)]).decode()


def names(shown: Grid) -> list[str]:
    return [line.key for line in shown.lines]


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ({}, ["carol", "alice"]),
        ({"m_page": "2"}, ["dave", "Bob"]),
        ({"m_page": "99"}, ["dave", "Bob"]),
        ({"m_sort": "cost"}, ["dave", "alice"]),
        ({"m_sort": "name"}, ["alice", "Bob"]),
        ({"m_sort": "-name"}, ["dave", "carol"]),
        ({"m_search": "O"}, ["carol", "Bob"]),
        ({"m_tier": "pro"}, ["alice", "dave"]),
        ({"m_tier": "pro", "m_search": "da"}, ["dave"]),
    ],
)
async def test_rows_come_in_the_order_and_of_the_kind_that_is_asked_for(
    query: Mapping[str, str], order: list[str]
) -> None:
    assert names(await grid(MEMBERS, asked(**query))) == order


@pytest.mark.parametrize(
    "query",
    [
        *({"m_sort": order} for order in ("note", "password", "-", "--cost")),
        *({"m_page": number} for number in ("0", "-1", "x", "²", "1000001", "00000001" + "9" * 5000)),
    ],
)
async def test_what_cannot_be_sorted_or_counted_is_refused_in_words(query: Mapping[str, str]) -> None:
    with pytest.raises(web.HTTPBadRequest):
        await grid(MEMBERS, asked(**query))


async def test_links_keep_what_else_was_chosen() -> None:
    shown = await grid(MEMBERS, asked(span="7d", m_tier="free", m_page="1", other_sort="-x"))
    member, tier, cost, note = shown.heads
    assert (cost.direction, member.direction, note.link) == ("descending", "none", "")
    assert cost.link == "/admin/members?span=7d&m-tier=free&other-sort=-x&m-sort=cost"
    assert tier.link.endswith("m-sort=tier")
    assert shown.csv == "/admin/members/m.csv?span=7d&m-tier=free&other-sort=-x"
    assert shown.reset == "/admin/members?span=7d&other-sort=-x"
    assert shown.kept == [("span", "7d"), ("other-sort", "-x")]


async def test_few_rows_have_no_field_and_are_not_searched() -> None:
    rows = [row(f"m{number}", "free", 1) for number in range(HANDFUL)]
    few = replace(table(rows), search=narrowing("Find", rows))
    assert (await grid(few, asked(m_search="m1"))).count == f"1 to 2 of {HANDFUL}"
    more = [*rows, row("one more", "free", 1)]
    many = replace(table(more), search=narrowing("Find", more))
    assert (await grid(many, asked(m_search="more"))).count == "1 row"


async def test_an_empty_table_says_why_it_is_empty() -> None:
    fresh = table([])
    assert (await grid(fresh, asked())).empty == "There is nothing to show yet."
    assert (await grid(MEMBERS, asked(m_search="nobody"))).empty == "Nothing fits what you are looking for."
    assert (await grid(fresh, asked())).count == "0 rows"


async def test_a_file_holds_all_pages_in_the_same_order_and_of_the_same_kind() -> None:
    view = MEMBERS.view(asked(m_search="o", m_sort="name", m_page="2"))
    text = await read(MEMBERS, view)
    assert text == "Member,Tier,Cost (USD),Note\r\nBob,free,,\r\ncarol,free,12,\r\n"


@given(st.lists(st.text(), max_size=3))
async def test_any_text_comes_back_out_of_a_file(texts: list[str]) -> None:
    fresh = table([row(text, "free", 1) for text in texts])
    text = await read(fresh, fresh.view(asked()))
    head, *lines = csv.reader(io.StringIO(text, newline=""))
    assert head[0] == "Member"
    assert [line[0].removeprefix("'") for line in lines] == [text.removeprefix("'") for text in texts]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("", date(2026, 10, 30), date(2026, 11, 28)),
        ("7d", date(2026, 11, 22), date(2026, 11, 28)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026-11", date(2026, 11, 1), date(2026, 11, 28)),
    ],
)
def test_a_span_is_some_days_or_a_month(name: str, first: date, last: date) -> None:
    days = asked(span=name).days
    assert (days.first, days.last) == (first, last)
    before = days.before
    assert before.until == days.since
    assert len(before.all) == len(days.all)


@pytest.mark.parametrize("name", ["8d", "2026-13", "<b>", "2026-1", "2026-12", "2099-01"])
def test_another_span_is_refused_in_words(name: str) -> None:
    with pytest.raises(web.HTTPBadRequest):
        _ = asked(span=name).days


@pytest.mark.parametrize(
    ("now", "before", "good_up", "said"),
    [
        (112, 100, True, ("+12.0 %", Mood.GOOD)),
        (112, 100, False, ("+12.0 %", Mood.BAD)),
        (50, 100, True, ("-50.0 %", Mood.BAD)),
        (50, 100, None, ("-50.0 %", Mood.LEVEL)),
        (100, 100, True, ("0.0 %", Mood.LEVEL)),
        (5, 0, True, ("from none", Mood.LEVEL)),
        (0, 0, True, ("", Mood.LEVEL)),
        (None, 3, True, ("", Mood.LEVEL)),
        (-5, -10, True, ("+50.0 %", Mood.GOOD)),
    ],
)
def test_a_change_says_how_much_and_whether_it_is_good(
    now: int | None, before: int, good_up: object, said: tuple[str, Mood]
) -> None:
    assert isinstance(good_up, bool | None)
    assert change(now, before, good_up=good_up) == said


def test_the_small_line_of_a_number_stays_in_its_box() -> None:
    assert path([1, 2]) == "M0.0 14.5 L100.0 3.0"
    assert path([]) == path([5]) == path([0, 0]) == ""
