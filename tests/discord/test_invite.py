"""What the operator is told about adding the bot."""

from __future__ import annotations

import base64

import pytest

from bot.discord.invite import application_of, intents, invite_link, needed_intents


def test_the_link_asks_for_the_bot_its_commands_and_a_few_permissions() -> None:
    link = invite_link(1234)
    assert link.startswith("https://discord.com/oauth2/authorize?client_id=1234&")
    assert "scope=bot+applications.commands" in link
    assert "permissions=309237746688" in link


def test_a_bot_token_tells_its_application() -> None:
    first = base64.urlsafe_b64encode(b"123456789012345678").decode().rstrip("=")
    assert application_of(f"{first}.x.y") == 123456789012345678


@pytest.mark.parametrize("token", ["", "fake-discord-token", "MTIz!.x.y", "abc"])
def test_other_words_tell_none(token: str) -> None:
    assert application_of(token) is None


def test_no_intent_is_privileged() -> None:
    wanted = intents()
    assert not any((wanted.members, wanted.presences, wanted.message_content))
    assert len(needed_intents) == sum(enabled for _, enabled in wanted)
