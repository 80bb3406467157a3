"""Tables as files of comma-separated values (RFC 4180, UTF-8) that no spreadsheet takes for formulas."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing, suppress
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO

from aiohttp import web

from webhooks.admin.asked import View
from webhooks.admin.tables import Column, Flowing, Row, Table, Whole
from webhooks.admin.units import MARKS, Unit, filed
from webhooks.boundary import STARTED

ROWS_AT_ONCE = 500
"""About 50 kB a write."""
IN_MEMORY, BYTES_AT_ONCE = 1 << 20, 1 << 16
"""Longer files wait on the disk, without a name, until whoever asked for them has them."""


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
    async with aclosing(contents(table, view)) as parts:
        first = await anext(parts)
        await response.prepare(request)
        request[STARTED] = response
        with suppress(ConnectionError):  # downloads are stopped
            await response.write(first)
            async for part in parts:
                await response.write(part)
            await response.write_eof()
    return response


async def contents(table: Table, view: View) -> AsyncGenerator[bytes, None]:
    """The file in parts."""
    if isinstance(table.source, Whole):
        async for part in spooled(table.source, table.columns, view):
            yield part
    else:
        async for text in written(table.source, table.columns, view):
            yield text.encode()


async def written(source: Flowing, columns: Sequence[Column], view: View) -> AsyncIterator[str]:
    """Its head with the first rows, then more of them as they are read."""
    rows: list[Sequence[str]] = [heads(columns)]
    async for row in source.all(view):
        rows.append(cells(row, columns))
        if len(rows) >= ROWS_AT_ONCE:
            yield joined(rows)
            rows.clear()
    yield joined(rows)


async def spooled(source: Whole, columns: Sequence[Column], view: View) -> AsyncIterator[bytes]:
    """The same by way of a file: nobody's slow line keeps the database at a moment that has passed."""
    with SpooledTemporaryFile(IN_MEMORY) as file:
        await source.through(view, partial(spool, file, columns))
        file.seek(0)
        while part := await asyncio.to_thread(file.read, BYTES_AT_ONCE):
            yield part


def spool(file: IO[bytes], columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Write all rows, from the beginning."""
    file.seek(0)
    file.truncate()
    lines = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(lines, lineterminator="\r\n")
        writer.writerow(heads(columns))
        writer.writerows(cells(row, columns) for row in rows)
    finally:
        lines.detach()


def heads(columns: Sequence[Column]) -> Sequence[str]:
    """The columns' titles with their units."""
    return [filed(f"{each.title}{MARKS.get(each.unit, '')}", Unit.TEXT) for each in columns]


def cells(row: Row, columns: Sequence[Column]) -> Sequence[str]:
    """A row's values, as they stand in a file."""
    return [filed(row.cells.get(column.key), column.unit) for column in columns]


def joined(rows: Iterable[Sequence[str]]) -> str:
    """Lines that end as the standard wants it, quoted where needed."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
