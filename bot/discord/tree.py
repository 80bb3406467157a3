"""The command table as Discord's commands: slash commands with their parts, and the menu of a message."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

import discord
from discord import app_commands

from bot.commands import COMMANDS, Command, Option, OptionKind
from bot.words import CHOICES as LANGUAGES
from bot.words import ENGLISH, name_of, nearest, say, speaking
from engine.domain import Interval

CHOICES: Mapping[OptionKind, Sequence[str]] = {
    OptionKind.INTERVAL: list(Interval),
    OptionKind.SWITCH: ["on", "off"],
    OptionKind.ACTION: ["add", "remove", "clear"],
    OptionKind.LANGUAGE: LANGUAGES,
}
TYPES: Mapping[OptionKind, object] = {
    OptionKind.COUNT: app_commands.Range[int, 1, 100_000],
    OptionKind.DOLLARS: app_commands.Range[float, 0, 100_000],
    OptionKind.CHANNEL: app_commands.AppCommandChannel,
    OptionKind.ROLE: discord.Role,
    OptionKind.MEMBER: discord.User,
    OptionKind.FILE: discord.Attachment,
}
"""What Discord lets be entered; all else is text."""
COMPLETED = frozenset({OptionKind.MODEL, OptionKind.TIER})
EVERYWHERE = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
ANY_INSTALL = app_commands.AppInstallationType(guild=True, user=True)
ADMINS = discord.Permissions(manage_guild=True)
ADMINISTRATORS = discord.Permissions.none()
"""Discord shows a command that nobody's permissions reach to a server's administrators alone."""
Used = Callable[[discord.Interaction[Any], Command, Mapping[str, str]], Awaitable[None]]
Completed = Callable[
    [discord.Interaction[Any], Command, Option, str], Coroutine[Any, Any, list[app_commands.Choice[str]]]
]
About = Callable[[discord.Interaction[Any], discord.Message], Awaitable[None]]


def build_tree(
    client: discord.Client, used: Used, completed: Completed, about: About
) -> app_commands.CommandTree[Any]:
    """A tree with every command of the table, for servers, DMs and a user's own installation.

    `used` runs a command with its options; `completed` gives what goes with an option as it is typed; `about`
    is told which message a member wants to ask about.
    """
    tree: app_commands.CommandTree[Any] = app_commands.CommandTree(
        client, allowed_installs=ANY_INSTALL, allowed_contexts=EVERYWHERE
    )
    for command in COMMANDS:
        tree.add_command(
            group(command, used, completed) if command.parts else slash(command, used, completed)
        )
    tree.add_command(menu(about))
    return tree


def group(command: Command, used: Used, completed: Completed) -> app_commands.Group:
    """A command with parts; Discord itself hides one that is for admins from all others."""
    made = app_commands.Group(name=command.name, description=in_english(command.about))
    for part in command.parts:
        made.add_command(slash(part, used, completed))
    if command.admin or command.operator:
        made.default_permissions = ADMINS if command.admin else ADMINISTRATORS
        made.allowed_installs = app_commands.AppInstallationType(guild=True, user=False)
        made.allowed_contexts = app_commands.AppCommandContext(
            guild=True, dm_channel=False, private_channel=False
        )
    return made


def menu(about: About) -> app_commands.ContextMenu:
    """The entry in the menu of every message."""

    async def chosen(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await about(interaction, message)

    return app_commands.ContextMenu(name=in_english("about-menu"), callback=chosen)


def slash(command: Command, used: Used, completed: Completed) -> app_commands.Command[Any, ..., None]:
    """One command; discord.py reads its options from the signature that is made here."""

    async def callback(interaction: discord.Interaction[Any], **given: object) -> None:
        options = {name: as_text(value) for name, value in given.items() if value is not None}
        await used(interaction, command, options)

    first = inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = [first, *map(parameter, command.options)]
    callback.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect
    described = app_commands.describe(**{option.name: in_english(option.about) for option in command.options})
    chosen = app_commands.choices(
        **{
            option.name: [
                app_commands.Choice(name=name_of(word), value=word) for word in CHOICES[option.kind]
            ]
            for option in command.options
            if option.kind in CHOICES
        }
    )
    made: app_commands.Command[Any, ..., None] = app_commands.Command(
        name=command.word, description=in_english(command.about), callback=chosen(described(callback))
    )
    for option in command.options:
        if option.kind in COMPLETED:
            made.autocomplete(option.name)(completer(command, option, completed))
    return made


def completer(
    command: Command, option: Option, completed: Completed
) -> Callable[[discord.Interaction[Any], str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]:
    """What discord.py asks while an option is being typed."""

    async def complete(interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        return await completed(interaction, command, option, typed)

    return complete


def as_text(value: object) -> str:
    """An option's value as the table knows it: a channel, role, person or file by its id."""
    known = app_commands.AppCommandChannel | discord.Role | discord.User | discord.Member | discord.Attachment
    return str(value.id) if isinstance(value, known) else str(value)


def in_english(key: str) -> app_commands.locale_str:
    """A name or description that `Interpreter` finds again in other languages."""
    with speaking(ENGLISH):
        return app_commands.locale_str(say(key), key=key)


class Interpreter(app_commands.Translator):
    """Tells Discord what commands and menus are called and do, in the languages there are."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,  # noqa: ARG002 - a key says it all
    ) -> str | None:
        """The words for a locale; None where they are the English ones, and for what is never translated."""
        key = string.extras.get("key")
        if key is None or nearest(locale.value) == ENGLISH:
            return None
        with speaking(locale.value):
            return say(key)


def parameter(option: Option) -> inspect.Parameter:
    """An option as the parameter that discord.py looks for."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    held: Any = TYPES.get(option.kind, str)
    if option.required:
        return inspect.Parameter(option.name, kind, annotation=held)
    return inspect.Parameter(option.name, kind, default=None, annotation=held | None)
