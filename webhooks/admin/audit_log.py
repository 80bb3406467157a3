"""The page of what operators did."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from aiohttp import web

from engine.audit import Deed, Entry, Wanted
from engine.ledger import Tx
from engine.ports import Store
from webhooks.admin.asked import Asked, View
from webhooks.admin.parts import Part
from webhooks.admin.tables import Cells, Choice, Column, Row, Slice, Table
from webhooks.admin.units import Unit

AT_ONCE = 500
COLUMNS = (
    Column("at", "Time", Unit.MOMENT, sortable=False),
    Column("actor", "Who", sortable=False),
    Column("origin", "From", sortable=False),
    Column("deed", "What", sortable=False),
    Column("subject", "About", sortable=False),
    Column("detail", "More", sortable=False),
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
                empty="Nobody has done anything yet. What operators do from now on stands here.",
                about="The newest first. It is only ever added to.",
                search="Find somebody or something",
                choices=(DEEDS,),
            )
        ]

    async def some(self, view: View, offset: int, limit: int) -> Slice:
        wanted = wanted_in(view)

        def work(tx: Tx) -> Slice:
            found = tx.find_deeds(wanted, None, offset, limit)
            return Slice([row_of(each) for each in found], tx.count_deeds(wanted))

        return await self._store.read(work)

    async def all(self, view: View) -> AsyncIterator[Row]:
        wanted = wanted_in(view)
        found = await self._after(wanted, None)
        while found:
            for each in found:
                yield row_of(each)
            found = await self._after(wanted, found[-1].number)

    async def _after(self, wanted: Wanted, number: int | None) -> Sequence[Entry]:
        return await self._store.read(lambda tx: tx.find_deeds(wanted, number, 0, AT_ONCE))


def wanted_in(view: View) -> Wanted:
    """What is looked for. HTTPBadRequest for a deed that there is not."""
    chosen = view.chosen.get("deed")
    if chosen and chosen not in set(Deed):
        raise web.HTTPBadRequest(text="There is no such deed in the audit log.")
    return Wanted(Deed(chosen) if chosen else None, view.search)


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
