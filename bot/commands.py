"""The commands as one table for every surface, and how typed text becomes their options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.words import CHOICES, say


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
    PERSON = "person"
    """Somebody, as a mention or `discord:ID` and its like, also of another platform."""
    UNTIL = "until"
    """A moment, or how long from now: `2h`, `2026-12-24`."""
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
    only for those who manage the server or workspace. `operator`: only for the people of ADMIN_IDS.
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
    operator: bool = False

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

PERSON = Option("person", "option-admin-person", OptionKind.PERSON, required=True)
FIND = Option("text", "option-admin-find", OptionKind.TEXT, required=True)
DAYS = Option("days", "option-admin-days", OptionKind.COUNT)
WHAT = Option("what", "option-admin-what", OptionKind.MODEL, required=True)
UNTIL = Option("until", "option-admin-until", OptionKind.UNTIL)
ANNOUNCED = Option("text", "option-admin-announced", OptionKind.TEXT)
LETTER = Option("letter", "option-admin-letter", OptionKind.TEXT)
REASON = Option("reason", "option-admin-reason", OptionKind.TEXT)
GIVEN_TIER = Option("tier", "option-admin-tier", OptionKind.TIER, required=True)
GIVEN_END = Option("until", "option-admin-given-until", OptionKind.UNTIL)
GIVEN_NUMBER = Option("number", "option-admin-number", OptionKind.COUNT)
NOTE = Option("note", "option-admin-note", OptionKind.TEXT)
GIVING = (
    Command(
        "admin grant",
        "command-admin-grant",
        (PERSON, GIVEN_TIER, replace(GIVEN_END, required=True), NOTE),
        operator=True,
    ),
    Command("admin revoke", "command-admin-revoke", (PERSON, GIVEN_NUMBER), operator=True),
    Command(
        "admin gift",
        "command-admin-gift",
        (
            GIVEN_TIER,
            Option("days", "option-admin-gift-days", OptionKind.COUNT, required=True),
            Option("count", "option-admin-gift-count", OptionKind.COUNT),
        ),
        operator=True,
    ),
    Command("admin gifts", "command-admin-gifts", operator=True),
    Command(
        "admin void",
        "command-admin-void",
        (Option("code", "option-admin-gift-code", OptionKind.TEXT, required=True),),
        operator=True,
    ),
    Command(
        "admin credit",
        "command-admin-credit",
        (
            PERSON,
            Option("count", "option-admin-credits", OptionKind.COUNT, required=True),
            GIVEN_END,
            NOTE,
        ),
        operator=True,
    ),
    Command("admin uncredit", "command-admin-uncredit", (PERSON, GIVEN_NUMBER), operator=True),
)
"""What operators give without any payment, and take back."""

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
    Command(
        "announcements",
        "command-announcements",
        (Option("switch", "option-announcements-switch", OptionKind.SWITCH),),
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
        "redeem",
        "command-redeem",
        (Option("code", "option-redeem-code", OptionKind.TEXT, required=True),),
    ),
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
    Command(
        "admin",
        "command-admin",
        parts=(
            Command("admin stats", "command-admin-stats", (DAYS,), operator=True),
            Command("admin why", "command-admin-why", (PERSON,), operator=True),
            Command("admin find", "command-admin-find", (FIND,), operator=True),
            Command("admin reload", "command-admin-reload", operator=True),
            Command("admin retry", "command-admin-retry", (LETTER,), operator=True),
            Command("admin dashboard", "command-admin-dashboard", operator=True),
            Command("admin signout", "command-admin-signout", operator=True),
            Command("admin block", "command-admin-block", (PERSON, REASON), operator=True),
            Command("admin unblock", "command-admin-unblock", (PERSON,), operator=True),
            Command("admin pause", "command-admin-pause", (WHAT, UNTIL, REASON), operator=True),
            Command("admin announce", "command-admin-announce", (ANNOUNCED,), operator=True),
            Command("admin resume", "command-admin-resume", (replace(WHAT, required=False),), operator=True),
            *GIVING,
            Command("admin help", "command-admin-help", operator=True),
        ),
        operator=True,
    ),
    Command("export", "command-export"),
    Command("erase", "command-erase"),
    Command("help", "command-help"),
)
BY_NAME: Mapping[str, Command] = {command.name: command for command in COMMANDS}


def names_others(command: Command) -> bool:
    """Whether a channel or somebody can be an option of a command or one of its parts."""
    options = (option for each in (command, *command.parts) for option in each.options)
    return any(option.kind in {OptionKind.CHANNEL, OptionKind.MEMBER} for option in options)
