"""Orders of the console that look or change stand in the audit log."""

from __future__ import annotations

import json
from argparse import Namespace

import pytest

from bot.console.arguments import command_line
from bot.console.orders import WITHIN
from engine.audit import Deed, Entry, Origin
from tests.bot.house import household
from tests.engine.conftest import BOB, Hall
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture


async def ordered(hall: Hall, *words: str) -> tuple[int, Entry | None]:
    """The exit status of a command, and the newest entry."""
    arguments: Namespace = command_line().parse_args(words)
    status = await WITHIN[arguments.command](arguments, household(hall))
    newest = await hall.store.read(lambda tx: tx.deeds(None, 1))
    return status, newest[0] if newest else None


@pytest.mark.parametrize(
    ("words", "deed", "subject", "detail"),
    [
        ("why local:bob", Deed.WHY, "local:bob", ""),
        ("forgive local:bob", Deed.FORGIVE, "local:bob", "0"),
        ("reconcile --dead", Deed.DEAD_LETTERS, "", ""),
        ("reconcile --retry-dead", Deed.RETRY, "", "0 tried again"),
        ("report --month 2026-10", Deed.STATS, "", "2026-10-01 to 2026-11-01"),
        ("find tier:free", Deed.FIND, "", "tier:free"),
        ("reload", Deed.RELOAD, "", "every process"),
        ("dashboard", Deed.DASHBOARD_LINK, "", ""),
        ("dashboard --end-sessions", Deed.SESSIONS_ENDED, "", "0 of everybody"),
    ],
)
async def test_what_is_ordered_is_written_down(
    hall: Hall, words: str, deed: Deed, subject: str, detail: str
) -> None:
    await hall.store.transact(lambda tx: tx.lock_account(BOB, hall.clock.now()))
    status, entry = await ordered(hall, *words.split())
    assert status == 0
    assert entry
    assert (entry.deed, entry.subject, entry.detail, entry.actor.origin) == (
        deed,
        subject,
        detail,
        Origin.CONSOLE,
    )


async def test_who_is_found_is_printed_and_nobody_is_an_exit_status(
    hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    await hall.store.transact(lambda tx: tx.lock_account(BOB, hall.clock.now()))
    assert (await ordered(hall, "find", "local:bob", "--json"))[0] == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["person"], told["tier"], told["cost_month_micros"]) == ("local:bob", "free", 0)
    assert (await ordered(hall, "find", "cus_nobody"))[0] == 1
    assert capsys.readouterr().out.startswith("Nobody fits that.")


async def test_the_console_prints_a_link_into_the_dashboard(
    hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (await ordered(hall, "dashboard"))[0] == 0
    told = capsys.readouterr()
    assert told.out.startswith("http://127.0.0.1:8080/admin/enter?link=")
    assert "once, within 5 minutes" in told.err


async def test_without_operators_the_console_prints_how_to_have_a_dashboard(
    hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    house = household(hall)
    house.office.entrance.people = ()
    arguments = command_line().parse_args(["dashboard"])
    assert await WITHIN["dashboard"](arguments, house) == 2
    told = capsys.readouterr()
    assert (told.out, "ADMIN_IDS" in told.err) == ("", True)
