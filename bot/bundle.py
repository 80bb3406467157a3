"""A member's conversations as a file to take away; docs/members.md describes its shape."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

from engine.archive import Archive, Piece
from engine.domain import Person
from engine.keeping import Opened
from engine.turns import Turn

NAME = "conversations.zip"
VERSION = 1
MOST_BYTES = 8_000_000
"""Of the file, half for each of its parts: Discord takes 10 MB of a bot."""


class Bundle:
    """The file in the making: `conversations.json` for programs, `conversations.md` for people.

    Memory is bounded by the file's own size: what does not fit is left out, the oldest conversations first.
    It is written in other threads, as packing takes seconds.
    """

    def __init__(
        self, archive: Archive, person: Person, now: datetime, waiting: Sequence[Opened] = ()
    ) -> None:
        """`waiting`: the person's questions that a limit stopped."""
        self._waiting = waiting
        self._archive = archive
        self._person = person
        self._now = now
        self._file = BytesIO()
        self.turns = 0
        """How many were taken."""
        self.complete = True

    async def packed(self) -> bytes:
        """The whole file. TryAgainError: the database is away."""
        async with self._archive.slots:
            with ZipFile(self._file, "w", ZIP_DEFLATED) as zipped:
                await self._write_json(zipped)
                await self._write_markdown(zipped)
        return self._file.getvalue()

    async def _write_json(self, zipped: ZipFile) -> None:
        head = {
            "version": VERSION,
            "person": str(self._person),
            "exported_at": self._now.isoformat(),
            "waiting": [unanswered(each) for each in self._waiting],
        }
        with zipped.open("conversations.json", "w") as part:
            part.write(f'{json.dumps(head)[:-1]}, "turns": ['.encode())
            async with aclosing(self._archive.pieces(self._person)) as pieces:
                async for piece in pieces:
                    await asyncio.to_thread(self._add, part, piece)
                    if not self.complete:
                        break
            part.write(f'\n], "complete": {json.dumps(self.complete)}}}\n'.encode())

    def _add(self, part: IO[bytes], piece: Piece) -> None:
        for turn in piece.turns:
            if self._file.tell() > MOST_BYTES // 2:
                self.complete = False
                return
            between = ",\n" if self.turns else "\n"
            part.write(f"{between}{json.dumps(plain(turn), ensure_ascii=False)}".encode())
            self.turns += 1

    async def _write_markdown(self, zipped: ZipFile) -> None:
        left = self.turns
        with zipped.open("conversations.md", "w") as part:
            part.write(f"# Conversations of {self._person}, {self._now:%Y-%m-%d}\n".encode())
            part.write("".join(map(pending, self._waiting)).encode())
            async with aclosing(self._archive.pieces(self._person)) as pieces:
                async for piece in pieces:
                    if left <= 0:
                        break
                    taken = replace(piece, turns=piece.turns[:left])
                    left -= len(taken.turns)
                    await asyncio.to_thread(write, part, taken)


def write(part: IO[bytes], piece: Piece) -> None:
    """Write some turns for people to read."""
    part.write(readable(piece).encode())


def plain(turn: Turn) -> dict[str, object]:
    """A turn as JSON-ready values."""
    return {
        "conversation": turn.conversation,
        "turn": turn.id,
        "parent": turn.parent,
        "at": turn.started_at.isoformat(),
        "model": turn.model,
        "prompt": turn.prompt,
        "answer": turn.answer,
        "outcome": turn.outcome,
        "rating": None if turn.good is None else "good" if turn.good else "bad",
        "input_tokens": turn.usage.input_tokens,
        "output_tokens": turn.usage.output_tokens,
    }


def unanswered(opened: Opened) -> dict[str, object]:
    """A question that waits as JSON-ready values."""
    ask = opened.parcel.ask
    return {
        "asked_at": opened.asked_at.isoformat(),
        "until": opened.kept.until.isoformat(),
        "prompt": ask.text,
        "files": [file.name for file in ask.attachments],
    }


def pending(opened: Opened) -> str:
    """The same as Markdown."""
    head = (
        f"\n## {opened.asked_at:%Y-%m-%d %H:%M} UTC, waiting until {opened.kept.until:%Y-%m-%d %H:%M} UTC\n"
    )
    return f"{head}\n{quoted(opened.parcel.ask.text)}\n"


def readable(piece: Piece) -> str:
    """Some turns as Markdown, below a heading if they are a conversation's first."""
    head = [f"\n## {piece.conversation.started_at:%Y-%m-%d %H:%M} UTC\n"] if piece.first else []
    return "\n".join((*head, *(part for turn in piece.turns for part in said(turn))))


def said(turn: Turn) -> tuple[str, ...]:
    """A question and its answer."""
    tokens = turn.usage.input_tokens + turn.usage.output_tokens
    return (
        f"{quoted(turn.prompt)}\n",
        f"{turn.answer or f'(no answer: {turn.outcome})'}\n",
        f"*{turn.model}, {turn.started_at:%Y-%m-%d %H:%M} UTC, {tokens} tokens*\n",
    )


def quoted(text: str) -> str:
    """A question as Markdown sets it apart."""
    return "\n".join(f"> {line}" for line in text.splitlines())
