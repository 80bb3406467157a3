"""The page of what operators did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from aiohttp import web

from engine.audit import Deed, DeedOrder, Entry, Wanted
from engine.ledger import Tx
from engine.ports import Store
from webhooks.admin.asked import Asked, View
from webhooks.admin.parts import Part
from webhooks.admin.tables import Cells, Choice, Column, Row, Slice, Table
from webhooks.admin.units import Unit

AT_ONCE = 2_000
"""Entries that are read at once where all are wanted."""
COLUMNS = (
    Column("at", "Time", Unit.MOMENT),
    Column("actor", "Who"),
    Column("origin", "From"),
    Column("deed", "What"),
    Column("subject", "About"),
    Column("detail", "More"),
)
DEEDS = Choice("deed", "What", [(each.value, each.value.replace("-", " ")) for each in Deed])


class AuditLog:
    """Builds the page, and reads its rows a page at a time: the log only grows."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def build(self, _asked: Asked) -> Sequence[Part]:
        """One table, the newest first."""
        return [
            Table(
                "deeds",
                "What operators did",
                COLUMNS,
                self,
                sort="-at",
                empty="Nobody has done anything yet. What operators do from now on stands here.",
                about="It is only ever added to.",
                search="Find somebody or something",
                choices=(DEEDS,),
            )
        ]

    async def some(self, view: View, offset: int, limit: int) -> Slice:
        wanted = wanted_in(view)

        def work(tx: Tx) -> Slice:
            found = tx.find_deeds(wanted, offset, limit)
            return Slice([row_of(each) for each in found], tx.count_deeds(wanted))

        return await self._store.read(work)

    async def through(self, view: View, take: Callable[[Iterable[Row]], None]) -> None:
        wanted = wanted_in(view)
        await self._store.read(lambda tx: take(row_of(each) for each in every(tx, wanted)))


def every(tx: Tx, wanted: Wanted) -> Iterator[Entry]:
    """All that are wanted, read as they are taken."""
    skip = 0
    while found := tx.find_deeds(wanted, skip, AT_ONCE):
        yield from found
        skip += len(found)


def wanted_in(view: View) -> Wanted:
    """What is looked for. HTTPBadRequest for a deed that there is not."""
    chosen = view.chosen.get("deed")
    if chosen and chosen not in set(Deed):
        raise web.HTTPBadRequest(text="There is no such deed in the audit log.")
    return Wanted(
        Deed(chosen) if chosen else None, view.search, DeedOrder(view.sort), rising=not view.descending
    )


def row_of(entry: Entry) -> Row:
    """An entry as a row."""
    cells: Cells = {
        "at": entry.at,
        "actor": entry.actor.name,
        "origin": entry.actor.origin.value,
        "deed": entry.deed.value,
        "subject": entry.subject,
        "detail": entry.detail,
    }
    return Row(str(entry.number), cells)
