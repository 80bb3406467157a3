"""Talking in the playground: who is answered, who sees it, and what goes on with what."""

from __future__ import annotations

import asyncio

import pytest

from engine.errors import TryAgainError
from engine.models import Role
from tests.bot.test_front import front_of
from tests.engine.conftest import ALICE, BOB, Hall
from tests.fakes.pulse import PATIENCE
from tests.local.conftest import Talk
from tests.money.conftest import Till


async def test_a_question_is_answered_in_view_of_all_with_a_footer(talk: Talk) -> None:
    answer = await talk.say("/ask Hi")
    assert answer["text"] == "Hello there."
    assert (answer["state"], answer["kind"], answer["room"]) == ("done", "public", "general")
    assert answer["author"] == {"name": "Assistant", "bot": True}
    assert answer["footer"] == "quick · conversation 1 of 3 today"
    assert [message["text"] for message in await talk.seen(BOB)] == ["/ask Hi", "Hello there."]


async def test_an_answer_is_painted_as_it_comes_with_a_button_to_stop_it(talk: Talk, hall: Hall) -> None:
    hall.one.pause = 1
    async with talk.bot.events(ALICE) as changes, asyncio.timeout(PATIENCE):
        sent = await talk.bot.send(ALICE, "general", "/ask Hi", None, None)
        begun = await talk.answering(changes, sent, {"writing"})
        assert begun["text"] == "Hello "
        assert begun["buttons"][0]["label"] == "Stop"
        await talk.bot.press(ALICE, begun["id"], begun["buttons"][0]["action"])
        ended = await talk.ending(changes, sent)
    assert ended["state"] == "stopped"
    assert ended["text"] == "Hello \n\nStopped."
    assert [button["label"] for button in ended["buttons"]] == ["Ask again", "Other model"]


@pytest.mark.parametrize("text", ["@Assistant what is up?", "hey @bot, what is up?", "@BOT: what is up?"])
async def test_a_mention_asks(talk: Talk, hall: Hall, text: str) -> None:
    assert (await talk.say(text))["state"] == "done"
    assert hall.one.seen[0].messages[-1].text in {"what is up?", "hey what is up?"}


@pytest.mark.parametrize("text", ["good morning", "mail me at a@bot.example", "@@bot", "@bottle"])
async def test_what_is_said_to_nobody_is_left_alone(talk: Talk, hall: Hall, text: str) -> None:
    await talk.bot.send(ALICE, "general", text, None, None)
    await talk.say("/usage")
    assert hall.one.seen == []


async def test_a_reply_to_an_answer_goes_on_with_its_conversation(talk: Talk, hall: Hall) -> None:
    first = await talk.say("/ask Hi")
    second = await talk.say("and then?", reply_to=first["id"])
    assert second["footer"].endswith("conversation 1 of 3 today · turn 2 of 5")
    roles = [message.role for message in hall.one.seen[1].messages]
    assert roles == [Role.USER, Role.ASSISTANT, Role.USER]
    third = await talk.say("/ask something else")
    assert third["footer"].endswith("conversation 2 of 3 today")


async def test_a_dm_goes_on_until_new_is_said(talk: Talk) -> None:
    assert (await talk.say("Hi", room="dm"))["kind"] == "dm"
    assert "turn 2" in (await talk.say("and?", room="dm"))["footer"]
    assert "next message" in (await talk.say("/new", room="dm"))["text"]
    assert (await talk.say("Hi", room="dm"))["footer"].endswith("conversation 2 of 3 today")
    assert await talk.seen(BOB) == []


async def test_a_question_by_command_in_a_dm_is_gone_on_with_there(talk: Talk) -> None:
    await talk.say("/ask Hi", room="dm")
    assert "turn 2" in (await talk.say("and?", room="dm"))["footer"]


async def test_somebody_elses_reply_begins_a_conversation_of_their_own(talk: Talk, hall: Hall) -> None:
    first = await talk.say("/ask Hi")
    second = await talk.say("me too", who=BOB, reply_to=first["id"])
    assert second["footer"].endswith("conversation 1 of 3 today")
    assert len(hall.one.seen[1].messages) == 1


async def test_other_commands_and_their_answers_are_seen_by_their_person_alone(talk: Talk) -> None:
    for text in ("/usage", "/nonsense", "/upgrade gold", "/help"):
        answer = await talk.say(text)
        assert answer["kind"] == "private"
    assert len(await talk.seen()) == 8
    assert await talk.seen(BOB) == []


async def test_a_refusal_is_private_and_offers_the_upgrade(talk: Talk) -> None:
    for _ in range(3):
        await talk.say("/ask Hi")
    refused = await talk.say("/ask Hi again")
    assert (refused["kind"], refused["state"]) == ("private", "done")
    assert "today's last conversation" in refused["text"]
    assert refused["buttons"][0]["action"] == "upgrade:premium:month"
    assert len(await talk.seen(BOB)) == 7


async def test_the_same_key_asks_once(talk: Talk, hall: Hall) -> None:
    first = await talk.say("/ask Hi", key="k")
    again = await talk.bot.send(ALICE, "general", "/ask Hi", None, "k")
    assert again == first["reply_to"]
    await talk.say("/usage")
    assert len(hall.one.seen) == 1
    assert [message["id"] for message in await talk.seen(BOB)] == [again, first["id"]]


async def test_keys_of_two_people_are_two_keys(talk: Talk, hall: Hall) -> None:
    await talk.say("/ask Hi", key="k")
    await talk.say("/ask Hi", who=BOB, key="k")
    assert len(hall.one.seen) == 2


async def test_a_question_kept_by_a_server_that_stopped_is_asked_when_sent_again(
    hall: Hall, till: Till
) -> None:
    stopping = Talk(hall, front_of(hall, till))
    await stopping.stop()
    with pytest.raises(TryAgainError):
        await stopping.bot.send(ALICE, "general", "/ask Hi", None, "k")
    assert hall.one.seen == []
    talk = Talk(hall, front_of(hall, till))
    assert (await talk.say("/ask Hi", key="k"))["state"] == "done"
    assert len(await talk.seen()) == 2
    await talk.stop()


@pytest.mark.parametrize(
    ("room", "text", "reply_to", "words"),
    [
        ("cellar", "Hi", None, "no room 'cellar'"),
        ("general", " \n", None, "1 to 16000"),
        ("general", "x" * 16_001, None, "1 to 16000"),
        ("general", "Hi", "m-none", "no such message"),
    ],
)
async def test_what_cannot_be_said_is_a_mistake_in_words(
    talk: Talk, room: str, text: str, reply_to: str | None, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        await talk.bot.send(ALICE, room, text, reply_to, None)


async def test_nobody_can_reply_to_or_press_what_they_do_not_see(talk: Talk) -> None:
    hidden = await talk.say("/usage")
    with pytest.raises(ValueError, match="no such message"):
        await talk.bot.send(BOB, "general", "Hi", hidden["id"], None)
    with pytest.raises(ValueError, match="no such button"):
        await talk.bot.press(BOB, hidden["id"], "plans")
    with pytest.raises(ValueError, match="no such button"):
        await talk.bot.press(ALICE, hidden["id"], "upgrade:pro:month")
