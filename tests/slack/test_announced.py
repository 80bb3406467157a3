"""An announcement on Slack: the operator's words by direct message, once, with a button to hear no more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.announcements import Letter
from engine.domain import Person, Platform
from engine.errors import TryAgainError, UnreachableError
from tests.fakes.slack import ALICE, TEAM
from tests.slack.conftest import Stage


@pytest.fixture
def letter(stage: Stage) -> Letter:
    """An announcement owed to Alice, who speaks German."""
    person = Person(Platform.SLACK, TEAM, ALICE)
    return Letter("a1:1", person, "**Maintenance** at 8.", stage.hall.clock.now(), locale="de")


def shown(stage: Stage) -> list[str]:
    return [message.shown for message in stage.slack.dms(ALICE)]


async def test_the_words_are_the_operators_and_what_is_below_speaks_the_members_language(
    stage: Stage, letter: Letter
) -> None:
    await stage.bot.messenger.announce(letter, again=False)
    (told,) = shown(stage)
    assert "Maintenance" in told
    assert "beendet Ankündigungen" in told


async def test_a_try_whose_answer_was_lost_is_shown_once(stage: Stage, letter: Letter) -> None:
    stage.slack.faults.lose_answer("chat.postMessage")
    with pytest.raises(TryAgainError):
        await stage.bot.messenger.announce(letter, again=False)
    for _ in range(2):
        await stage.bot.messenger.announce(letter, again=True)
    assert len(shown(stage)) == 1
    await stage.bot.messenger.announce(replace(letter, key="a2:1"), again=True)
    assert len(shown(stage)) == 2


async def test_a_limit_of_slacks_is_told_with_how_long_to_wait(stage: Stage, letter: Letter) -> None:
    stage.slack.faults.fail("chat.postMessage", "internal_error")
    with pytest.raises(TryAgainError):
        await stage.bot.messenger.announce(letter, again=False)
    assert shown(stage) == []


@pytest.mark.parametrize("error", ["user_disabled", "user_not_found", "channel_not_found"])
async def test_who_cannot_be_written_to_is_unreachable(stage: Stage, letter: Letter, error: str) -> None:
    stage.slack.close_dms(ALICE, error)
    with pytest.raises(UnreachableError):
        await stage.bot.messenger.announce(letter, again=False)


async def test_its_button_switches_announcements_off(stage: Stage, letter: Letter) -> None:
    await stage.bot.messenger.announce(replace(letter, locale=None), again=False)
    (told,) = stage.slack.dms(ALICE)
    button = next(each for each in told.buttons if "announcements" in each["action_id"])
    await stage.slack.press(ALICE, told, button["action_id"])

    slack = stage.slack

    def told_so() -> list[str] | None:
        said = [each.shown for each in (*slack.ephemerals(ALICE), *slack.dms(ALICE))]
        return [words for words in said if "You get no announcements." in words] or None

    await slack.wait_for(told_so)
    account = await stage.hall.store.read(lambda tx: tx.find_account(letter.person))
    assert account
    assert not account.announcements
