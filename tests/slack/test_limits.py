"""What keeps answers whole and quiet: no part shown twice, no ping, no wait that a window cannot afford."""

from __future__ import annotations

import pytest

from bot.slack.publishing import MOST_VISITORS, Publishing
from tests.fakes.slack import ALICE, BOB, GENERAL, PRIVATE
from tests.slack.conftest import Stage
from tests.slack.test_conversations import answered
from tests.slack.test_windows import at_home

LINES = tuple(f"line {n} of what is told\n" for n in range(2200))


@pytest.mark.parametrize("stage", ["http"], indirect=True)
async def test_a_private_answer_is_shown_once_and_whole_though_slack_stumbles(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.LAST_TRIES", (0.01, 0.01, 0.01))
    slack, model = stage.slack, stage.model
    model.words, model.pause = LINES[:1100], 0
    await slack.slash(ALICE, "/ask", "private:on much", channel=PRIVATE)
    await slack.wait_for(lambda: slack.ephemerals(ALICE))
    stumbles = iter([None, None, True])
    take = slack.faults.take

    def second(method: str) -> object:
        if method == "response_url" and next(stumbles, None):
            slack.faults.fail("response_url", "internal_error", status=500)
        return take(method)

    monkeypatch.setattr(slack.faults, "take", second)
    model.go.set()
    await slack.wait_for(lambda: [m for m in slack.ephemerals(ALICE) if " today" in m.shown])
    text = "".join(m.shown for m in slack.ephemerals(ALICE))
    assert [text.count(f"line {n} of") for n in range(1100)] == [1] * 1100


@pytest.mark.parametrize("stage", ["http"], indirect=True)
async def test_a_private_answer_of_many_pages_is_whole_where_the_bot_may_write(stage: Stage) -> None:
    slack = stage.slack
    stage.model.words = LINES
    await slack.slash(ALICE, "/ask", "private:on much")
    await slack.wait_for(lambda: [m for m in slack.ephemerals(ALICE) if " today" in m.shown])
    text = "".join(m.shown for m in slack.ephemerals(ALICE))
    assert [text.count(f"line {n} of") for n in range(2200)] == [1] * 2200


async def test_slack_makes_no_ping_of_a_question_that_the_bot_repeats(stage: Stage) -> None:
    slack = stage.slack
    await slack.slash(ALICE, "/ask", "@channel wake up")
    answer = (await answered(slack, GENERAL))[0]
    (line,) = answer.blocks[0]["elements"]
    assert "@channel wake up" in line["text"]
    assert line["verbatim"] is True


async def test_a_window_does_not_wait_for_the_language_that_slack_knows(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack = stage.slack
    monkeypatch.setattr("bot.slack.locales.KEPT_SECONDS", 0.0)
    await slack.open_home(ALICE)
    await at_home(slack, ALICE, "Model: quick")
    slack.faults.hold("users.info")
    await slack.press_view(ALICE, "press:plans")
    assert (await slack.window(ALICE, 1.5)).user == ALICE


async def test_those_whose_home_was_shown_are_remembered_up_to_a_number() -> None:
    publishing = Publishing()
    for number in range(MOST_VISITORS + 2):
        publishing.visited(f"U{number}")
    publishing.visited("U5")
    publishing.visited("U")
    assert len(publishing.visitors) == MOST_VISITORS
    assert "U5" in publishing.visitors
    assert "U2" not in publishing.visitors


async def test_what_others_say_in_threads_makes_no_command_forgotten_that_comes_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.errands.REMEMBERED_KEYS", 4)
    slack = stage.slack
    used = await slack.slash(ALICE, "/usage")
    await slack.wait_for(lambda: slack.ephemerals(ALICE))
    said = await slack.say(BOB, GENERAL, "Lunch?")
    for number in range(6):
        await slack.say(BOB, GENERAL, f"{number} o'clock?", thread_ts=said.ts)
    await slack.redeliver(used)
    await slack.slash(ALICE, "/help")
    await slack.wait_for(lambda: [m for m in slack.ephemerals(ALICE) if "/compare" in m.shown])
    assert len([m for m in slack.ephemerals(ALICE) if "Conversations today" in m.shown]) == 1
