"""The command table and typed commands."""

from __future__ import annotations

import pytest

from bot.commands import COMMANDS, Command
from bot.typed import BadOption, Misspelt, Typed, parse


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


def test_numbers_amounts_and_switches_are_recognised_by_their_shape() -> None:
    assert typed("/seats 8") == ("seats", {"count": "8"})
    assert typed("/overage ON $12.50") == ("overage", {"switch": "on", "cap": "12.50"})
    assert typed("/overage 20 on") == ("overage", {"cap": "20", "switch": "on"})
    assert typed("/overage off") == ("overage", {"switch": "off"})


@pytest.mark.parametrize(
    "text",
    ["/seats 0", "/seats -1", "/seats 1.5", "/seats many", "/overage 1e9", "/overage 1.234", "/cancel now"],
)
def test_what_is_no_number_or_amount_does_not_fit(text: str) -> None:
    assert isinstance(parse(text), BadOption)


def test_usage_lines_show_what_is_needed_and_what_may_be() -> None:
    lines = {command.name: command.usage for command in COMMANDS}
    assert lines["upgrade"] == "/upgrade [tier] [month|year]"
    assert lines["seats"] == "/seats <count>"
    assert lines["overage"] == "/overage [on|off] [cap]"
    assert lines["ask"] == "/ask [model:NAME] [private:on|off] <prompt>"
    assert lines["compare"] == "/compare [models:NAME,NAME] [private:on|off] <prompt>"


def test_options_of_a_question_stand_before_it_with_their_names() -> None:
    typed = parse("/compare models:quick,deep private:ON what is model:x?")
    assert isinstance(typed, Typed)
    assert typed.options == {"models": "quick,deep", "private": "on", "prompt": "what is model:x?"}
    asked = parse("/ask private:perhaps it rains")
    assert isinstance(asked, Typed)
    assert asked.options == {"prompt": "private:perhaps it rains"}


def test_a_closed_option_is_recognised_before_one_that_takes_any_word() -> None:
    typed = parse("/model here quick")
    assert isinstance(typed, Typed)
    assert typed.options == {"where": "here", "name": "quick"}
