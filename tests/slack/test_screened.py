"""Questions that are looked at before a model sees them, in Slack, over both transports."""

from __future__ import annotations

import pytest

from engine.errors import LateError
from engine.moderating import Moderating
from engine.screening import Screen, Screening
from tests.engine.conftest import Hall
from tests.fakes.models import Looker
from tests.fakes.shelf import File
from tests.fakes.slack import ALICE, GENERAL, FakeSlack, Message
from tests.slack.conftest import Stage
from tests.slack.test_conversations import stoppable
from tests.slack.test_private_replies import button
from tests.slack.test_redone import ended

RULES = "This breaks the rules of this bot"


@pytest.fixture
def looker() -> Looker:
    """Whoever looks."""
    return Looker()


@pytest.fixture
def hall(hall: Hall, looker: Looker) -> Hall:
    """One where they are asked."""
    hall.free(compare=2, requests_per_minute=None, concurrent=None)
    hall.moderating = Moderating(hall.clock, Screening(Screen.OPENAI), looker)
    return hall


async def told(slack: FakeSlack, channel: str, words: str, count: int = 1) -> list[Message]:
    """The bot's messages of a channel with these words, once there are so many and none is being written."""

    def complete() -> list[Message] | None:
        found = [m for m in slack.transcript(channel) if m.by_app and words in m.shown and not stoppable(m)]
        return found if len(found) >= count else None

    return await slack.wait_for(complete)


async def test_what_breaks_the_rules_is_told_in_one_message_and_goes_to_no_model(stage: Stage) -> None:
    slack = stage.slack
    await slack.mention(ALICE, GENERAL, "Something bad.")
    (first,) = await told(slack, GENERAL, RULES)
    assert "not counted" in first.shown
    assert first.buttons == []
    await slack.dm(ALICE, "Is it?", files=[File("notes.txt", "text/plain", b"All bad.")])
    await told(slack, slack.workspace.dm(ALICE).id, RULES)
    await slack.slash(ALICE, "/compare", "bad")
    await told(slack, GENERAL, RULES, 3)
    assert stage.model.seen == []
    assert stage.hall.two.seen == []


async def test_what_is_fine_is_answered_and_what_is_asked_again_is_looked_at_again(
    stage: Stage, looker: Looker
) -> None:
    slack = stage.slack
    await slack.mention(ALICE, GENERAL, "All fine.")
    first = (await ended(slack, GENERAL))[0]
    looker.bad = "fine"
    await slack.press(ALICE, first, button(first, "Regenerate"))
    await told(slack, GENERAL, RULES)
    assert len(stage.model.seen) == 1


async def test_what_cannot_be_looked_at_is_told_with_a_button_to_ask_again(
    stage: Stage, looker: Looker
) -> None:
    slack = stage.slack
    looker.error = LateError("late")
    await slack.slash(ALICE, "/ask", "All fine.")
    (away,) = await told(slack, GENERAL, "cannot be done just now")
    looker.error = None
    await slack.press(ALICE, away, button(away, "Ask again"))
    await ended(slack, GENERAL)


async def test_instructions_and_personas_that_break_the_rules_are_not_kept(stage: Stage) -> None:
    slack = stage.slack
    for command in ("/instructions", "/server persona"):
        name, _, part = command.partition(" ")
        await slack.slash(ALICE, name, f"{part} Be bad.".strip())
        await slack.wait_for(lambda: [m for m in slack.ephemerals(ALICE) if "so it was not kept" in m.shown])
        slack.ephemerals(ALICE).clear()
