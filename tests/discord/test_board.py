"""A comparison on Discord: one message with a section for each model."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord.board import of_frames, shares
from bot.discord.views import TEXT_LIMIT, Page
from bot.reply import Button, Frame, State
from bot.split import utf16
from engine.domain import TurnId
from tests.discord.conftest import Stage
from tests.fakes.discord.components import problems, texts
from tests.fakes.discord.errors import Json

STOP, KEEP = (Button("Stop", action="stop:1"),), (Button("Continue with this one", action="keep:1"),)
BROKEN = "I was stopped before this was finished. The button asks again."
PIECES = ("word ", "\n", "```py\n", "```\n", "[a](https://b.example)", "😀", "-# x\n", "x" * 50)
FRAMES = st.lists(
    st.tuples(
        st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
        st.integers(1, 20),
        st.sampled_from([State.WRITING, State.DONE, State.STOPPED, State.FAILED]),
    ),
    min_size=1,
    max_size=4,
)


def frame_of(number: int, text: str, state: State) -> Frame:
    """A section's frame."""
    told = ("It broke off here. Ask again.",) if state in {State.STOPPED, State.FAILED} else ()
    labels = {State.WRITING: ("Stop",), State.DONE: ("Keep",)}.get(state, ("Again", "Other"))
    buttons = tuple(Button(label, action=f"{label}:{number}") for label in labels)
    footer = "" if state is State.WRITING else f"model-{number} · 1.2 s · 345 tokens · strong"
    pages = (text, *told) if text.strip() else told
    return Frame(pages, state, footer, buttons, text, title=f"model-{number}")


def shown(page: Page) -> list[str]:
    """A message's texts, once Discord has found nothing wrong with it."""
    nodes: list[Json] = page.view(1).to_components()  # type: ignore[no-untyped-call]
    assert list(problems(nodes, v2=True, files={name for name, _ in page.files})) == []
    return texts(nodes)


@settings(max_examples=40)
@given(FRAMES)
def test_discord_takes_every_comparison(found: list[tuple[str, int, State]]) -> None:
    frames = [frame_of(number, text * times, state) for number, (text, times, state) in enumerate(found)]
    page = of_frames(frames)
    assert sum(utf16(text) for text in shown(page)) <= TEXT_LIMIT
    assert [section.title for section in page.sections] == [frame.title for frame in frames]


def test_a_running_section_shows_its_newest_part_and_a_finished_one_its_beginning() -> None:
    long = "".join(f"line {number}\n" for number in range(1000))
    running, done = frame_of(0, long, State.WRITING), frame_of(1, long, State.DONE)
    page = of_frames([running, done])
    assert page.files == ()
    assert page.sections[0].text.startswith("…\nline ")
    assert page.sections[0].text.endswith("line 999")
    assert page.sections[1].text.startswith("line 0\n")
    assert page.sections[1].footer.endswith(" · shortened")
    ended = of_frames([frame_of(0, "short", State.DONE), done])
    assert ended.files == (("2-model-1.md", long.encode()),)
    assert utf16(ended.sections[1].text) > 3000


def test_four_long_answers_that_failed_are_no_more_parts_than_discord_takes() -> None:
    page = of_frames([frame_of(number, "x" * 3000, State.FAILED) for number in range(4)])
    shown(page)
    assert [button.label for section in page.sections for button in section.buttons] == ["Again"] * 4
    assert len(page.files) == 4


def test_a_very_long_comparison_is_drawn_without_reading_all_of_it_again() -> None:
    long = "- a line with `code` and a [link](https://x.example/1)\n" * 20_000
    began = time.perf_counter()
    of_frames([frame_of(number, long, State.DONE) for number in range(4)])
    assert time.perf_counter() - began < 1


def test_a_fence_that_is_open_where_the_newest_part_begins_is_opened_again() -> None:
    code = "```python\n" + "".join(f"x = {number}\n" for number in range(1000))
    (section,) = of_frames([frame_of(0, code, State.WRITING)]).sections
    assert section.text.startswith("…\n```python\nx = ")
    assert section.text.endswith("x = 999\n```")


@pytest.mark.parametrize(
    ("wanted", "room", "given"),
    [((10, 10), 100, (10, 10)), ((500, 10, 500), 210, (100, 10, 100)), ((900, 300), 1000, (700, 300))],
)
def test_room_that_one_does_not_need_is_the_others(
    wanted: tuple[int, ...], room: int, given: tuple[int, ...]
) -> None:
    assert tuple(shares(wanted, room)) == given


async def test_a_comparison_is_one_message_in_which_all_models_write(stage: Stage) -> None:
    stage.model.pause = stage.hall.two.pause = 1
    stage.hall.two.words = ("Good day, ", "Sir.")
    used = stage.discord.slash("alice", "compare", {"prompt": "Hi", "first": "quick", "second": "spare"})
    board = await stage.discord.answered(used)
    await stage.discord.world.pulse.until(
        lambda: board.text == "**quick**\n-# writing …\nHello\n**spare**\n-# writing …\nGood day,"
    )
    assert [button["label"] for button in board.buttons()] == ["Stop"]
    stage.model.go.set()
    stage.hall.two.go.set()
    await stage.discord.world.pulse.until(lambda: board.text.count(" today") == 2)
    assert [button["label"] for button in board.buttons()] == ["Continue with this one"] * 2
    assert used.messages == [board]
    assert len(board.versions) < 12
    kept = stage.discord.press("alice", board, board.buttons()[1]["custom_id"])
    assert "goes on with **spare**" in (await stage.discord.answered(kept)).text
    stage.discord.say("alice", "general", "Go on", reply_to=board, mention_bot=True)
    await stage.shown(words="turn 2 of")
    assert [turn.text for turn in stage.hall.two.seen[1].messages] == ["Hi", "Good day, Sir.", "Go on"]


async def test_one_press_stops_a_whole_comparison(stage: Stage) -> None:
    stage.model.pause = stage.hall.two.pause = 1
    used = stage.discord.slash("alice", "compare", {"prompt": "Hi", "first": "quick", "second": "spare"})
    board = await stage.discord.answered(used)
    await stage.discord.world.pulse.until(lambda: board.text.count("Hello") == 2)
    stage.discord.press("alice", board, board.button("Stop")["custom_id"])
    await stage.discord.world.pulse.until(lambda: board.text.count("Stopped.") == 2)


async def test_a_private_answer_is_seen_by_its_asker_alone_with_its_file_and_in_comparisons(
    stage: Stage,
) -> None:
    stage.model.words = tuple("word " * 700 for _ in range(5))
    used = stage.discord.slash("alice", "ask", {"prompt": "Hi", "private": "on", "thread": "on"})
    await stage.discord.world.pulse.until(lambda: any(" today" in text for text in used.texts()))
    assert used.private()
    assert "answer.md" in used.messages[-1].files
    stage.model.words = ("Hello.",)
    await stage.discord.answered(stage.discord.slash("alice", "private", {"switch": "on"}))
    both = stage.discord.slash("alice", "compare", {"prompt": "Hi", "first": "quick", "second": "spare"})
    await stage.discord.world.pulse.until(lambda: any(text.count(" today") == 2 for text in both.texts()))
    assert both.private()
    export = await stage.discord.answered(stage.discord.slash("alice", "export"))
    assert export.only_for
    assert export.files


async def test_a_comparison_of_a_lost_process_is_mended_with_its_texts(
    stage: Stage, database_url: str
) -> None:
    stage.model.pause = 1
    stage.model.words = (*"x" * 10, "Hello ", "there.")
    used = stage.discord.slash("alice", "compare", {"prompt": "Hi", "first": "quick", "second": "spare"})
    board = await stage.discord.answered(used)
    await stage.discord.world.pulse.until(lambda: "\nx\n" in board.text and " today" in board.text)
    before = board.text
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as base:
        ((turn, place),) = base.execute("SELECT id, place FROM turn WHERE place IS NOT NULL").fetchall()
    await stage.bot.messenger.mend(place, TurnId(turn))
    assert board.text == before.replace("writing …\nx", "failed\nx\n" + BROKEN)
    assert [button["label"] for button in board.buttons()] == ["Ask again", "Continue with this one"]
    assert board.button("Ask again")["custom_id"].endswith(f":again:{turn}")
    mended = board.wire
    await stage.bot.messenger.mend(place, TurnId(turn))
    assert board.wire == mended
    stage.model.go.set()
    await stage.discord.world.pulse.until(lambda: board.text.count(" today") == 2)


async def test_a_full_comparison_that_broke_off_still_fits(stage: Stage) -> None:
    stage.model.pause = stage.hall.two.pause = 1
    stage.model.words = stage.hall.two.words = ("word " * 1000, "end.")
    used = stage.discord.slash("alice", "compare", {"prompt": "Hi", "first": "quick", "second": "spare"})
    board = await stage.discord.answered(used)
    await stage.discord.world.pulse.until(lambda: board.text.count("writing …\n…\n") == 2)
    place = f"{board.channel.id}/{board.id}/{stage.discord.world.user('alice').id}/one/two"
    await stage.bot.messenger.mend(place, TurnId("one"))
    assert board.text.count(BROKEN) == 2
    assert [button["label"] for button in board.buttons()] == ["Ask again"] * 2
    for model in (stage.model, stage.hall.two):
        model.go.set()
    await stage.discord.world.pulse.until(lambda: board.text.count(" today") == 2)
