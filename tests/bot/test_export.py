"""What `main.py export` gives: files as they are, and questions that wait, opened."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from bot.console import orders
from bot.console.arguments import command_line
from engine.domain import Answered, Refusal
from engine.files import Document, Image
from engine.ledger import Tx
from engine.simulated import LocalMessage
from tests.bot.counter import simulated_counter
from tests.bot.house import household
from tests.engine.conftest import ALICE, BOB, Hall, last
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture
from tests.engine.test_keeping import KEY, OTHER
from tests.fakes.clock import NOON

CAT = Image("cat.png", "image/png", b"\x89PNG a cat", 2, 3)
DOG = Image("../dog.jpg", "image/jpeg", b"\xff\xd8 a dog", 2, 3)
PAPER = Document("paper.pdf", "application/pdf", "a paper", 4, b"%PDF a paper")
NOTE = Document("note.txt", "text/plain", "a note", 6)


async def exported(hall: Hall, folder: Path) -> ZipFile:
    """What the console writes for Alice."""
    arguments = command_line().parse_args(["export", "local:alice", "-o", str(folder / "alice.zip")])
    house = household(hall, simulated_counter(hall.store, hall.clock).front(hall))
    assert await orders.WITHIN["export"](arguments, house) == 0
    return ZipFile(folder / "alice.zip")


async def test_files_come_as_they_were_sent_and_nobody_elses(
    hall: Hall, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hall.reading("quick", "spare")
    for files, person in (((CAT, PAPER), ALICE), ((DOG,), BOB)):
        ask = hall.ask("Look", person, attachments=files)
        assert isinstance(await last(hall.chat(), ask), Answered)
    with await exported(hall, tmp_path) as zipped:
        (turn,) = json.loads(zipped.read("turn.json"))
        given = sorted(name for name in zipped.namelist() if name.startswith("files/"))
        assert given == [f"files/{turn['id']}-0.pdf", f"files/{turn['id']}-image-0.png"]
        assert [zipped.read(name) for name in given] == [PAPER.pdf, CAT.data]
        assert json.loads(zipped.read("about.json"))["files"] == 2
        (row,) = json.loads(zipped.read("attachment.json"))
        assert "data" not in row
    assert ", 2 files." in capsys.readouterr().out


async def waits(hall: Hall) -> None:
    """Let a limit stop a question of Alice's with files."""
    hall.keys = (KEY,)
    hall.reading("quick", "spare")
    hall.free(conversations_per_day=0)
    refusal = await last(hall.chat(), hall.ask("kept words", attachments=(CAT, DOG, PAPER, NOTE)))
    assert isinstance(refusal, Refusal)
    assert refusal.kept


async def test_a_question_that_waits_is_opened_and_comes_with_its_files(
    hall: Hall, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await waits(hall)
    with await exported(hall, tmp_path) as zipped:
        (question,) = json.loads(zipped.read("waiting.json"))
        assert (question["prompt"], question["files"]) == (
            "kept words",
            [each.name for each in (CAT, DOG, PAPER, NOTE)],
        )
        told = {name: zipped.read(name) for name in zipped.namelist() if name.startswith("files/")}
        assert told == {
            "files/waiting-0-cat.png": CAT.data,
            "files/waiting-0-dog.jpg": DOG.data,
            "files/waiting-0-paper.pdf": PAPER.pdf,
            "files/waiting-0-note.txt": b"a note",
        }
        (row,) = json.loads(zipped.read("kept_question.json"))
        assert "content" not in row
    assert "could not be opened" not in capsys.readouterr().out


async def test_a_question_whose_key_is_gone_stays_sealed_and_is_said_to(
    hall: Hall, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await waits(hall)
    hall.keys = (OTHER,)
    with await exported(hall, tmp_path) as zipped:
        assert json.loads(zipped.read("waiting.json")) == []
        assert len(json.loads(zipped.read("kept_question.json"))) == 1
        assert not any(b"kept words" in zipped.read(name) for name in zipped.namelist())
    assert "1 questions that wait could not be opened" in capsys.readouterr().out


def said(number: int, author: str, body: dict[str, str], audience: str | None = None) -> LocalMessage:
    """A message in the playground."""
    return LocalMessage(str(number), "general", author, audience, body, NOON)


async def test_the_playgrounds_messages_by_and_to_a_person_come_too_with_the_answers(
    hall: Hall, tmp_path: Path
) -> None:
    await last(hall.chat(), hall.ask("Hi"))
    messages = (
        said(1, "alice", {"text": "question"}),
        said(2, "bob", {"text": "of another"}),
        said(3, "Assistant", {"text": "answer", "reply_to": "1"}),
        said(4, "Assistant", {"text": "to another", "reply_to": "2"}),
        said(5, "Assistant", {"text": "in private"}, audience="alice"),
    )

    def show(tx: Tx) -> None:
        for message in messages:
            tx.put_local(message)

    await hall.store.transact(show)
    with await exported(hall, tmp_path) as zipped:
        rows = json.loads(zipped.read("local_message.json"))
    assert [json.loads(row["body"])["text"] for row in rows] == ["question", "answer", "in private"]


async def test_a_table_without_rows_of_theirs_makes_no_file(hall: Hall, tmp_path: Path) -> None:
    await last(hall.chat(), hall.ask("Hi"))
    with await exported(hall, tmp_path) as zipped:
        told = json.loads(zipped.read("about.json"))["rows"]
        tables = {name.removesuffix(".json") for name in zipped.namelist()} - {"waiting", "about"}
    assert tables == set(told)
    assert 0 not in told.values()
    assert "subscription" not in tables
