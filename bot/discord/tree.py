"""The command table as Discord's slash commands."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

import discord
from discord import app_commands

from bot.commands import COMMANDS, Command, Option, OptionKind
from engine.domain import Interval, TierName

CHOICE_LIMIT = 25
CHOICES: Mapping[OptionKind, Sequence[str]] = {
    OptionKind.TIER: [tier for tier in TierName if tier is not TierName.FREE],
    OptionKind.INTERVAL: list(Interval),
    OptionKind.SWITCH: ["on", "off"],
}
TYPES: Mapping[OptionKind, object] = {
    OptionKind.COUNT: app_commands.Range[int, 1, 100_000],
    OptionKind.DOLLARS: app_commands.Range[float, 0, 100_000],
}
"""What Discord lets be entered; all else is text."""
Used = Callable[[discord.Interaction[Any], Command, Mapping[str, str]], Awaitable[None]]
Completed = Callable[[discord.Interaction[Any], str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]


def build_tree(client: discord.Client, used: Used, models: Completed) -> app_commands.CommandTree[Any]:
    """A tree with every command of the table, for servers, DMs and a user's own installation.

    `used` runs a command with its options; `models` completes a model's name as it is typed.
    """
    tree: app_commands.CommandTree[Any] = app_commands.CommandTree(
        client,
        allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
    )
    for command in COMMANDS:
        tree.add_command(slash(command, used, models))
    return tree


def slash(command: Command, used: Used, models: Completed) -> app_commands.Command[Any, ..., None]:
    """One command; discord.py reads its options from the signature that is made here."""

    async def callback(interaction: discord.Interaction[Any], **given: str | float | None) -> None:
        options = {name: f"{value}" for name, value in given.items() if value is not None}
        await used(interaction, command, options)

    first = inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = [first, *map(parameter, command.options)]
    callback.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect
    described = app_commands.describe(**{option.name: option.description for option in command.options})
    chosen = app_commands.choices(
        **{
            option.name: [app_commands.Choice(name=word, value=word) for word in CHOICES[option.kind]]
            for option in command.options
            if option.kind in CHOICES
        }
    )
    made: app_commands.Command[Any, ..., None] = app_commands.Command(
        name=command.name, description=command.description, callback=chosen(described(callback))
    )
    for option in command.options:
        if option.kind is OptionKind.MODEL:
            made.autocomplete(option.name)(models)
    return made


def parameter(option: Option) -> inspect.Parameter:
    """An option as the parameter that discord.py looks for."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    held: Any = TYPES.get(option.kind, str)
    if option.required:
        return inspect.Parameter(option.name, kind, annotation=held)
    return inspect.Parameter(option.name, kind, default=None, annotation=held | None)
