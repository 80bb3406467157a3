"""The command line: its commands, what they are for and what they take."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from bot.console.examples import teach
from engine.domain import Person, Platform, TierName
from engine.reports import month
from engine.seeking import Sought

ROLES = ("discord", "slack", "web", "worker")
FEWEST = 20
"""Made-up members; with fewer there is not one of everything."""


def person(text: str) -> Person:
    """A person on the command line."""
    try:
        return Person.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def sought(text: str) -> Sought:
    """By what members are looked for, on the command line."""
    try:
        return Sought.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def roles(text: str) -> frozenset[str]:
    """A list of roles on the command line."""
    named = frozenset(part.strip() for part in text.split(","))
    if named <= set(ROLES):
        return named
    message = f"choose from {', '.join(ROLES)}, divided by commas"
    raise argparse.ArgumentTypeError(message)


def duration(text: str) -> timedelta:
    """A span of time on the command line: `90m`, `36h`, `15d`, `2w`."""
    found = re.fullmatch(r"(\d{1,4})([mhdw])", text.strip())
    if found is None:
        message = f"{text!r} is no span of time: write 90m, 36h, 15d or 2w"
        raise argparse.ArgumentTypeError(message)
    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    return timedelta(**{units[found[2]]: int(found[1])})


def days(text: str) -> int:
    """A number of days on the command line."""
    if re.fullmatch(r"\d{1,4}", text) and int(text):
        return int(text)
    message = f"{text!r} is no number of days: write one from 1 to 9999"
    raise argparse.ArgumentTypeError(message)


def moment(text: str) -> datetime:
    """A day or moment on the command line, UTC unless it says otherwise: `2026-10-31T08:00`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is no day: write one like 2026-10-31"
        raise argparse.ArgumentTypeError(message) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def mail_address(text: str) -> str:
    """A mail address on the command line."""
    if re.fullmatch(r"[^\s@<>,;]+@[^\s@<>,;]+", text):
        return text
    message = f"{text!r} is no mail address"
    raise argparse.ArgumentTypeError(message)


def people(text: str) -> int:
    """A number of made-up members on the command line."""
    if re.fullmatch(r"\d{1,5}", text) and int(text) >= FEWEST:
        return int(text)
    message = f"{text!r} is no number of members: write one from {FEWEST} to 99999"
    raise argparse.ArgumentTypeError(message)


def tiers(text: str) -> tuple[TierName, ...]:
    """A list of tiers on the command line."""
    return tuple(map(TierName, some_of(text, TierName)))


def platforms(text: str) -> tuple[Platform, ...]:
    """A list of platforms on the command line."""
    return tuple(map(Platform, some_of(text, Platform)))


def some_of(text: str, known: Iterable[str]) -> list[str]:
    """Names of a list, each once and in its order."""
    named, names = {part.strip() for part in text.split(",")}, [str(each) for each in known]
    if named <= set(names):
        return [name for name in names if name in named]
    message = f"choose from {', '.join(names)}, divided by commas"
    raise argparse.ArgumentTypeError(message)


def calendar_month(text: str) -> tuple[datetime, datetime]:
    """A calendar month on the command line: `2026-10`."""
    try:
        return month(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def command_line() -> argparse.ArgumentParser:
    """The commands and what they are for."""
    parser = argparse.ArgumentParser(
        prog="main.py",
        description="Many language models in Discord and Slack, with tiers that Stripe charges for.",
        epilog="Settings come from config.toml and the environment (.env.example lists the variables).",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    every = frozenset(ROLES)
    running = commands.add_parser("run", help="start the bots and the web server (the default)")
    running.add_argument(
        "--only", type=roles, default=every, metavar="ROLES", help=f"some of {','.join(ROLES)}"
    )
    commands.add_parser("init", help="ask for what a first start needs, write .env, and check it")
    checking = commands.add_parser("doctor", help="check everything, with the mend for what is wrong")
    checking.add_argument("--json", action="store_true", help="print JSON")
    listing = commands.add_parser("models", help="list the models with locks and prices, or ask each")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.add_argument(
        "--check", nargs="?", const="", metavar="NAME", help="ask each model, or one, for one token"
    )
    commands.add_parser("migrate", help="bring the database to this version's schema")
    commands.add_parser("slack-manifest", help="print the manifest to create the Slack app from")
    about_looking(commands)
    about_data(commands)
    about_people(commands)
    about_halting(commands)
    about_giving(commands)
    about_announcing(commands)
    about_money(commands)
    about_simulation(commands)
    about_trying(commands)
    told = {str(each.dest): each.help or "" for each in commands._choices_actions}  # noqa: SLF001 - as below
    teach(commands.choices, told)
    parser.set_defaults(command="run", only=every)
    return parser


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - has no public name
PERSON = "discord:ID, slack:TEAM/ID or local:NAME"


def about_looking(commands: Commands) -> None:
    """Commands about who is there, what is in force, and the dashboard."""
    finding = commands.add_parser("find", help="find members by an id, a Stripe id, tier:NAME or status:NAME")
    finding.add_argument("sought", type=sought, metavar="TEXT", help="a person, an id, cus_..., tier:pro ...")
    finding.add_argument("--json", action="store_true", help="print JSON")
    commands.add_parser("reload", help="have every running process read its configuration anew")
    entering = commands.add_parser("dashboard", help="print a link that opens the dashboard once")
    entering.add_argument("--end-sessions", action="store_true", help="end everybody's sessions instead")


def about_data(commands: Commands) -> None:
    """Commands about the database as a whole."""
    saving = commands.add_parser("backup", help="copy the database while the bot runs, and check the copy")
    saving.add_argument("file", nargs="?", type=Path, metavar="FILE", help="data/backups/chat-TIME.db")
    saving.add_argument("--gzip", action="store_true", help="pack it; so does a FILE that ends in .gz")
    saving.add_argument(
        "--keep", type=days, metavar="N", help="keep the N newest of those named by their time"
    )
    restoring = commands.add_parser("restore", help="put a checked backup in the database's place")
    restoring.add_argument("file", type=Path, metavar="FILE")
    giving = commands.add_parser("export", help="write all that is kept of a person into a file for them")
    giving.add_argument("person", type=person, help=PERSON)
    giving.add_argument("-o", "--output", type=Path, metavar="FILE", help="the file (PERSON.zip)")
    erasing = commands.add_parser("erase", help="erase a person everywhere, and show that it was done")
    erasing.add_argument("person", type=person, help=PERSON)
    erasing.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")
    erasing.add_argument("--yes", action="store_true", help="do not ask")
    erasing.add_argument("--cancel", action="store_true", help="end their subscription first, at once")


def about_people(commands: Commands) -> None:
    """Commands about one person."""
    asking = commands.add_parser("why", help="tell why a person has their tier, and what is used and left")
    asking.add_argument("person", type=person, help=PERSON)
    asking.add_argument("--json", action="store_true", help="print JSON")
    pardon = commands.add_parser("forgive", help="let a person's lost disputes block them no longer")
    pardon.add_argument("person", type=person, help=PERSON)


def about_halting(commands: Commands) -> None:
    """Commands that stop somebody or something."""
    blocking = commands.add_parser("block", help="let a person ask and buy nothing more")
    unblocking = commands.add_parser("unblock", help="let a blocked person ask again")
    for parser in (blocking, unblocking):
        parser.add_argument("person", type=person, help=PERSON)
    listing = commands.add_parser("blocked", help="list who is blocked")
    pausing = commands.add_parser("pause", help="pause all answers, those of the free tier, or a model")
    resuming = commands.add_parser("resume", help="end a pause")
    for parser in (pausing, resuming):
        parser.add_argument("what", help="all, free, or a model of config.toml")
    pausing.add_argument("--until", metavar="WHEN", help="90m, 2h, 2026-12-24 or 2026-12-24T18:00 (UTC)")
    for parser in (blocking, pausing):
        parser.add_argument("--reason", default="", metavar="TEXT", help="a note for operators")
    pauses = commands.add_parser("pauses", help="list what is paused")
    for parser in (listing, pauses):
        parser.add_argument("--json", action="store_true", help="print JSON")


def date(text: str) -> datetime:
    """A date on the command line, as its first moment in UTC."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        message = f"{text!r} is no date: write one like 2027-01-31"
        raise argparse.ArgumentTypeError(message) from None


def about_giving(commands: Commands) -> None:
    """Commands that give without any payment, and take back."""
    granting = commands.add_parser("grant", help="give a person a tier until a date, without any payment")
    granting.add_argument("person", type=person, help=PERSON)
    granting.add_argument("tier", type=TierName, choices=GIVEN, metavar="TIER", help=", ".join(GIVEN))
    spans(granting, required=True)
    crediting = commands.add_parser("credit", help="give a person conversations beyond the daily limit")
    crediting.add_argument("person", type=person, help=PERSON)
    crediting.add_argument("count", type=days, metavar="COUNT", help="how many")
    spans(crediting, required=False)
    for name, told in (
        ("revoke", "end what a person was given"),
        ("uncredit", "take back what is left of a credit"),
    ):
        taking = commands.add_parser(name, help=told)
        taking.add_argument("person", type=person, help=PERSON)
        taking.add_argument("number", type=days, nargs="?", metavar="NUMBER", help="as `why` tells it (all)")
    gifting = commands.add_parser("gift", help="make codes that give a tier for some days, or void one")
    gifting.add_argument(
        "tier", type=TierName, choices=GIVEN, nargs="?", metavar="TIER", help=", ".join(GIVEN)
    )
    gifting.add_argument("--days", type=days, metavar="N", help="for how long each gives the tier")
    gifting.add_argument("--count", type=days, default=1, metavar="K", help="how many codes (1)")
    gifting.add_argument("--expires", type=date, metavar="DATE", help="when codes are good no more")
    gifting.add_argument("--void", metavar="CODE", help="void a code, or one named by `gifts`")
    listing = commands.add_parser("gifts", help="list gift codes and what became of them")
    listing.add_argument("--json", action="store_true", help="print JSON")


GIVEN = tuple(tier for tier in TierName if tier is not TierName.FREE)


def spans(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Until when something is given, and why."""
    end = parser.add_mutually_exclusive_group(required=required)
    end.add_argument("--until", type=date, metavar="DATE", help="a date like 2027-01-31 (0:00 UTC)")
    end.add_argument("--days", type=days, metavar="N", help="for N days from now")
    parser.add_argument("--note", default="", metavar="TEXT", help="why, for whoever asks later")


def about_announcing(commands: Commands) -> None:
    """Commands about what is told to many members."""
    announcing = commands.add_parser("announce", help="tell members something by direct message")
    announcing.add_argument("text", nargs="?", metavar="TEXT", help="what to tell them")
    announcing.add_argument("--file", metavar="FILE", help="read the text from a file")
    announcing.add_argument("--tier", type=tiers, default=(), metavar="TIERS", help="only some: free,premium")
    announcing.add_argument(
        "--platform", type=platforms, default=(), metavar="PLATFORMS", help="only some: discord,slack"
    )
    announcing.add_argument("--active-days", type=days, metavar="N", help="only who came in the last N days")
    announcing.add_argument(
        "--dry-run", action="store_true", help="show it and how many get it, send nothing"
    )
    announcing.add_argument("--yes", action="store_true", help="send it without asking")
    announcing.add_argument("--stop", metavar="ID", help="send an announcement to nobody more")
    listing = commands.add_parser("announcements", help="list announcements and how far they are")
    listing.add_argument("--json", action="store_true", help="print JSON")


def about_money(commands: Commands) -> None:
    """Commands about Stripe and the figures."""
    setting = commands.add_parser("stripe-setup", help="make or update in Stripe all that config.toml sells")
    setting.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
    setting.add_argument("--save", action="store_true", help="write new signing secrets into .env")
    comparing = commands.add_parser("reconcile", help="compare everything with Stripe and mend what differs")
    one = comparing.add_mutually_exclusive_group()
    one.add_argument("--dry-run", action="store_true", help="print the differences and change nothing")
    one.add_argument("--dead", action="store_true", help="list what was given up, and nothing else")
    one.add_argument(
        "--retry-dead", nargs="?", const="all", metavar="ID", help="try again what was given up, or one of it"
    )
    reporting = commands.add_parser("report", help="revenue, what moved it, churn, funnel and tiers")
    span = reporting.add_mutually_exclusive_group()
    span.add_argument("--days", type=days, default=30, metavar="N", help="the last N days (30)")
    span.add_argument("--month", type=calendar_month, metavar="YYYY-MM", help="a calendar month")
    reporting.add_argument("--json", action="store_true", help="print JSON")
    reporting.add_argument("--daily", action="store_true", help="print the daily report of the last day")
    reporting.add_argument("--send", action="store_true", help="send it by mail now")
    reporting.add_argument("--to", type=mail_address, metavar="ADDRESS", help="with --send: to nobody else")
    exporting = commands.add_parser("events", help="limits hit, checkouts, renewals and the like, row by row")
    exporting.add_argument("--since", type=moment, metavar="DAY", help="from this day on, UTC")
    exporting.add_argument("--until", type=moment, metavar="DAY", help="until before this day, UTC (now)")
    form = exporting.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print CSV (the default)")
    form.add_argument("--json", action="store_true", help="print JSON")


def about_simulation(commands: Commands) -> None:
    """Commands that play time and misfortune while payments are simulated."""
    simulating = commands.add_parser("simulate", help="move the simulated clock, fail payments, dispute ...")
    acts = simulating.add_subparsers(dest="act", metavar="WHAT", required=True)
    forward = acts.add_parser("advance", help="move the clock forward: 90m, 36h, 15d, 2w")
    forward.add_argument("by", type=duration)
    for name, told in SIMULATED_ACTS.items():
        act = acts.add_parser(name, help=told)
        act.add_argument("person", type=person, help=PERSON)
        if name == "dispute":
            act.add_argument("stage", choices=("open", "won", "lost", "inquiry"), nargs="?", default="open")


def about_trying(commands: Commands) -> None:
    """Commands for those who want to see before they decide."""
    asking = commands.add_parser("what-if", help="compare a draft of config.toml with what is in force")
    asking.add_argument("--config", required=True, metavar="FILE", help="the draft")
    asking.add_argument("--days", type=days, default=30, metavar="N", help="over the last N days (30)")
    asking.add_argument("--json", action="store_true", help="print JSON")
    telling = commands.add_parser("demo-data", help="fill an empty database with a month of made-up life")
    telling.add_argument("--days", type=days, default=30, metavar="N", help="how many days (30)")
    telling.add_argument("--members", type=people, default=500, metavar="N", help="how many members (500)")
    telling.add_argument("--seed", type=int, default=7, metavar="N", help="another seed, another story (7)")
    telling.add_argument(
        "--database", default=DEMO_DATABASE, metavar="URL", help=f"where to ({DEMO_DATABASE})"
    )


DEMO_DATABASE = "sqlite:///data/demo.db"

SIMULATED_ACTS = {
    "status": "show a person's simulated subscription and card",
    "expire": "end the subscription now",
    "fail-payment": "let the card decline and the period end",
    "recover": "let the card work again and pay what is open",
    "dispute": "dispute the last payment, or say how it ended",
    "refund": "give the last payment back",
    "expire-card": "let the card expire next month",
    "delete-customer": "delete the customer",
}
