"""All that is kept of one person, as a file for them; docs/operator.md describes it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

from bot.bundle import unanswered
from engine.domain import Account, Person, TurnId
from engine.erasure import Cell
from engine.files import Document, Image
from engine.keeping import Opened
from engine.ports import Store

AT_ONCE = 200
"""Rows read at a time, so that a long history never has to fit into memory."""
VERSION = 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg"}


class Dossier:
    """A zip: a JSON file for each table that has rows of theirs, their files, and what waits."""

    def __init__(self, store: Store, person: Person, now: datetime, waiting: Sequence[Opened]) -> None:
        """`waiting`: their questions that a limit stopped, as far as they can be opened."""
        self._store = store
        self._person = person
        self._now = now
        self._waiting = waiting
        self.rows: dict[str, int] = {}
        """Written, by table."""
        self.files = 0

    @property
    def unopened(self) -> int:
        """How many questions that wait stay sealed."""
        return max(0, self.rows.get("kept_question", 0) - len(self._waiting))

    async def known(self) -> bool:
        """Whether anything is kept."""
        return await self._account() is not None

    async def _account(self) -> Account | None:
        return await self._store.read(lambda tx: tx.find_account(self._person))

    async def write(self, file: Path) -> None:
        """Write it, readable for its owner alone. TryAgainError: the database is away."""
        account = await self._account()
        if account is None:
            return
        tables = await self._store.read(lambda tx: tx.personal_tables())
        part = file.with_name(f".{file.name}.part")
        part.touch(mode=0o600)
        with ZipFile(part, "w", ZIP_DEFLATED) as zipped:
            for table in tables:
                await self._table(zipped, table, account)
            zipped.writestr("waiting.json", pretty([unanswered(each) for each in self._waiting]))
            for number, each in enumerate(self._waiting):
                for sent in each.parcel.ask.attachments:
                    zipped.writestr(f"files/waiting-{number}-{Path(sent.name).name}", contents(sent))
                    self.files += 1
            zipped.writestr("about.json", pretty(self._about()))
        part.replace(file)

    def _about(self) -> Mapping[str, object]:
        return {
            "version": VERSION,
            "person": str(self._person),
            "exported_at": self._now.isoformat(),
            "rows": self.rows,
            "files": self.files,
        }

    async def _table(self, zipped: ZipFile, table: str, account: Account) -> None:
        pictured: list[TurnId] = []
        rows = await self._page(table, account, 0)
        if not rows:
            return
        with zipped.open(f"{table}.json", "w") as part:
            between = "[\n"
            while rows:
                await asyncio.to_thread(write, part, between, rows)
                between = ",\n"
                self.rows[table] = self.rows.get(table, 0) + len(rows)
                if table == "turn":
                    pictured += [TurnId(str(row["id"])) for row in rows if row["images"] or row["pdfs"]]
                rows = await self._page(table, account, self.rows[table])
            part.write(b"\n]\n")
        for turn in pictured:
            await self._files(zipped, turn)

    async def _page(self, table: str, account: Account, skip: int) -> Sequence[Mapping[str, Cell]]:
        return await self._store.read(
            lambda tx: tx.personal_rows(table, account.id, account.person, skip, AT_ONCE)
        )

    async def _files(self, zipped: ZipFile, name: TurnId) -> None:
        turn = await self._store.read(lambda tx: tx.turn(name))
        if turn is None:
            return
        for number, image in enumerate(turn.images):
            suffix = SUFFIXES.get(image.media_type, "")
            zipped.writestr(f"files/{name}-image-{number}{suffix}", image.data)
        for number, pdf in enumerate(turn.pdfs):
            zipped.writestr(f"files/{name}-{number}.pdf", pdf.data)
        self.files += len(turn.images) + len(turn.pdfs)


def contents(file: Image | Document) -> bytes:
    """What a file holds, as far as it was kept: of a document that no model takes as it is, its text."""
    return file.data if isinstance(file, Image) else file.pdf or file.text.encode()


def write(part: IO[bytes], between: str, rows: Sequence[Mapping[str, Cell]]) -> None:
    """Write rows as JSON, a line each."""
    lines = (
        json.dumps({name: shown(name, cell) for name, cell in row.items()}, ensure_ascii=False)
        for row in rows
    )
    part.write((between + ",\n".join(lines)).encode())


def shown(column: str, cell: Cell) -> object:
    """A value for reading: moments as ISO 8601, bytes as their number."""
    if isinstance(cell, bytes):
        return f"{len(cell)} bytes"
    timed = column in {"at", "until", "since"} or column.endswith(("_at", "_until", "_since", "_end"))
    if timed and isinstance(cell, int) and cell > 0:
        return (EPOCH + timedelta(microseconds=cell)).isoformat()
    return cell


def pretty(value: object) -> str:
    """JSON for reading."""
    return f"{json.dumps(value, indent=2, ensure_ascii=False)}\n"
