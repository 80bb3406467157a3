"""The command table and typed commands."""

from __future__ import annotations

import pytest

from bot.commands import COMMANDS, BadOption, Command, Misspelt, Typed, parse


def typed(text: str) -> tuple[str, dict[str, str]]:
    """A command as it was understood."""
    found = parse(text)
    assert isinstance(found, Typed)
    return found.command.name, dict(found.options)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_names_and_descriptions_fit_what_discord_and_slack_take(command: Command) -> None:
    assert command.name.islower()
    assert len(command.name) <= 32
    assert len(command.description) <= 100
    assert all(len(option.description) <= 100 for option in command.options)


def test_options_are_recognised_in_any_order() -> None:
    assert typed("/upgrade year premium") == ("upgrade", {"interval": "year", "tier": "premium"})
    assert typed("/upgrade PRO") == ("upgrade", {"tier": "pro"})
    assert typed("/upgrade") == ("upgrade", {})


def test_a_prompt_is_taken_whole_and_may_name_its_model_first() -> None:
    assert typed("/ask why is it so?  really") == ("ask", {"prompt": "why is it so?  really"})
    assert typed("/ask model:demo-sage why") == ("ask", {"prompt": "why", "model": "demo-sage"})
    assert typed("/ask what does model:x mean") == ("ask", {"prompt": "what does model:x mean"})


def test_what_does_not_fit_is_named() -> None:
    assert parse("/upgrade gold") == BadOption(next(c for c in COMMANDS if c.name == "upgrade"), "gold")
    assert parse("/usgae") == Misspelt("usgae")


def test_usage_lines_show_what_is_needed_and_what_may_be() -> None:
    lines = {command.name: command.usage for command in COMMANDS}
    assert lines["upgrade"] == "/upgrade [tier] [month|year]"
    assert lines["ask"] == "/ask [model:NAME] <prompt>"
