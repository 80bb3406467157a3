"""What only one member is to see on Discord: commands, links, and who may press what."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from uuid import uuid4

import pytest

from bot.discord.aloud import OPENLY
from bot.discord.views import LINK_LIMIT, Press, item, of_reply
from bot.reply import Button, Reply, Style
from engine.checks import LONGEST_NAME
from tests.discord.conftest import PAGES, Stage, front_of, serving


@pytest.mark.parametrize("name", ["new", "model", "usage", "plans", "billing", "help"])
async def test_a_command_is_answered_to_its_member_alone(stage: Stage, name: str) -> None:
    used = stage.discord.slash("alice", name)
    shown = await stage.discord.answered(used)
    assert used.private()
    assert shown.only_for == stage.discord.world.user("alice").id
    assert used.ack_seconds is not None
    assert used.ack_seconds < 1


async def test_a_checkout_link_goes_by_dm(stage: Stage) -> None:
    used = stage.discord.slash("alice", "upgrade", {"tier": "premium"})
    shown = await stage.discord.answered(used)
    assert "in a direct message" in shown.text
    assert shown.buttons() == []
    (link,) = await stage.told("alice")
    assert "Premium" in link.text
    assert link.button("Pay")["url"].startswith(PAGES)
    assert stage.discord.dms("bob") == []


@pytest.mark.parametrize("code", [50007, 50278])
async def test_with_closed_dms_the_link_comes_as_a_private_reply(stage: Stage, code: int) -> None:
    stage.discord.close_dms("alice", code)
    used = stage.discord.slash("alice", "upgrade", {"tier": "premium", "interval": "year"})
    shown = await stage.discord.answered(used)
    assert used.private()
    assert shown.button("Pay $89 a year")["url"].startswith(PAGES)


async def test_a_refused_ask_is_private_and_its_button_sells(stage: Stage) -> None:
    for number in range(3):
        stage.discord.slash("alice", "ask", {"prompt": f"question {number}"})
        await stage.shown(count=number + 1)
    used = stage.discord.slash("alice", "ask", {"prompt": "one more"})
    refused = await stage.discord.answered(used)
    assert used.private()
    assert "3 conversations a day" in refused.text
    pressed = stage.discord.press("alice", refused, refused.button("Upgrade")["custom_id"])
    await stage.discord.answered(pressed)
    assert pressed.private()
    assert len(await stage.told("alice", 1, "Premium")) == 1


async def test_a_refused_mention_is_answered_below_it_without_links(stage: Stage) -> None:
    for number in range(3):
        stage.discord.slash("alice", "ask", {"prompt": f"question {number}"})
        await stage.shown(count=number + 1)
    stage.discord.say("alice", "general", "one more", mention_bot=True)
    (refused,) = await stage.shown(words="3 conversations a day")
    assert not [button for button in refused.buttons() if "url" in button]
    assert stage.discord.dms("alice") == []


async def test_only_the_one_who_asked_may_press(stage: Stage) -> None:
    stage.model.pause = 1
    stage.discord.slash("alice", "ask", {"prompt": "tell me"})
    await stage.model.waiting.wait()
    found = await stage.discord.world.pulse.until(
        lambda: [one for one in stage.discord.transcript() if one.text.startswith("Hello\n-# writing")]
    )
    stop = found[0].button("Stop")["custom_id"]
    foreign = stage.discord.press("bob", found[0], stop)
    assert "Only the one who asked" in (await stage.discord.answered(foreign)).text
    assert foreign.private()
    assert stage.model.closed == 0
    own = stage.discord.press("alice", found[0], stop)
    await stage.shown(words="Stopped.")
    await stage.discord.acknowledged(own)
    assert own.messages == []
    assert stage.model.closed == 1


async def test_buttons_work_after_a_restart(stage: Stage) -> None:
    shown = await stage.discord.answered(stage.discord.slash("alice", "usage"))
    await stage.discord.gateway.drop(forget=True, code=1001)
    async with serving(stage.discord, await front_of(stage.hall)):
        pressed = stage.discord.press("alice", shown, shown.button("Compare plans")["custom_id"])
        assert "Premium" in (await stage.discord.answered(pressed)).text


async def test_a_command_typed_to_the_bot_in_private_runs_there(stage: Stage) -> None:
    stage.discord.dm("alice", "/upgrade premium")
    (link,) = await stage.told("alice", 1, "Premium")
    assert link.button("Pay")["url"].startswith(PAGES)


async def test_a_command_typed_in_a_channel_points_to_the_private_way(stage: Stage) -> None:
    stage.discord.say("alice", "general", "/billing", mention_bot=True)
    (pointer,) = await stage.shown(words="/billing")
    assert "only you" in pointer.text
    assert stage.discord.dms("alice") == []


async def test_a_personal_installation_works_where_the_bot_is_not(stage: Stage) -> None:
    stage.discord.world.channel("elsewhere", reachable=False)
    used = stage.discord.slash("alice", "ask", {"prompt": "Hi"}, channel="elsewhere", user_installed=True)
    await stage.discord.world.pulse.until(lambda: any(" today" in text for text in used.texts()))
    assert used.texts() == ["Hello there.\n-# quick · conversation 1 of 3 today"]


async def test_a_slow_command_is_acknowledged_in_time_and_completed_privately(
    stage: Stage, database_url: str
) -> None:
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as busy:
        busy.execute("BEGIN IMMEDIATE")
        used = stage.discord.slash("alice", "new")
        await stage.discord.acknowledged(used)
        assert used.messages[0].loading
        busy.rollback()
    shown = await stage.discord.answered(used)
    assert shown is used.messages[0]
    assert used.private()
    assert used.ack_seconds is not None
    assert used.ack_seconds < 2


async def test_a_slow_question_is_acknowledged_as_private_as_its_asker_wants_it(
    stage: Stage, database_url: str
) -> None:
    await stage.discord.answered(stage.discord.slash("alice", "private", {"switch": "on"}))
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as busy:
        busy.execute("BEGIN IMMEDIATE")
        hidden = stage.discord.slash("alice", "ask", {"prompt": "Hi"})
        shown = stage.discord.slash("bob", "ask", {"prompt": "Hi"})
        for used in (hidden, shown):
            await stage.discord.acknowledged(used)
            assert used.messages[0].loading
        busy.rollback()
    await stage.shown(count=2)
    assert hidden.private()
    assert not any(message.only_for for message in shown.messages)


def test_a_button_for_the_longest_names_is_kept_by_discord() -> None:
    action = f"{OPENLY}again:{uuid4().hex}:{'m' * LONGEST_NAME}"
    assert isinstance(item(Button("Other", action), 2**64 - 1), Press)


def test_a_link_that_fits_no_button_comes_as_text() -> None:
    long = "https://pay.example/" + "x" * LINK_LIMIT
    local = "http://127.0.0.1:8080/pay"
    links = (Button("Pay", url=long, style=Style.PRIMARY), Button("Look", url=local))
    (page,) = of_reply(Reply("Choose.", (*links, Button("Plans", "plans"))))
    assert page.notice == f"Choose.\nPay: [Pay](<{long}>)\nLook: <{local}>"
    assert [button.label for button in page.buttons] == ["Plans"]
