"""How typed text becomes a command and its options."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.commands import BY_NAME, Command, Option, OptionKind
from bot.words import chosen
from engine.domain import Interval, TierName


@dataclass(frozen=True, slots=True)
class Typed:
    """A command as it was typed or chosen: its name and the options given, by name."""

    command: Command
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Misspelt:
    """Text that begins like a command and is none."""

    word: str


@dataclass(frozen=True, slots=True)
class BadOption:
    """A word that fits no option of its command."""

    command: Command
    word: str


def parse(text: str) -> Typed | Misspelt | BadOption:
    """Read `/name words`: closed options are recognised in any order, text takes the rest."""
    name, _, rest = text.strip().removeprefix("/").partition(" ")
    command = BY_NAME.get(name.casefold())
    return parse_options(command, rest) if command else Misspelt(name)


def parse_options(command: Command, text: str) -> Typed | BadOption:
    """Read the words behind a command's name (all that Slack gives us)."""
    if command.parts:
        return parse_part(command, text)
    if command.streams:
        return Typed(command, prompt_options(command, text))
    options: dict[str, str] = {}
    left = text.strip()
    while left:
        word, *rest = left.split(maxsplit=1)
        option = next((o for o in closed_first(command) if o.name not in options and fits(o, word)), None)
        if option is None:
            return BadOption(command, word)
        if option.kind is OptionKind.TEXT:
            return Typed(command, {**options, option.name: left})
        options[option.name] = value_of(option, word)
        left = rest[0] if rest else ""
    return Typed(command, options)


def parse_part(command: Command, text: str) -> Typed | BadOption:
    """Read which part of a command is meant, the first one if none is named, and its options."""
    word, *rest = text.split(maxsplit=1) or [""]
    if not word:
        return Typed(command.parts[0], {})
    part = next((part for part in command.parts if part.word == word.casefold()), None)
    return parse_options(part, "".join(rest)) if part else BadOption(command, word)


def closed_first(command: Command) -> Sequence[Option]:
    """The options as a word is tried on them: before those that take any word, those that do not."""
    return sorted(command.options, key=lambda option: option.kind in OPEN)


def prompt_options(command: Command, text: str) -> Mapping[str, str]:
    """A prompt, with options before it that are written with their names: `model:NAME`, `private:on`."""
    options: dict[str, str] = {}
    left = text.strip()
    while found := labelled(command, left.partition(" ")[0]):
        options.setdefault(*found)
        left = left.partition(" ")[2].strip()
    return {**options, "prompt": left}


def labelled(command: Command, word: str) -> tuple[str, str] | None:
    """The option and its value in a word like `model:NAME`; None if it is the beginning of the prompt."""
    name, colon, value = word.partition(":")
    name = name.casefold()
    if not (colon and value):
        return None
    if command.together and name == command.together:
        return name, value
    named = (each for each in command.options if each.name == name and each.typed)
    option = next((each for each in named if each.kind is not OptionKind.TEXT), None)
    return (name, value_of(option, value)) if option and fits(option, value) else None


SHAPES: Mapping[OptionKind, re.Pattern[str]] = {
    OptionKind.TIER: re.compile("|".join(TierName)),
    OptionKind.INTERVAL: re.compile("|".join(Interval)),
    OptionKind.COUNT: re.compile(r"0*[1-9][0-9]{0,5}"),
    OptionKind.DOLLARS: re.compile(r"\$?[0-9]{1,6}(\.[0-9]{1,2})?"),
    OptionKind.SWITCH: re.compile("on|off"),
    OptionKind.WHERE: re.compile("always|here"),
    OptionKind.ACTION: re.compile("add|remove|clear"),
    OptionKind.UNTIL: re.compile(r"[0-9]{1,4}[mhdw]|[0-9]{4}-[0-9]{2}-[0-9]{2}(t[0-9]{2}:[0-9]{2}z?)?"),
    OptionKind.CEILING: re.compile("off|[0-9]{1,6}"),
    OptionKind.CHANNEL: re.compile(r"(?:<#)?(?=\w*\d)(\w{6,24})(?:\|[^>]*)?>?"),
    OptionKind.ROLE: re.compile(r"(?:<@&)?(\d{6,24})>?"),
    OptionKind.MEMBER: re.compile(r"<@!?(\w{1,32})(?:\|[^>]*)?>|@([\w.-]{1,64})"),
}
OPEN = frozenset({OptionKind.TEXT, OptionKind.MODEL, OptionKind.PERSON})
"""Any word may be one of these."""
MENTIONS = frozenset({OptionKind.CHANNEL, OptionKind.ROLE})
"""What is written as a mention, or as the id in it."""


def fits(option: Option, word: str) -> bool:
    """Whether a word can be this option's value."""
    if option.kind is OptionKind.LANGUAGE:
        return chosen(word) is not None
    shape = SHAPES.get(option.kind)
    return shape is None or shape.fullmatch(word.casefold()) is not None


def value_of(option: Option, word: str) -> str:
    """The value that a fitting word stands for."""
    if option.kind in OPEN:
        return word
    shape = SHAPES.get(option.kind)
    if option.kind in MENTIONS and shape and (mention := shape.fullmatch(word.casefold())):
        return mention[1].upper()
    if option.kind is OptionKind.MEMBER and shape and (mention := shape.fullmatch(word)):
        return mention[1] or mention[2]
    if option.kind is OptionKind.LANGUAGE:
        return chosen(word) or word
    return word.casefold().removeprefix("$")
