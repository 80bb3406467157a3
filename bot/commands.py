"""The commands as one table for every surface, and how typed text becomes their options."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.words import CHOICES, chosen, say
from engine.domain import Interval, TierName


class OptionKind(StrEnum):
    """What an option holds, so that surfaces can offer choices."""

    TEXT = "text"
    MODEL = "model"
    TIER = "tier"
    INTERVAL = "interval"
    COUNT = "count"
    """A whole number from 1."""
    DOLLARS = "dollars"
    """An amount in USD, cents behind a point."""
    SWITCH = "switch"
    """On or off."""
    ACTION = "action"
    """What to do about a list: add to it, remove from it, or clear it."""
    CEILING = "ceiling"
    """A whole number from 0, or off."""
    CHANNEL = "channel"
    ROLE = "role"
    LANGUAGE = "language"
    """One of `bot.words.CHOICES`."""
    MEMBER = "member"
    """Somebody, as a mention."""
    FILE = "file"
    WHERE = "where"
    """For all conversations, or the one here."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a command; `about` is the key of its description.

    One that is not `typed` is there only where a platform has a field for it.
    """

    name: str
    about: str
    kind: OptionKind
    required: bool = False
    typed: bool = True

    @property
    def description(self) -> str:
        """What it is for, in the language spoken."""
        return say(self.about)


@dataclass(frozen=True, slots=True)
class Command:
    """One command; a private one answers only to its member. `streams` is true of those that ask a model.

    `about` is the key of its description.

    One with `parts` does nothing by itself: each part is a command whose name begins with its own. `admin`:
    only for those who manage the server or workspace.
    """

    name: str
    about: str
    options: tuple[Option, ...] = ()
    private: bool = True
    streams: bool = False
    together: str = ""
    """The label under which its models are typed, with commas between them."""
    parts: tuple[Command, ...] = ()
    admin: bool = False

    @property
    def word(self) -> str:
        """The last word of its name, which is all of it but for parts."""
        return self.name.rpartition(" ")[2]

    @property
    def description(self) -> str:
        """What it does, in the language spoken."""
        return say(self.about)

    @property
    def usage(self) -> str:
        """How it is typed: `/upgrade [tier] [month|year]`, and `/ask [model:NAME] <prompt>` for text."""
        if self.parts:
            return f"/{self.name} [{'|'.join(part.word for part in self.parts)}]"
        typed = [option for option in self.options if option.typed]
        first = [label(option) for option in typed if self.streams and not option.required]
        if self.together:
            first.insert(0, f"[{self.together}:NAME,NAME]")
        words = [hint(option) for option in typed if option.required or not self.streams]
        return " ".join((f"/{self.name}", *first, *words))


CLOSED: Mapping[OptionKind, str] = {
    OptionKind.INTERVAL: "month|year",
    OptionKind.SWITCH: "on|off",
    OptionKind.ACTION: "add|remove|clear",
    OptionKind.CEILING: "number|off",
    OptionKind.LANGUAGE: "|".join(CHOICES),
    OptionKind.WHERE: "always|here",
}


def label(option: Option) -> str:
    """An option of a question as the usage line shows it."""
    return f"[{option.name}:{CLOSED.get(option.kind, 'NAME')}]"


def hint(option: Option) -> str:
    """An option as the usage line shows it."""
    name = CLOSED.get(option.kind, option.name)
    return f"<{name}>" if option.required else f"[{name}]"


PROMPT = Option("prompt", "option-ask-prompt", OptionKind.TEXT, required=True)
PRIVATE = Option("private", "option-ask-private", OptionKind.SWITCH)
FILE = Option("file", "option-ask-file", OptionKind.FILE, typed=False)
COMPARED = ("first", "second", "third", "fourth")
"""The options that name a comparison's models where there is a field for each."""
ACTION = Option("action", "option-server-action", OptionKind.ACTION, required=True)
CHANNEL = Option("channel", "option-server-channel", OptionKind.CHANNEL)
ROLE = Option("role", "option-server-role", OptionKind.ROLE)
MODEL = Option("model", "option-server-model", OptionKind.MODEL)
CODE = Option("code", "option-team-code", OptionKind.TEXT, required=True)
NUMBER = Option("number", "option-team-number", OptionKind.COUNT)
MEMBER = Option("member", "option-team-member", OptionKind.MEMBER)

COMMANDS: tuple[Command, ...] = (
    Command(
        "ask",
        "command-ask",
        (
            PROMPT,
            Option("model", "option-ask-model", OptionKind.MODEL),
            PRIVATE,
            FILE,
            Option("thread", "option-ask-thread", OptionKind.SWITCH, typed=False),
        ),
        private=False,
        streams=True,
    ),
    Command(
        "compare",
        "command-compare",
        (
            PROMPT,
            *(Option(name, "option-compare-model", OptionKind.MODEL, typed=False) for name in COMPARED),
            PRIVATE,
            FILE,
        ),
        private=False,
        streams=True,
        together="models",
    ),
    Command("new", "command-new"),
    Command("stop", "command-stop"),
    Command(
        "model",
        "command-model",
        (
            Option("name", "option-model-name", OptionKind.MODEL),
            Option("where", "option-model-where", OptionKind.WHERE),
        ),
    ),
    Command(
        "instructions",
        "command-instructions",
        (Option("text", "option-instructions-text", OptionKind.TEXT),),
    ),
    Command(
        "private",
        "command-private",
        (Option("switch", "option-private-switch", OptionKind.SWITCH),),
    ),
    Command("usage", "command-usage"),
    Command("plans", "command-plans"),
    Command(
        "upgrade",
        "command-upgrade",
        (
            Option("tier", "option-upgrade-tier", OptionKind.TIER),
            Option("interval", "option-upgrade-interval", OptionKind.INTERVAL),
        ),
    ),
    Command(
        "seats",
        "command-seats",
        (Option("count", "option-seats-count", OptionKind.COUNT, required=True),),
    ),
    Command(
        "team",
        "command-team",
        parts=(
            Command("team show", "command-team-show"),
            Command("team invite", "command-team-invite"),
            Command("team join", "command-team-join", (CODE,)),
            Command("team leave", "command-team-leave"),
            Command("team remove", "command-team-remove", (MEMBER, NUMBER)),
        ),
    ),
    Command("cancel", "command-cancel"),
    Command("resume", "command-resume"),
    Command(
        "overage",
        "command-overage",
        (
            Option("switch", "option-overage-switch", OptionKind.SWITCH),
            Option("cap", "option-overage-cap", OptionKind.DOLLARS),
        ),
    ),
    Command("billing", "command-billing"),
    Command(
        "language",
        "command-language",
        (Option("name", "option-language-name", OptionKind.LANGUAGE),),
    ),
    Command(
        "server",
        "command-server",
        parts=(
            Command("server show", "command-server-show", admin=True),
            Command("server channels", "command-server-channels", (ACTION, CHANNEL), admin=True),
            Command("server roles", "command-server-roles", (ACTION, ROLE), admin=True),
            Command("server models", "command-server-models", (ACTION, MODEL), admin=True),
            Command(
                "server default",
                "command-server-default",
                (Option("model", "option-server-default", OptionKind.MODEL),),
                admin=True,
            ),
            Command(
                "server persona",
                "command-server-persona",
                (Option("text", "option-server-text", OptionKind.TEXT, required=True),),
                admin=True,
            ),
            Command(
                "server pool",
                "command-server-pool",
                (Option("size", "option-server-size", OptionKind.CEILING, required=True),),
                admin=True,
            ),
        ),
        admin=True,
    ),
    Command("export", "command-export"),
    Command("help", "command-help"),
)
BY_NAME: Mapping[str, Command] = {command.name: command for command in COMMANDS}


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


def names_others(command: Command) -> bool:
    """Whether a channel or somebody can be an option of a command or one of its parts."""
    options = (option for each in (command, *command.parts) for option in each.options)
    return any(option.kind in {OptionKind.CHANNEL, OptionKind.MEMBER} for option in options)


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
    OptionKind.CEILING: re.compile("off|[0-9]{1,6}"),
    OptionKind.CHANNEL: re.compile(r"(?:<#)?(?=\w*\d)(\w{6,24})(?:\|[^>]*)?>?"),
    OptionKind.ROLE: re.compile(r"(?:<@&)?(\d{6,24})>?"),
    OptionKind.MEMBER: re.compile(r"<@!?(\w{1,32})(?:\|[^>]*)?>|@([\w.-]{1,64})"),
}
OPEN = frozenset({OptionKind.TEXT, OptionKind.MODEL})
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
    if option.kind is OptionKind.MODEL:
        return word
    shape = SHAPES.get(option.kind)
    if option.kind in MENTIONS and shape and (mention := shape.fullmatch(word.casefold())):
        return mention[1].upper()
    if option.kind is OptionKind.MEMBER and shape and (mention := shape.fullmatch(word)):
        return mention[1] or mention[2]
    if option.kind is OptionKind.LANGUAGE:
        return chosen(word) or word
    return word.casefold().removeprefix("$")
