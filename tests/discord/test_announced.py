"""An announcement on Discord: the operator's words by DM, once, with a button to hear no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.announcements import Letter
from engine.domain import Person, Platform
from engine.errors import UnreachableError
from tests.discord.conftest import Stage
from tests.fakes.discord.world import NONCE_MEMORY

WORDS = "# Tonight\n**Maintenance** at 8, @everyone.\n```\nnothing is lost\n```"


def letter(stage: Stage, key: str = "a1:account-1") -> Letter:
    """An announcement owed to Alice, now by Discord's clock."""
    person = Person(Platform.DISCORD, "", stage.discord.world.user("alice").id)
    return Letter(key, person, WORDS, datetime.fromtimestamp(stage.discord.world.clock.now(), UTC))


async def test_the_words_come_as_they_were_written_and_ping_nobody(stage: Stage) -> None:
    await stage.bot.messenger.announce(letter(stage), again=False)
    (told,) = stage.discord.dms("alice")
    assert told.text.startswith(f"{WORDS}\n\nYou get this because you use this bot.")
    assert stage.discord.pings() == []


async def test_a_try_that_may_have_got_through_is_found_also_much_later(stage: Stage) -> None:
    owed = letter(stage)
    await stage.bot.messenger.announce(owed, again=False)
    await stage.bot.messenger.announce(owed, again=False)
    stage.discord.world.clock.advance(NONCE_MEMORY + 1)
    await stage.bot.messenger.announce(replace(owed, locale="de"), again=True)
    assert len(stage.discord.dms("alice")) == 1


async def test_a_try_whose_answer_is_lost_is_shown_once(stage: Stage) -> None:
    stage.discord.faults.lose(r"/channels/\d+/messages", method="POST")
    await stage.bot.messenger.announce(letter(stage), again=False)
    assert len(stage.discord.dms("alice")) == 1


@pytest.mark.parametrize("code", [50007, 50278])
async def test_closed_dms_are_unreachable(stage: Stage, code: int) -> None:
    stage.discord.close_dms("alice", code)
    with pytest.raises(UnreachableError):
        await stage.bot.messenger.announce(letter(stage), again=False)


async def test_its_button_switches_announcements_off(stage: Stage) -> None:
    owed = letter(stage)
    await stage.bot.messenger.announce(owed, again=False)
    (told,) = stage.discord.dms("alice")
    pressed = stage.discord.press("alice", told, told.button("Stop announcements")["custom_id"])
    assert "You get no announcements." in (await stage.discord.answered(pressed)).text
    account = await stage.hall.store.read(lambda tx: tx.find_account(owed.person))
    assert account
    assert not account.announcements
