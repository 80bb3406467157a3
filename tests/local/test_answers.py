"""What can be done about answers in the playground: redone, compared, hidden, stopped, mended, taken away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from bot.bundle import NAME
from engine.domain import TurnId
from engine.errors import StreamCutError
from engine.models import Finish
from tests.engine.conftest import ALICE, BOB, Hall
from tests.fakes.pulse import PATIENCE
from tests.local.conftest import Json, Talk


def labels(message: Json) -> list[str]:
    """The buttons of a message."""
    return [button["label"] for button in message["buttons"]]


def action(message: Json, label: str) -> str:
    """What a button does."""
    return next(str(button["action"]) for button in message["buttons"] if button["label"] == label)


async def pressed(talk: Talk, message: Json, label: str, last: str = "done") -> Json:
    """What comes of pressing a button."""
    async with talk.bot.events(ALICE) as changes, asyncio.timeout(PATIENCE):
        await talk.bot.press(ALICE, message["id"], action(message, label))
        return await talk.answering(changes, message["id"], {last})


async def test_an_answer_is_given_again_by_the_same_or_another_model(talk: Talk, hall: Hall) -> None:
    first = await talk.say("/ask Hi")
    assert labels(first) == ["Regenerate", "Other model"]
    again = await pressed(talk, first, "Regenerate")
    assert (again["text"], again["footer"]) == (
        "Hello there.",
        "quick · conversation 1 of 3 today · turn 2 of 5",
    )
    choice = await pressed(talk, first, "Other model")
    assert (choice["kind"], labels(choice)) == ("private", ["spare"])
    other = await pressed(talk, choice, "spare")
    assert other["footer"].startswith("spare · conversation 1 of 3")
    assert [m.text for m in hall.two.seen[-1].messages] == ["Hi"]


async def test_an_answer_that_was_cut_is_continued(talk: Talk, hall: Hall) -> None:
    hall.one.finish = Finish.LENGTH
    first = await talk.say("/ask Hi")
    assert labels(first) == ["Continue", "Regenerate", "Other model"]
    assert (await pressed(talk, first, "Continue"))["text"] == "Hello there."
    assert len(hall.one.seen[-1].messages) == 3


async def test_somebody_elses_answer_is_not_done_again(talk: Talk) -> None:
    first = await talk.say("/ask Hi")
    async with talk.bot.events(BOB) as changes, asyncio.timeout(PATIENCE):
        await talk.bot.press(BOB, first["id"], action(first, "Regenerate"))
        refused = await talk.answering(changes, first["id"], {"done"})
    assert "somebody else" in refused["text"]


async def test_models_are_compared_in_a_message_each_and_one_is_kept(talk: Talk, hall: Hall) -> None:
    ends: dict[str, Json] = {}
    async with talk.bot.events(ALICE) as changes, asyncio.timeout(PATIENCE):
        sent = await talk.bot.send(ALICE, "dm", "/compare models:quick,spare which?", None, None)
        while len(ends) < 2:
            end = await talk.answering(changes, sent, {"done"})
            ends[end["id"]] = end
    found = [ends[name] for name in sorted(ends)]
    assert [each["text"] for each in found] == ["**quick**\n\nHello there.", "**spare**\n\nHello there."]
    assert found[1]["footer"] == "spare · 0.0 s · 150 tokens · everyday · conversation 2 of 3 today"
    kept = await pressed(talk, found[1], "Continue with this one")
    assert kept["text"] == "This conversation goes on with **spare**."
    await talk.say("and why?", room="dm")
    assert [m.text for m in hall.two.seen[-1].messages] == ["which?", "Hello there.", "and why?"]


async def test_a_private_question_and_its_answer_are_for_ones_own_eyes(talk: Talk) -> None:
    once = await talk.say("/ask private:on my secret")
    assert once["kind"] == "private"
    assert (await talk.say("/private on"))["text"].startswith("Only you")
    assert (await talk.say("/ask a secret too"))["kind"] == "private"
    assert (await talk.say("/ask private:off no secret"))["kind"] == "public"
    assert not [m for m in await talk.seen(BOB) if "secret" in m["text"] and "no secret" not in m["text"]]


async def test_instructions_go_along_with_every_question(talk: Talk, hall: Hall) -> None:
    await talk.say('/instructions Answer in """French""".')
    assert 'Answer in """French""".' in (await talk.say("/instructions"))["text"]
    await talk.say("/ask Hi")
    assert hall.one.seen[-1].system.startswith("Be brief.\n\nThe member has asked")
    assert hall.one.seen[-1].system.endswith('""""\nAnswer in """French""".\n""""')
    assert "1000" in (await talk.say(f"/instructions {'x' * 1001}"))["text"]
    await talk.say("/instructions off")
    await talk.say("/ask Hi")
    assert hall.one.seen[-1].system == "Be brief."


async def test_a_model_may_be_chosen_for_one_conversation(talk: Talk) -> None:
    assert "no conversation" in (await talk.say("/model spare here", room="dm"))["text"]
    await talk.say("Hi", room="dm")
    assert "**spare**" in (await talk.say("/model spare here", room="dm"))["text"]
    assert "Model in this conversation: spare" in (await talk.say("/usage", room="dm"))["text"]
    assert (await talk.say("and?", room="dm"))["footer"].startswith("spare")
    assert (await talk.say("/ask Hi"))["footer"].startswith("quick")


async def test_stop_says_what_it_stopped(talk: Talk, hall: Hall) -> None:
    assert (await talk.say("/stop"))["text"] == "No answer is being written for you."
    hall.one.pause = 1
    async with talk.bot.events(ALICE) as listened, asyncio.timeout(PATIENCE):
        changes: AsyncIterator[Any] = listened
        sent = await talk.bot.send(ALICE, "general", "/ask Hi", None, None)
        await talk.answering(changes, sent, {"writing"})
        ordered = await talk.bot.send(ALICE, "general", "/stop", None, None)
        told: dict[str, str] = {}
        async for change in changes:
            message: Json = change.get("message", {})
            if message.get("reply_to") in {sent, ordered} and message["state"] in {"stopped", "done"}:
                told[message["reply_to"]] = message["text"]
            if len(told) == 2:
                break
    assert told == {sent: "Hello \n\nStopped.", ordered: "Stopped one answer."}


async def test_an_export_holds_all_of_ones_own_and_nothing_else(talk: Talk) -> None:
    assert (await talk.say("/export"))["text"] == "There is nothing to export yet."
    await talk.say("/ask my first")
    await talk.say("/ask somebody's", who=BOB)
    reply = await talk.say("my second", room="dm")
    told = await talk.say("/export")
    assert (told["kind"], labels(told)) == ("private", [NAME])
    assert await talk.bot.file(BOB, told["id"]) is None
    name, content = await talk.bot.file(ALICE, told["id"]) or ("", b"")
    with ZipFile(BytesIO(content)) as packed:
        plain = json.loads(packed.read("conversations.json"))
        words = packed.read("conversations.md").decode()
    assert (name, plain["version"], plain["person"], plain["complete"]) == (NAME, 1, "local:alice", True)
    assert sorted(turn["prompt"] for turn in plain["turns"]) == ["my first", "my second"]
    assert set(plain["turns"][0]) == {
        "conversation", "turn", "parent", "at", "model", "prompt", "answer", "outcome", "rating",
        "input_tokens", "output_tokens",
    }  # fmt: skip
    assert words.count("> my ") == 2
    assert "somebody" not in words
    assert reply["state"] == "done"


async def test_an_answer_of_a_lost_process_is_shown_as_broken_off_with_a_way_to_ask_again(
    talk: Talk, hall: Hall
) -> None:
    hall.one.pause = 1
    async with talk.bot.events(ALICE) as changes, asyncio.timeout(PATIENCE):
        sent = await talk.bot.send(ALICE, "general", "/ask Hi", None, None)
        writing = await talk.answering(changes, sent, {"writing"})
        turn = TurnId(action(writing, "Stop").partition(":")[2])
        await talk.bot.mend(writing["id"], turn)
        mended = await talk.answering(changes, sent, {"failed"})
    assert mended["text"].startswith("Hello \n\nThis broke off")
    assert action(mended, "Ask again") == f"again:{turn}"


async def test_that_a_model_reasons_stands_below_the_answer_until_its_words_come(
    talk: Talk, hall: Hall
) -> None:
    hall.one.pause, hall.one.thoughts = 0, 5
    async with talk.bot.events(ALICE) as changes, asyncio.timeout(PATIENCE):
        sent = await talk.bot.send(ALICE, "general", "/ask Hi", None, None)
        while (shown := await talk.answering(changes, sent, {"thinking"}))["footer"] != "reasoning …":
            pass
        assert shown["text"] == ""
        hall.one.go.set()
        ended = await talk.ending(changes, sent)
    assert ended["text"] == "Hello there."
    assert "reasoning" not in ended["footer"]


async def test_an_answer_that_breaks_off_keeps_its_words_and_may_be_asked_again(
    talk: Talk, hall: Hall
) -> None:
    hall.one.errors, hall.one.fail_after = [StreamCutError("cut")], 1
    ended = await talk.say("/ask Hi")
    assert ended["text"].startswith("Hello")
    assert "broke off" in ended["text"]
    assert labels(ended) == ["Ask again", "Other model"]
