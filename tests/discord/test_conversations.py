"""Questions and answers on Discord, over the wire."""

from __future__ import annotations

from bot.commands import COMMANDS
from tests.discord.conftest import Stage, front_of, serving
from tests.engine.conftest import Hall
from tests.fakes.discord import FakeDiscord

FOOTER = "conversation 1 of 3 today"


async def test_all_commands_are_known_for_servers_dms_and_personal_installation(stage: Stage) -> None:
    known = stage.discord.commands
    assert set(known) == {*(command.name for command in COMMANDS), "Ask about this"}
    free = [command for name, command in known.items() if name not in {"server", "admin"}]
    assert all(command["contexts"] == [0, 1, 2] for command in free)
    assert all(command["integration_types"] == [0, 1] for command in free)
    prompt, model = known["ask"]["options"][:2]
    assert (prompt["name"], prompt["required"]) == ("prompt", True)
    assert (model["autocomplete"], model["required"]) == (True, False)
    assert known["upgrade"]["options"][0]["autocomplete"] is True


async def test_ask_streams_into_one_message_which_ends_with_a_footer(stage: Stage) -> None:
    stage.model.pause = 1
    used = stage.discord.slash("alice", "ask", {"prompt": "why is the sky blue?"})
    message = await stage.discord.answered(used)
    await stage.discord.world.pulse.until(lambda: message.text == "Hello\n-# writing …")
    assert [button["label"] for button in message.buttons()] == ["Stop"]
    stage.model.go.set()
    shown = await stage.shown()
    assert shown == [message]
    assert message.text == f"Hello there.\n-# quick · {FOOTER}"
    assert [button["label"] for button in message.buttons()] == ["Regenerate", "Other model"]
    assert used.ack_seconds is not None
    assert used.ack_seconds < 1


async def test_a_mention_is_answered_by_a_reply_and_a_reply_goes_on(stage: Stage) -> None:
    said = stage.discord.say("alice", "general", "why is grass green?", mention_bot=True)
    first = (await stage.shown())[0]
    assert first.wire["message_reference"]["message_id"] == said.id
    stage.discord.say("alice", "general", "always?", reply_to=first)
    second = (await stage.shown(count=2))[1]
    assert f"{FOOTER} · turn 2 of 5" in second.text
    assert [message.text for message in stage.model.seen[1].messages] == [
        "why is grass green?",
        "Hello there.",
        "always?",
    ]


async def test_a_dm_is_one_conversation_until_a_new_one_is_wished_for(stage: Stage) -> None:
    stage.discord.dm("alice", "Hi")
    await stage.told("alice", 1, FOOTER)
    stage.discord.dm("alice", "Go on")
    await stage.told("alice", 2, FOOTER)
    used = stage.discord.slash("alice", "new", dm=True)
    await stage.discord.answered(used)
    stage.discord.dm("alice", "Something else")
    await stage.told("alice", 1, "conversation 2 of 3 today")
    assert [len(completion.messages) for completion in stage.model.seen] == [1, 3, 1]


async def test_ask_in_a_dm_is_gone_on_with_by_writing_there(stage: Stage) -> None:
    stage.discord.slash("alice", "ask", {"prompt": "Hi"}, dm=True)
    await stage.told("alice", 1, FOOTER)
    stage.discord.dm("alice", "Go on")
    await stage.told("alice", 2, FOOTER)
    assert [len(completion.messages) for completion in stage.model.seen] == [1, 3]


async def test_a_thread_is_one_conversation_for_each_member(stage: Stage) -> None:
    stage.discord.world.thread("ideas", "general")
    stage.discord.say("alice", "ideas", "my secret is 7", mention_bot=True)
    await stage.shown("ideas")
    stage.discord.say("bob", "ideas", "what is the secret?", mention_bot=True)
    await stage.shown("ideas", 2)
    stage.discord.say("alice", "ideas", "do you know it?", mention_bot=True)
    await stage.shown("ideas", 3)
    assert [len(completion.messages) for completion in stage.model.seen] == [1, 1, 3]


async def test_two_members_have_conversations_of_their_own(stage: Stage) -> None:
    stage.discord.say("alice", "general", "my secret is 7", mention_bot=True)
    first = (await stage.shown())[0]
    stage.discord.say("bob", "general", "what is the secret?", reply_to=first)
    second = (await stage.shown(count=2))[1]
    assert [message.text for message in stage.model.seen[1].messages] == ["what is the secret?"]
    assert FOOTER in second.text


async def test_a_reply_to_a_commands_answer_goes_on_if_it_mentions_the_bot(stage: Stage) -> None:
    stage.discord.slash("alice", "ask", {"prompt": "Hi"})
    first = (await stage.shown())[0]
    stage.discord.say("alice", "general", "Go on", reply_to=first, mention_bot=True)
    await stage.shown(count=2)
    assert len(stage.model.seen[1].messages) == 3


async def test_a_member_whose_reply_discord_keeps_from_the_bot_is_told(stage: Stage) -> None:
    stage.discord.slash("alice", "ask", {"prompt": "Hi"})
    first = (await stage.shown())[0]
    stage.discord.say("bob", "general", "interesting", reply_to=first)
    stage.discord.say("alice", "general", "Go on", reply_to=first)
    told = await stage.shown(count=1, words="Mention me")
    assert len(told) == 1
    assert len(stage.model.seen) == 1


async def test_talk_among_others_is_left_alone(stage: Stage) -> None:
    stage.discord.say("alice", "general", "hello all")
    stage.discord.say("bob", "general", "Hi", mention_bot=True)
    await stage.shown()
    assert len(stage.model.seen) == 1
    assert len([one for one in stage.discord.transcript() if one.author.bot]) == 1


async def test_an_event_that_comes_again_is_answered_once(stage: Stage) -> None:
    said = stage.discord.say("alice", "general", "Hi", mention_bot=True)
    await stage.shown()
    stage.discord.repeat(said)
    stage.discord.say("bob", "general", "Hi", mention_bot=True)
    await stage.shown(count=2)
    assert len(stage.model.seen) == 2


async def test_two_processes_that_hear_the_same_message_answer_it_once(hall: Hall, fake: FakeDiscord) -> None:
    one, two = await front_of(hall), await front_of(hall)
    async with serving(fake, one) as bot, serving(fake, two):
        await fake.connected(sessions=2)
        stage = Stage(fake, hall, one, bot)
        fake.say("alice", "general", "Hi", mention_bot=True)
        fake.slash("alice", "ask", {"prompt": "Hi"})
        await stage.shown(count=2)
        fake.say("bob", "general", "Hi", mention_bot=True)
        await stage.shown(count=3)
    assert len(hall.one.seen) == 3
    assert len([one for one in fake.transcript() if one.author.bot]) == 3
    assert fake.findings == []


async def test_a_long_answer_is_split_with_its_code_fences_whole(stage: Stage) -> None:
    line = "value = 1  # a line of code\n"
    stage.model.words = ("```python\n", *(line * 20 for _ in range(20)), "```\n", "Done.")
    stage.discord.slash("alice", "ask", {"prompt": "write much"})
    await stage.shown()
    pages = [one for one in stage.discord.transcript() if one.author.bot]
    assert len(pages) > 2
    assert all(one.text.count("```") % 2 == 0 for one in pages)
    assert sum(one.text.count(line.strip()) for one in pages) == 400
    assert [FOOTER in one.text for one in pages] == [False] * (len(pages) - 1) + [True]


async def test_a_fence_is_closed_while_it_is_being_written(stage: Stage) -> None:
    stage.model.words = ("```python\n", "x = 1\n", "```")
    stage.model.pause = 2
    used = stage.discord.slash("alice", "ask", {"prompt": "code"})
    message = await stage.discord.answered(used)
    await stage.discord.world.pulse.until(lambda: message.text.startswith("```python\nx = 1\n```\n-# "))
    stage.model.go.set()
    await stage.shown()


async def test_nothing_a_model_writes_pings_anybody(stage: Stage) -> None:
    bob = stage.discord.world.user("bob").id
    stage.model.words = (f"@everyone <@{bob}> ", "<@&1> ", "@here ", "word " * 1000)
    stage.discord.slash("alice", "ask", {"prompt": "shout"})
    stage.discord.say("alice", "general", "shout", mention_bot=True)
    stage.discord.dm("alice", "shout")
    await stage.shown(count=2)
    await stage.told("alice", 1, " today")
    assert stage.discord.pings() == []
    bodies = [call.body for call in stage.discord.calls if call.method in {"POST", "PATCH"}]
    told = [body.get("data", body) for body in bodies if "components" in str(body)]
    assert len(told) > 6, "posts, edits, callbacks and follow-ups"
    assert all(body["allowed_mentions"]["parse"] == [] for body in told)


async def test_model_names_are_completed_with_their_locks(stage: Stage) -> None:
    typed = await stage.discord.acknowledged(stage.discord.autocomplete("alice", "ask", "model", "e"))
    assert typed.choices == ["spare", "deep 🔒"]


async def test_tiers_are_completed_with_their_prices_and_only_those_that_can_be_bought(stage: Stage) -> None:
    typed = await stage.discord.acknowledged(stage.discord.autocomplete("alice", "upgrade", "tier", ""))
    assert typed.choices == ["Premium: $8.99 a month, $89 a year"]


async def test_a_chosen_model_answers(stage: Stage) -> None:
    stage.discord.slash("alice", "ask", {"prompt": "Hi", "model": "spare"})
    shown = await stage.shown()
    assert "spare · " in shown[0].text
