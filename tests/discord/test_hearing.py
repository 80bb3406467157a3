"""What is meant for the bot in servers: its name, its role, its own threads; and where it may not answer."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator

import pytest

from bot.discord.adapter import DiscordBot
from bot.front import Front
from engine.domain import Ask, ChatEvent, Place, Platform
from engine.errors import TellOperatorError
from tests.discord.conftest import Stage, front_of, serving, settings_for
from tests.engine.conftest import Hall
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.gateway import MESSAGE_CONTENT
from tests.fakes.discord.shapes import HISTORY, SEND, SEND_IN_THREADS


def overhear(front: Front, monkeypatch: pytest.MonkeyPatch) -> list[Ask]:
    """The questions that reach the engine from now on."""
    asked: list[Ask] = []
    answer = front.chat.ask

    def ask(one: Ask) -> AsyncGenerator[ChatEvent, None]:
        asked.append(one)
        return answer(one)

    monkeypatch.setattr(front.chat, "ask", ask)
    return asked


async def test_every_question_names_its_server_its_channels_and_the_askers_roles(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, asked = stage.discord.world, overhear(stage.front, monkeypatch)
    helpers, alice = world.role("helpers"), world.user("alice")
    alice.roles.append(helpers)
    inside = world.channel("inside", category="games")
    thread = world.thread("ideas", "inside")
    stage.discord.say("alice", "ideas", "Hi", mention_bot=True)
    await stage.shown("ideas")
    stage.discord.slash("alice", "ask", {"prompt": "Hi"}, channel="inside")
    await stage.shown("inside")
    stage.discord.dm("alice", "Hi")
    await stage.told("alice", 1, " today")
    place = Place(
        Platform.DISCORD,
        world.guild,
        (thread.id, inside.id, str(inside.parent)),
        frozenset({world.guild, helpers}),
    )
    above = Place(Platform.DISCORD, world.guild, (inside.id, str(inside.parent)), place.roles)
    assert [one.place for one in asked] == [place, above, None]


async def test_a_group_of_friends_is_no_server(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = overhear(stage.front, monkeypatch)
    stage.discord.world.group_dm("friends")
    stage.discord.slash("alice", "ask", {"prompt": "Hi"}, channel="friends", user_installed=True)
    await stage.shown("friends")
    assert [(one.place, one.dm) for one in asked] == [(None, False)]


async def test_a_member_who_mentions_the_bots_role_is_told_what_to_mention(stage: Stage) -> None:
    role = stage.discord.world.own_role
    stage.discord.say("alice", "general", f"<@&{role}> why is the sky blue?")
    (told,) = await stage.shown(words="my role")
    assert f"<@{stage.discord.world.bot.id}>" in told.text
    assert stage.model.seen == []


async def test_with_message_content_the_bots_own_threads_are_followed_without_mention(
    hall: Hall, fake: FakeDiscord
) -> None:
    fake.gateway.granted_intents = MESSAGE_CONTENT
    fake.world.thread("mine", "general", owner=fake.world.bot)
    fake.world.thread("theirs", "general", owner=fake.world.user("bob"))
    front, bob = await front_of(hall), fake.world.user("bob").id
    async with serving(fake, front, message_content=True) as bot:
        stage = Stage(fake, hall, front, bot)
        fake.say("alice", "mine", "why is the sky blue?")
        await stage.shown("mine")
        fake.say("alice", "mine", f"<@{bob}> do you know?")
        of_bob = fake.say("bob", "mine", f"<@{fake.world.user('alice').id}> no")
        fake.say("alice", "mine", "a pity", reply_to=of_bob)
        fake.say("alice", "theirs", "why is grass green?")
        fake.say("alice", "general", "nobody is asked")
        fake.say("alice", "general", f"<@&{fake.world.own_role}> and now?")
        fake.say("alice", "mine", "and at night?")
        await stage.shown("mine", 2)
        await stage.shown("general")
    asked = [seen.messages[-1].text for seen in hall.one.seen]
    assert sorted(asked) == ["and at night?", "and now?", "why is the sky blue?"]
    assert fake.findings == []


async def test_without_message_content_only_mentions_are_answered_in_the_bots_threads(stage: Stage) -> None:
    world = stage.discord.world
    world.thread("mine", "general", owner=world.bot)
    stage.discord.say("alice", "mine", "why is the sky blue?")
    stage.discord.say("alice", "mine", "and you?", mention_bot=True)
    await stage.shown("mine")
    assert [seen.messages[-1].text for seen in stage.model.seen] == ["and you?"]


async def test_an_intent_that_is_not_switched_on_is_told_with_its_mend(hall: Hall, fake: FakeDiscord) -> None:
    bot = DiscordBot(settings_for(fake, message_content=True), await front_of(hall))
    with pytest.raises(TellOperatorError, match=r"Message Content Intent .* message_content = false"):
        await bot.run()


@pytest.mark.parametrize(("where", "missing"), [("general", SEND), ("ideas", SEND_IN_THREADS)])
async def test_where_the_bot_may_not_write_nothing_is_asked_and_the_log_says_so_once(
    stage: Stage, caplog: pytest.LogCaptureFixture, where: str, missing: int
) -> None:
    world = stage.discord.world
    world.thread("ideas", "general")
    world.channel("other")
    world.deny(world.channel("general"), missing)
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            stage.discord.say("alice", where, "Hi", mention_bot=True)
        stage.discord.say("alice", "other", "Hi", mention_bot=True)
        await stage.shown("other")
    assert len(stage.model.seen) == 1
    told = [record for record in caplog.records if record.message == "may not write"]
    assert len(told) == 1
    assert "Send Messages" in told[0].missing  # type: ignore[attr-defined]  # an extra
    world.deny(world.channel("general"), 0)
    stage.discord.say("alice", where, "Hi", mention_bot=True)
    await stage.shown(where)


async def test_commands_are_answered_where_the_bot_may_not_write(stage: Stage) -> None:
    stage.discord.world.deny(stage.discord.world.channel("general"), SEND)
    stage.discord.slash("alice", "ask", {"prompt": "Hi"})
    await stage.shown()


async def test_where_the_bot_may_not_read_back_its_answer_is_no_reply(stage: Stage) -> None:
    stage.discord.world.deny(stage.discord.world.channel("general"), HISTORY)
    stage.discord.say("alice", "general", "Hi", mention_bot=True)
    (shown,) = await stage.shown()
    assert "message_reference" not in shown.wire


async def test_a_question_that_is_edited_is_not_asked_again(stage: Stage) -> None:
    fake = stage.discord
    said = [fake.say("alice", "general", "Hi", mention_bot=True), fake.dm("alice", "Hi")]
    await stage.shown()
    await stage.told("alice", words=" today")
    for each in said:
        fake.world.edit(each, {"content": f"{each.text} once more"})
    fake.dm("alice", "Really?")
    await stage.told("alice", 2, " today")
    assert len(stage.model.seen) == 3
