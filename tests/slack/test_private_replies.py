"""Commands, buttons and links in Slack are seen by the one who asked for them, and by nobody else."""

from __future__ import annotations

import pytest

from bot.commands import COMMANDS
from tests.fakes.slack import ALICE, BOB, GENERAL, OUTSIDE, PRIVATE, FakeSlack, Message
from tests.slack.conftest import PAGES, Stage
from tests.slack.test_conversations import answered

QUIET = [command.name for command in COMMANDS if not command.streams]


async def private(slack: FakeSlack, user: str, count: int = 1) -> list[Message]:
    """A user's private replies once there are that many."""
    return await slack.wait_for(
        lambda: seen if len(seen := slack.ephemerals(user)) >= count else None,
    )


async def use_up(stage: Stage) -> None:
    """Spend the day's conversations."""
    for _ in range(3):
        await stage.slack.slash(ALICE, "/ask", "Hi")
    await answered(stage.slack, GENERAL, 3)


def button(message: Message, label: str) -> str:
    """The action_id of a message's button by the beginning of its label."""
    return next(str(b["action_id"]) for b in message.buttons if b["text"]["text"].startswith(label))


@pytest.mark.parametrize("name", QUIET)
async def test_every_command_of_the_table_is_answered_privately(stage: Stage, name: str) -> None:
    slack = stage.slack
    delivery = await slack.slash(ALICE, f"/{name}")
    assert (await private(slack, ALICE))[0].shown
    assert delivery.took < 1
    assert slack.transcript() == slack.ephemerals(BOB) == []


@pytest.mark.parametrize("channel", [GENERAL, OUTSIDE, PRIVATE])
async def test_commands_work_where_the_bot_is_no_member(stage: Stage, channel: str) -> None:
    await stage.slack.slash(ALICE, "/usage", channel=channel)
    assert "Conversations today" in (await private(stage.slack, ALICE))[0].shown


async def test_the_checkout_link_comes_by_dm(stage: Stage) -> None:
    slack = stage.slack
    await slack.slash(ALICE, "/upgrade", "premium year")
    assert "direct message" in (await private(slack, ALICE))[0].shown
    link = slack.dms(ALICE)[-1]
    assert link.buttons[0]["url"].startswith(PAGES)
    assert not [m for m in slack.ephemerals(ALICE) if m.buttons]


async def test_the_checkout_link_comes_privately_if_dms_are_closed(stage: Stage) -> None:
    slack = stage.slack
    slack.close_dms(ALICE, "user_disabled")
    await slack.slash(ALICE, "/upgrade", "premium")
    shown = (await private(slack, ALICE))[0]
    assert shown.buttons[0]["url"].startswith(PAGES)
    assert slack.transcript() == []


async def test_the_way_from_the_limit_to_the_link_is_two_buttons(stage: Stage) -> None:
    slack = stage.slack
    await use_up(stage)
    await slack.mention(ALICE, GENERAL, "one more")
    refusal = (await private(slack, ALICE))[0]
    assert "last conversation" in refusal.shown
    await slack.press(ALICE, refusal, button(refusal, "Upgrade"))
    await private(slack, ALICE, 2)
    link = slack.dms(ALICE)[-1].buttons[0]
    assert (await slack.press(ALICE, slack.dms(ALICE)[-1], link["action_id"])).status == 200
    assert "one more" in slack.transcript()[-1].shown


async def test_a_refusal_in_a_dm_is_a_message_there(stage: Stage) -> None:
    slack = stage.slack
    await use_up(stage)
    await slack.dm(ALICE, "one more")
    await slack.wait_for(lambda: "last conversation" in slack.dms(ALICE)[-1].shown)


async def test_a_command_written_out_in_a_thread_is_done_there(stage: Stage) -> None:
    slack = stage.slack
    said = await slack.mention(ALICE, GENERAL, "Hi")
    await answered(slack, GENERAL)
    await slack.mention(ALICE, GENERAL, "/usage", thread_ts=said.ts)
    shown = (await private(slack, ALICE))[0]
    assert shown.thread_ts == said.ts
    assert "Conversations today" in shown.shown


async def test_a_button_in_a_thread_is_answered_in_that_thread(stage: Stage) -> None:
    slack = stage.slack
    said = await slack.mention(ALICE, GENERAL, "Hi")
    await answered(slack, GENERAL)
    await slack.mention(ALICE, GENERAL, "/help", thread_ts=said.ts)
    shown = (await private(slack, ALICE))[0]
    await slack.press(ALICE, shown, button(shown, "Compare"))
    assert [m.thread_ts for m in await private(slack, ALICE, 2)] == [said.ts] * 2


async def test_a_word_that_does_not_fit_is_answered_with_the_usage(stage: Stage) -> None:
    await stage.slack.slash(ALICE, "/upgrade", "gold")
    assert "/upgrade [tier] [month|year]" in (await private(stage.slack, ALICE))[0].shown


async def test_a_model_is_chosen_and_then_answers(stage: Stage) -> None:
    slack = stage.slack
    await slack.slash(ALICE, "/model", "spare")
    assert "spare" in (await private(slack, ALICE))[0].shown
    await slack.slash(ALICE, "/ask", "Hi")
    await slack.wait_for(lambda: stage.hall.two.seen)
    await slack.slash(ALICE, "/ask", "model:quick Hi")
    await slack.wait_for(lambda: stage.model.seen)
