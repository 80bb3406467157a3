"""What the playground tells of itself: people, rooms, commands with their values, what is simulated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bot.commands import COMMANDS, Command, Option, OptionKind
from bot.front import Front
from bot.local.posts import BOT_NAME, Room
from bot.words import CHOICES
from engine.catalogue import Catalogue
from engine.domain import Interval

PEOPLE = ("alice", "bob", "carol")
"""Who is there to begin with."""


def describe(front: Front, people: Iterable[str]) -> Mapping[str, object]:
    """The description, as docs/playground-api.md has it."""
    catalogue = front.members.catalogue
    demo = all(spec.provider == "demo" for spec in catalogue.models)
    return {
        "bot": {"name": BOT_NAME},
        "people": list(people),
        "rooms": [{"id": Room.GENERAL.value, "name": "general"}, {"id": Room.DM.value, "name": BOT_NAME}],
        "commands": [describe_command(command, catalogue) for command in COMMANDS],
        "simulated": {"models": demo, "billing": front.simulated},
    }


def describe_command(command: Command, catalogue: Catalogue) -> Mapping[str, object]:
    """A command with its options; an option of a question is written with its name before it."""
    shown = [option for option in command.options if option.typed or option.kind is not OptionKind.MODEL]
    options = [describe_option(option, catalogue, labelled=command.streams) for option in shown]
    if command.together:
        first = next(option for option in command.options if option.kind is OptionKind.MODEL)
        together = replace(first, name=command.together)
        options.append(describe_option(together, catalogue, labelled=True))
    return {
        "name": command.name,
        "description": command.description,
        "usage": command.usage,
        "options": options,
    }


def describe_option(option: Option, catalogue: Catalogue, *, labelled: bool) -> Mapping[str, object]:
    """An option with the values it may have; none for free text."""
    values = choices(option, catalogue)
    return {
        "name": option.name,
        "description": option.description,
        "required": option.required,
        "choices": values,
        "prefix": f"{option.name}:" if labelled and values else "",
    }


def choices(option: Option, catalogue: Catalogue) -> Sequence[str]:
    """The values of a closed option."""
    values: Mapping[OptionKind, Sequence[str]] = {
        OptionKind.MODEL: [spec.name for spec in catalogue.models],
        OptionKind.TIER: [tier.name.value for tier in catalogue.ranked() if tier.price_month > 0],
        OptionKind.INTERVAL: [interval.value for interval in Interval],
        OptionKind.SWITCH: ["on", "off"],
        OptionKind.WHERE: ["always", "here"],
        OptionKind.LANGUAGE: CHOICES,
    }
    return values.get(option.kind, [])
