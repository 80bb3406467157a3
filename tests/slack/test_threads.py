"""Threads in Slack: whoever has a conversation there goes on without mention, and nobody else is answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.slack.adapter import SlackBot
from bot.slack.manifest import manifest
from tests.engine.conftest import Hall
from tests.fakes.clock import FakeClock
from tests.fakes.slack import ALICE, BOB, CAROL, GENERAL, FakeSlack
from tests.slack.conftest import Stage, front_of, serving, settings_for
from tests.slack.test_conversations import answered


@pytest.mark.parametrize("kind", ["channel", "group"])
async def test_a_thread_is_followed_without_mention_by_whoever_has_a_conversation_there(
    stage: Stage, kind: str
) -> None:
    slack = stage.slack
    place = slack.group(ALICE, BOB) if kind == "group" else GENERAL
    said = await slack.mention(ALICE, place, "why is grass green?")
    await answered(slack, place)
    await slack.say(BOB, place, "I wonder, too", thread_ts=said.ts)
    await slack.say(ALICE, place, "always?", thread_ts=said.ts)
    second = (await answered(slack, place, 2))[1]
    assert second.thread_ts == said.ts
    assert [m.text for m in stage.model.seen[1].messages][::2] == ["why is grass green?", "always?"]


async def test_nobody_else_in_a_thread_and_nobody_outside_is_answered(stage: Stage) -> None:
    slack = stage.slack
    said = await slack.mention(ALICE, GENERAL, "why?")
    await answered(slack, GENERAL)
    other = await slack.say(BOB, GENERAL, "I wonder, too", thread_ts=said.ts)
    await slack.say(ALICE, GENERAL, f"<@{BOB}> do you know?", thread_ts=said.ts)
    await slack.say(ALICE, GENERAL, "<!here> look at this", thread_ts=said.ts)
    await slack.say(CAROL, GENERAL, "hello everybody")
    await slack.say(ALICE, GENERAL, "an aside", thread_ts=(await slack.say(BOB, GENERAL, "x")).ts)
    await slack.redeliver(other.deliveries[0])
    await slack.mention(ALICE, GENERAL, "and now?", thread_ts=said.ts)
    await answered(slack, GENERAL, 2)
    assert [completion.messages[-1].text for completion in stage.model.seen] == ["why?", "and now?"]
    assert slack.ephemerals(BOB) == slack.ephemerals(CAROL) == []
    asked = [call.args["user"] for call in slack.log.of("users.info")]
    assert not {BOB, CAROL} & set(asked)


async def test_a_mention_in_a_followed_thread_is_answered_once_in_whatever_order_it_is_told(
    stage: Stage,
) -> None:
    slack = stage.slack
    said = await slack.mention(ALICE, GENERAL, "why?")
    await answered(slack, GENERAL)
    again = await slack.mention(ALICE, GENERAL, "really?", thread_ts=said.ts)
    await answered(slack, GENERAL, 2)
    for delivery in reversed(again.deliveries):
        await slack.redeliver(delivery)
    await slack.say(ALICE, GENERAL, "sure?", thread_ts=said.ts)
    await answered(slack, GENERAL, 3)
    assert [completion.messages[-1].text for completion in stage.model.seen] == ["why?", "really?", "sure?"]


async def test_a_new_conversation_is_wished_for_in_a_thread_by_word(stage: Stage) -> None:
    slack = stage.slack
    said = await slack.mention(ALICE, GENERAL, "why?")
    await answered(slack, GENERAL)
    await slack.say(ALICE, GENERAL, "/new", thread_ts=said.ts)
    await slack.wait_for(lambda: any("new conversation" in m.shown for m in slack.ephemerals(ALICE)))
    await slack.say(ALICE, GENERAL, "talking to people now", thread_ts=said.ts)
    await slack.mention(BOB, GENERAL, "Hi")
    await answered(slack, GENERAL, 2)
    assert [completion.messages[-1].text for completion in stage.model.seen] == ["why?", "Hi"]


async def test_switched_off_slack_is_not_asked_for_threads_and_none_is_followed(
    hall: Hall, clock: FakeClock
) -> None:
    made = manifest(follow_threads=False)
    assert not [scope for scope in made["oauth_config"]["scopes"]["bot"] if scope.startswith("channels:")]
    assert "message.channels" not in made["settings"]["event_subscriptions"]["bot_events"]
    async with FakeSlack(manifest=manifest(), now=lambda: clock.now().timestamp()) as slack:
        settings = replace(settings_for(slack, http=False), follow_threads=False)
        async with serving(slack, front_of(hall), clock, http=False, settings=settings) as bot:
            assert isinstance(bot, SlackBot)
            said = await slack.mention(ALICE, GENERAL, "why?")
            await answered(slack, GENERAL)
            await slack.say(ALICE, GENERAL, "always?", thread_ts=said.ts)
            await slack.mention(ALICE, GENERAL, "and now?", thread_ts=said.ts)
            await answered(slack, GENERAL, 2)
    assert [completion.messages[-1].text for completion in hall.one.seen] == ["why?", "and now?"]
