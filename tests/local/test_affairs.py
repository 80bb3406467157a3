"""Paying, notices, crashes and the description, in the playground."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from aiohttp import ClientSession

from bot.local.feed import Feed
from engine.alerts import Alert, AlertKind, Bulletin
from engine.jobs import Notices
from tests.bot.test_front import front_of
from tests.engine.conftest import ALICE, BOB, Hall
from tests.fakes.pulse import PATIENCE
from tests.local.conftest import Talk
from tests.money.conftest import Till
from webhooks.server import serve
from webhooks.site import Site


async def test_the_checkout_link_goes_by_dm_and_only_its_person_hears_of_it(talk: Talk) -> None:
    told = await talk.say("/upgrade premium year")
    assert told["text"] == "I have sent you the link in a direct message."
    link = next(message for message in await talk.seen() if message["room"] == "dm")
    assert link["kind"] == "dm"
    assert link["buttons"][0]["url"].startswith("http")
    assert link["buttons"][0]["action"] is None
    assert await talk.seen(BOB) == []


async def test_asked_for_in_the_dm_the_link_comes_alone(talk: Talk) -> None:
    told = await talk.say("/upgrade premium", room="dm")
    assert "$8.99 a month" in told["text"]
    assert len(await talk.seen()) == 2


async def test_a_pressed_button_answers_privately_where_it_is(talk: Talk) -> None:
    shown = await talk.say("/usage")
    async with talk.bot.events(ALICE) as changes, asyncio.timeout(PATIENCE):
        await talk.bot.press(ALICE, shown["id"], "plans")
        plans = await talk.ending(changes, shown["id"])
    assert "**Premium**" in plans["text"]
    assert (plans["kind"], plans["room"]) == ("private", "general")


async def test_after_payment_the_tier_and_the_notice_reach_the_page_once(
    talk: Talk, till: Till, hall: Hall
) -> None:
    await talk.say("/upgrade premium")
    notices = Notices(hall.store, hall.clock, till.gateway.mode)
    notices.messengers[ALICE.platform] = talk.bot
    async with talk.bot.events(ALICE) as changes, talk.bot.events(BOB) as others, asyncio.timeout(PATIENCE):
        till.stripe.drive.pay(till.session())
        await till.settle()
        await notices.work()
        seen = [await anext(changes), await anext(changes)]
        await talk.bot.send(BOB, "general", "Hi", None, None)
        assert (await anext(others))["message"]["text"] == "Hi"  # type: ignore[index]
    assert seen[0]["message"]["text"].startswith("Thank you! The **Premium** tier is yours")  # type: ignore[index]
    assert seen[1] == {"type": "person", "person": {"name": "alice", "tier": "premium"}}

    owed = (await till.notices())[0]
    await talk.bot.deliver(owed, again=True)
    assert len([message for message in await talk.seen() if "Thank you" in message["text"]]) == 1


async def test_an_operator_is_told_once_in_their_direct_messages(talk: Talk, hall: Hall) -> None:
    alert = Alert("k1", AlertKind.CONFIG_REFUSED, "config.toml", hall.clock.now(), "models: unknown key")
    for again in (False, True):
        await talk.bot.tell(Bulletin("b1", ALICE, (alert,)), again=again)
    (told,) = await talk.seen()
    assert "models: unknown key" in told["text"]
    assert told["room"] == "dm"
    assert await talk.seen(BOB) == []


async def test_an_answer_that_a_crash_broke_off_says_so_after_the_restart(hall: Hall, till: Till) -> None:
    hall.one.pause = 1
    crashed = Talk(hall, front_of(hall, till))
    async with crashed.bot.events(ALICE) as changes, asyncio.timeout(PATIENCE):
        sent = await crashed.bot.send(ALICE, "general", "/ask Hi", None, None)
        await crashed.answering(changes, sent, {"writing"})

    hall.clock.advance(timedelta(seconds=1))
    restarted = Talk(hall, front_of(hall, till))
    broken = (await restarted.seen())[-1]
    assert broken["state"] == "failed"
    assert broken["text"] == "Hello \n\nThis broke off when the server stopped. Please ask again."
    assert (broken["footer"], broken["buttons"]) == ("not counted", [])

    hall.one.go.set()
    await crashed.stop()
    await restarted.stop()


async def test_stopping_lets_an_answer_end_on_the_page(talk: Talk, hall: Hall) -> None:
    hall.one.pause = 1
    await talk.bot.send(ALICE, "general", "/ask Hi", None, None)
    await hall.one.waiting.wait()
    await talk.bot._front.chat.close(0.0)  # noqa: SLF001 - as main does before it stops the surfaces
    await talk.stop()
    ended = (await talk.seen())[-1]
    assert ended["state"] == "failed"
    assert "restart" in ended["text"]


async def test_the_description_has_every_command_with_the_values_of_its_options(talk: Talk) -> None:
    told = talk.bot.describe()
    assert told["people"] == ["alice", "bob", "carol"]
    commands = {command["name"]: command for command in told["commands"]}  # type: ignore[attr-defined]
    assert commands["ask"]["options"][1]["prefix"] == "model:"
    assert commands["ask"]["options"][1]["choices"] == ["quick", "spare", "deep"]
    assert commands["upgrade"]["options"][0]["choices"] == ["premium"]
    assert commands["upgrade"]["options"][1]["choices"] == ["month", "year"]
    assert commands["ask"]["options"][0]["choices"] == []


async def test_a_listener_that_is_slow_gets_the_last_state_of_each_thing() -> None:
    feed = Feed()
    async with feed.listen("alice") as changes:
        for number in range(1000):
            feed.publish(None, "message:1", {"text": number})
            feed.publish("bob", "message:2", {"text": "not for alice"})
        feed.publish("alice", "message:3", {"text": "last"})
        assert [await anext(changes), await anext(changes)] == [{"text": 999}, {"text": "last"}]


async def test_a_script_talks_over_http(talk: Talk) -> None:
    site = Site("http://127.0.0.1", playground=talk.bot)
    async with (
        serve(site, "127.0.0.1", 0) as port,
        ClientSession(f"http://127.0.0.1:{port}/playground/api/") as client,
        asyncio.timeout(PATIENCE),
    ):
        said = {"person": "local:alice", "room": "dm", "text": "Hi", "key": "script-1"}
        async with client.post("messages", json=said) as answer:
            sent = (await answer.json())["id"]
        messages = [said]
        while messages[-1].get("state") != "done":
            async with client.get("messages?person=alice") as answer:
                messages = (await answer.json())["messages"]
    assert messages[-1]["reply_to"] == sent
    assert messages[-1]["text"] == "Hello there."
    assert set(messages[-1]) == {
        "id", "room", "author", "kind", "text", "state", "footer", "buttons", "reply_to", "at", "edited",
    }  # fmt: skip
