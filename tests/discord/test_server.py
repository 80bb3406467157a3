"""`/server`, by which admins decide what holds, over the wire."""

from __future__ import annotations

from typing import Any

import pytest

from tests.discord.conftest import Stage


async def server(stage: Stage, part: str, options: dict[str, Any] | None = None, user: str = "alice") -> str:
    """What somebody is told by a part of `/server`, in private."""
    used = stage.discord.slash(user, f"server {part}", options)
    text = (await stage.discord.answered(used)).text
    assert used.private()
    return text


async def test_discord_itself_offers_the_command_to_admins_of_servers_alone(stage: Stage) -> None:
    known = stage.discord.commands["server"]
    assert known["default_member_permissions"] == str(1 << 5)
    assert (known["contexts"], known["integration_types"]) == ([0], [0])
    parts = ["show", "channels", "roles", "models", "default", "persona", "pool"]
    assert [part["name"] for part in known["options"]] == parts


async def test_whoever_does_not_manage_the_server_is_refused_by_the_bot_too(stage: Stage) -> None:
    assert "Only those who manage" in await server(stage, "persona", {"text": "Be rude."}, "bob")
    assert "Persona: none" in await server(stage, "show")


async def test_every_change_is_answered_with_what_holds_then(stage: Stage) -> None:
    world = stage.discord.world
    quiet, helpers = world.channel("quiet").id, world.role("helpers")
    assert "Channels: all\nRoles: all\nModels: all" in await server(stage, "show")
    await server(stage, "channels", {"action": "add", "channel": "quiet"})
    await server(stage, "roles", {"action": "add", "role": "helpers"})
    await server(stage, "models", {"action": "add", "model": "quick"})
    await server(stage, "models", {"action": "add", "model": "spare"})
    await server(stage, "default", {"model": "spare"})
    await server(stage, "persona", {"text": "Be kind.\nBe brief."})
    assert await server(stage, "pool", {"size": "1"}) == (
        "**Changed. This holds here now:**\n"
        f"Channels: <#{quiet}>\nRoles: <@&{helpers}>\nModels: `quick`, `spare`\n"
        "Answers who has chosen none: `spare`\n"
        "Members without a subscription begin together: 1 conversation a day; today it was 0\n"
        "Persona:\n> Be kind.\n> Be brief."
    )
    await server(stage, "pool", {"size": "off"})
    await server(stage, "persona", {"text": "off"})
    await server(stage, "channels", {"action": "remove", "channel": "quiet"})
    assert "Channels: all" in await server(stage, "roles", {"action": "clear"})


async def test_a_model_is_completed_for_admins_without_locks_of_their_own(stage: Stage) -> None:
    typed = stage.discord.autocomplete("alice", "server models", "model", "e")
    assert (await stage.discord.acknowledged(typed)).choices == ["spare", "deep"]


@pytest.mark.parametrize(
    ("part", "options", "words"),
    [
        ("channels", {"action": "add"}, "`/server channels <add|remove|clear> [channel]`"),
        ("pool", {"size": "many"}, "`/server pool <number|off>`"),
        ("default", {"model": "x"}, "These exist: `quick`, `spare`, `deep`."),
        ("persona", {"text": "x" * 1001}, "up to 1,000 characters"),
    ],
)
async def test_what_does_not_fit_is_told_with_what_would(
    stage: Stage, part: str, options: dict[str, Any], words: str
) -> None:
    assert words in await server(stage, part, options)


async def test_a_question_in_another_channel_is_refused_in_private_with_the_right_one(stage: Stage) -> None:
    quiet = stage.discord.world.channel("quiet").id
    await server(stage, "channels", {"action": "add", "channel": "quiet"})
    used = stage.discord.slash("bob", "ask", {"prompt": "Hi"})
    assert f"<#{quiet}>" in (await stage.discord.answered(used)).text
    assert used.private()
    stage.discord.slash("bob", "ask", {"prompt": "Hi"}, channel="quiet")
    await stage.shown("quiet")


async def test_members_are_offered_only_the_models_that_may_answer_where_they_type(stage: Stage) -> None:
    await server(stage, "models", {"action": "add", "model": "deep"})
    for dm, offered in ((False, ["deep 🔒"]), (True, ["quick", "spare", "deep 🔒"])):
        typed = stage.discord.autocomplete("bob", "ask", "model", "", dm=dm)
        assert (await stage.discord.acknowledged(typed)).choices == offered


async def test_members_are_told_which_models_may_answer_and_when_the_pool_is_new(stage: Stage) -> None:
    await server(stage, "models", {"action": "add", "model": "spare"})
    used = stage.discord.slash("bob", "ask", {"prompt": "Hi", "model": "quick"})
    assert "These may: `spare`" in (await stage.discord.answered(used)).text
    await server(stage, "pool", {"size": "0"})
    used = stage.discord.slash("bob", "ask", {"prompt": "Hi"})
    told = await stage.discord.answered(used)
    assert "25 November, 00:00 UTC" in told.text
    assert told.button("Upgrade")
