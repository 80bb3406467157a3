"""Prints what members came to on their way to paying, row by row, for whoever counts it elsewhere."""

from __future__ import annotations

import csv
import json
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from bot.console.household import Household, console_actor
from engine.audit import Deed, Entry
from engine.happenings import Happening
from engine.ports import Store

PAGE = 1000
BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = ("number", "at", "account", "mode", "kind", "tier", "reason", "model", "platform")


async def events(arguments: Namespace, house: Household) -> int:
    """Print those of a span as CSV or JSON, page by page, and write down that they were taken."""
    now = house.clock.now()
    since, until = arguments.since or BEFORE_ALL, arguments.until or now
    if since >= until:
        print("--since has to lie before --until.", file=sys.stderr)
        return 2
    entry = Entry(now, console_actor(), Deed.EVENTS, detail=f"{since:%Y-%m-%d} to {until:%Y-%m-%d}")
    await house.store.transact(lambda tx: tx.note(entry))
    rows = (plain(each) async for each in read(house.store, since, until))
    await (print_json(rows) if arguments.json else print_csv(rows))
    return 0


async def read(store: Store, since: datetime, until: datetime) -> AsyncIterator[Happening]:
    """All of a span, by number."""
    after = 0
    while page := await store.read(lambda tx: tx.happenings(since, until, after, PAGE)):  # noqa: B023 - at once
        for each in page:
            yield each
        after = page[-1].number


def plain(happening: Happening) -> Mapping[str, object]:
    """One as its columns; times are UTC, in ISO 8601."""
    return {
        "number": happening.number,
        "at": happening.at.isoformat(),
        "account": happening.account,
        "mode": happening.mode.value,
        "kind": happening.kind.value,
        "tier": happening.tier.value if happening.tier else "",
        "reason": happening.reason,
        "model": happening.model,
        "platform": happening.platform.value,
    }


async def print_csv(rows: AsyncIterator[Mapping[str, object]]) -> None:
    """As a table with a heading."""
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    async for each in rows:
        writer.writerow(each)


async def print_json(rows: AsyncIterator[Mapping[str, object]]) -> None:
    """As one array, an object a line."""
    print("[", end="")
    between = "\n"
    async for each in rows:
        print(between, json.dumps(each), sep="", end="")
        between = ",\n"
    print("\n]")
