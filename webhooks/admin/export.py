"""Tables as files of comma-separated values (RFC 4180, UTF-8) that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress

from aiohttp import web

from webhooks.admin.asked import View
from webhooks.admin.tables import Column, Table
from webhooks.admin.units import MARKS, Unit, filed
from webhooks.boundary import STARTED

ROWS_AT_ONCE = 500
"""About 50 kB a write."""


async def send(request: web.Request, table: Table, view: View, name: str) -> web.StreamResponse:
    """Stream every row that the view holds, whatever its page; `name` is the file's, without its ending.

    Errors before the first byte are said in words; later ones break the file off.
    """
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8; header=present",
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "Cache-Control": "no-store",
        }
    )
    lines = written(table, view)
    first = await anext(lines)
    await response.prepare(request)
    request[STARTED] = response
    with suppress(ConnectionError):  # downloads are stopped
        await response.write(first.encode())
        async for part in lines:
            await response.write(part.encode())
        await response.write_eof()
    return response


async def written(table: Table, view: View) -> AsyncIterator[str]:
    """The file in parts: its head with the first rows, then more of them."""
    rows: list[Sequence[str]] = [[head(column) for column in table.columns]]
    async for row in table.source.all(view):
        rows.append([filed(row.cells.get(column.key), column.unit) for column in table.columns])
        if len(rows) >= ROWS_AT_ONCE:
            yield joined(rows)
            rows.clear()
    yield joined(rows)


def head(column: Column) -> str:
    """A column's title with its unit."""
    return filed(f"{column.title}{MARKS.get(column.unit, '')}", Unit.TEXT)


def joined(rows: Iterable[Sequence[str]]) -> str:
    """Lines that end as the standard wants it, quoted where needed."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
