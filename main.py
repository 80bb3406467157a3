"""The gate: the command line, and the only place where the rooms are put together."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from bot.front import Front
from bot.local.surface import LocalBot
from engine import pricing
from engine.admission import Desk
from engine.catalogue import Catalogue
from engine.chat import Chat
from engine.checkout import Checkout, Links
from engine.config import ConfigurationError, Settings, load_settings
from engine.domain import Person, Platform
from engine.errors import OutsideError
from engine.jobs import Bell, Jobs, Notices
from engine.members import Members, plain
from engine.signals import Signals
from engine.subscriptions import Subscriptions
from providers.prices import ListPrices
from providers.registry import Models, build_models
from storage.store import Store, migrate, open_store
from webhooks.server import serve
from webhooks.site import Part, Site, StripeInbox

if TYPE_CHECKING:
    from billing.simulated import SimulatedBilling
    from bot.discord.adapter import DiscordBot
    from bot.slack.adapter import SlackBot
    from engine.ports import Billing

GRACE_SECONDS = 10.0
ROLES = ("discord", "slack", "web", "worker")
NEAR = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}  # noqa: S104 - looked up, not bound
"""How this machine reaches a server that listens there."""
log = logging.getLogger("main")


class SystemClock:
    """The wall clock."""

    def now(self) -> datetime:
        """The time as an aware UTC datetime."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class House:
    """The rooms of one process, put together, before anybody is let in."""

    settings: Settings
    clock: SystemClock
    store: Store
    billing: Billing
    simulated: SimulatedBilling | None
    models: Models
    chat: Chat
    subscriptions: Subscriptions
    notices: Notices
    jobs: Jobs
    front: Front


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[House]:
    """Open the database and put everything together; closes what it opened."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        database = settings.database
        store = await open_store(database.url, clock, prepared_statements=database.prepared_statements)
        stack.push_async_callback(store.close)
        billing, simulated = open_billing(settings, store, clock)
        stack.push_async_callback(billing.aclose)
        models = build_models(settings.providers)
        stack.push_async_callback(models.close)
        catalogue = Catalogue(settings.tiers, pricing.fill(settings.models, ListPrices(clock)))
        bell, notices = Bell(), Notices(store, clock)
        desk = Desk(catalogue, billing.mode, settings.system_prompt.strip(), owner=uuid4().hex)
        chat = Chat(store, clock, desk, models, Signals())
        subscriptions = Subscriptions(store, clock, billing, bell.ring)
        links = Links(settings.returns.success, settings.returns.cancel, settings.server.app_url)
        checkout = Checkout(store, clock, billing, catalogue, subscriptions, links)
        members = Members(store, clock, catalogue, billing.mode)
        front = Front(chat, members, checkout, simulated=simulated is not None, for_sale=True)
        jobs = Jobs(store, clock, chat, subscriptions, notices, bell)
        yield House(
            settings, clock, store, billing, simulated, models, chat, subscriptions, notices, jobs, front
        )


def open_billing(
    settings: Settings, store: Store, clock: SystemClock
) -> tuple[Billing, SimulatedBilling | None]:
    """Stripe where it is configured, else its simulation."""
    if settings.stripe:
        from billing.gateway import StripeGateway  # noqa: PLC0415 - the SDK is for those who use it

        return StripeGateway(settings.stripe, settings.tiers, clock), None
    from billing.simulated import SimulatedBilling  # noqa: PLC0415 - as above

    simulated = SimulatedBilling(store, clock, settings.server.app_url)
    return simulated, simulated


@dataclass(slots=True)
class Surfaces:
    """The chat platforms of this process."""

    discord: DiscordBot | None = None
    slack: SlackBot | None = None
    local: LocalBot | None = None


def open_surfaces(house: House, roles: frozenset[str]) -> Surfaces:
    """The adapters that are switched on; each becomes the messenger of its platform."""
    settings, surfaces, messengers = house.settings, Surfaces(), house.notices.messengers
    if settings.discord and "discord" in roles:
        from bot.discord.adapter import DiscordBot  # noqa: PLC0415 - the SDK is for those who use it

        surfaces.discord = DiscordBot(settings.discord, house.front)
        messengers[Platform.DISCORD] = surfaces.discord.messenger
    if settings.slack and "slack" in roles:
        from bot.slack.adapter import SlackBot  # noqa: PLC0415 - as above

        surfaces.slack = SlackBot(settings.slack, house.front, house.clock)
        messengers[Platform.SLACK] = surfaces.slack.messenger
    if settings.playground.on and "web" in roles:
        surfaces.local = LocalBot(house.front, house.store, house.clock)
        messengers[Platform.LOCAL] = surfaces.local
    return surfaces


def site_of(house: House, surfaces: Surfaces, parts: tuple[Part, ...]) -> Site:
    """What the web server serves."""
    key = house.settings.playground.key
    return Site(
        app_url=house.settings.server.app_url,
        parts=parts,
        stripe=StripeInbox(house.billing.parse_webhook_event, house.subscriptions.receive),
        slack=surfaces.slack.endpoint if surfaces.slack else None,
        checkout_status=house.subscriptions.purchase,
        simulated=house.simulated,
        tiers=house.settings.tiers,
        playground=surfaces.local,
        playground_key=key.get_secret_value() if key else None,
    )


def parts_of(settings: Settings) -> tuple[Part, ...]:
    """What is on, what is off, and how to switch it on."""
    names = ", ".join(model.name for model in settings.models)
    real = any(model.provider != "demo" for model in settings.models)
    models = (
        names if real else f"{names} (set OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY for real ones)"
    )
    address = f"{settings.server.app_url}/playground"
    switches = (
        ("Playground", settings.playground.on, address, "set PLAYGROUND=1 to serve it"),
        ("Discord", bool(settings.discord), "", "set DISCORD_TOKEN; docs/discord.md has the steps"),
        ("Slack", bool(settings.slack), "", "set SLACK_BOT_TOKEN and SLACK_APP_TOKEN; see docs/slack.md"),
        ("Models", bool(settings.models), models, "no model has its key; see config.toml"),
        (
            "Stripe",
            bool(settings.stripe),
            "",
            "payments are SIMULATED; docs/stripe.md tells how to take real ones",
        ),
    )
    links = {"Playground": "/playground"}
    return tuple(
        Part(name, on, yes if on else no, links.get(name) if on else None) for name, on, yes, no in switches
    )


def announce(settings: Settings, port: int, parts: tuple[Part, ...]) -> None:
    """Say in a few lines what runs here."""
    address = settings.server.app_url
    bound = "" if address.endswith(f":{port}") else f" (port {port})"
    lines = [f"multi-llm-chat is ready at {address}{bound}"]
    lines += [f"  {part.name:<11}{'on ' if part.on else 'off'}  {part.note}".rstrip() for part in parts]
    lines += [f"  note: {remark}" for remark in settings.remarks]
    print("\n".join(lines), flush=True)


async def run(settings: Settings, roles: frozenset[str]) -> None:
    """Serve until SIGTERM or Ctrl-C, then end in good order."""
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    async with open_house(settings) as house, AsyncExitStack() as stack:
        surfaces, parts = open_surfaces(house, roles), parts_of(settings)
        port = settings.server.port
        if "web" in roles:
            site = site_of(house, surfaces, parts)
            port = await stack.enter_async_context(serve(site, settings.server.host, port))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in duties(house, surfaces, roles, port)]
            tasks.append(group.create_task(house.models.warm()))
            announce(settings, port, parts)
            await stop.wait()
            log.info("stopping")
            await house.chat.close(GRACE_SECONDS)
            for task in tasks:
                task.cancel()


def duties(
    house: House, surfaces: Surfaces, roles: frozenset[str], port: int
) -> list[Coroutine[object, object, None]]:
    """Everything that runs until it is cancelled."""
    adapters = (surfaces.discord, surfaces.slack, surfaces.local)
    running = [house.jobs.run(worker="worker" in roles), *(each.run() for each in adapters if each)]
    if house.simulated and "web" in roles:
        host = house.settings.server.host
        running.append(house.simulated.run(f"http://{NEAR.get(host, host)}:{port}/stripe/webhook"))
    return running


async def doctor(settings: Settings) -> int:
    """Bring the database up to date and check what can be checked; 1 if something has to be mended."""
    async with open_house(settings) as house:
        problems = [str(problem) for problem in await house.billing.verify_stripe_config()]
    notes, wrong = about_discord(settings)
    problems += wrong
    lines = [
        f"{'on ' if part.on else 'off'}   {part.name:<11}{part.note}".rstrip() for part in parts_of(settings)
    ]
    lines += [f"mend  {problem}" for problem in problems]
    lines += [f"note  {remark}" for remark in (*notes, *settings.remarks)]
    print(
        "\n".join((*lines, f"{len(problems)} to mend." if problems else "All that was checked is in order."))
    )
    return 1 if problems else 0


def about_discord(settings: Settings) -> tuple[list[str], list[str]]:
    """The invite link and the intents; and what is wrong with the token."""
    if settings.discord is None:
        return [], []
    from bot.discord import invite  # noqa: PLC0415 - the SDK is for those who use it

    application = invite.application_of(settings.discord.token.get_secret_value())
    if application is None:
        return [], ["DISCORD_TOKEN: is no bot token. Copy it from the Bot page of your application."]
    intents = f"Discord intents: {', '.join(invite.needed_intents)}; none is privileged"
    return [f"Discord invite link: {invite.invite_link(application)}", intents], []


async def why(settings: Settings, person: Person, *, as_json: bool) -> int:
    """Tell a person's tier, its reason, and what is used and left."""
    async with open_house(settings) as house:
        facts = plain(await house.front.members.overview(person))
    if as_json:
        print(json.dumps(facts, indent=2))
        return 0
    for name, value in facts.items():
        print(f"{name:<24}{json.dumps(value) if isinstance(value, dict | list) else value}")
    return 0


async def apply_migrations(settings: Settings) -> int:
    """Bring the database to today's schema."""
    applied = await migrate(settings.database.url, SystemClock())
    print("\n".join(f"applied {name}" for name in applied) or "The database is up to date.")
    return 0


def slack_manifest(settings: Settings) -> int:
    """Print the Slack app manifest, with request addresses if APP_URL is public and HTTP mode is set up."""
    from bot.slack.manifest import manifest_json  # noqa: PLC0415 - the SDK is for those who use it

    over_http = settings.slack and settings.slack.app_token is None
    print(manifest_json(settings.server.app_url if over_http else None))
    return 0


def set_up_logging(log_format: str | None) -> None:
    """Everything that is logged, as lines for people on a terminal and as JSON elsewhere."""
    as_json = log_format == "json" or (log_format is None and not sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    last: structlog.typing.Processor = structlog.dev.ConsoleRenderer()
    if as_json:
        last = structlog.processors.JSONRenderer()
    clean = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[clean, last])
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("httpx", "httpx2", "discord", "slack_bolt", "stripe"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def person(text: str) -> Person:
    """A person on the command line."""
    try:
        return Person.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def roles(text: str) -> frozenset[str]:
    """A list of roles on the command line."""
    named = frozenset(part.strip() for part in text.split(","))
    if named <= set(ROLES):
        return named
    message = f"choose from {', '.join(ROLES)}, divided by commas"
    raise argparse.ArgumentTypeError(message)


def command_line() -> argparse.ArgumentParser:
    """The commands and what they are for."""
    parser = argparse.ArgumentParser(
        prog="main.py",
        description="Many language models in Discord and Slack, with tiers that Stripe charges for.",
        epilog="Settings come from config.toml and the environment (.env.example lists the variables).",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    running = commands.add_parser("run", help="start the bots and the web server (the default)")
    every = frozenset(ROLES)
    running.add_argument(
        "--only", type=roles, default=every, metavar="ROLES", help=f"some of {','.join(ROLES)}"
    )
    commands.add_parser("doctor", help="check the configuration and say what to mend")
    commands.add_parser("migrate", help="bring the database to this version's schema")
    commands.add_parser("slack-manifest", help="print the manifest to create the Slack app from")
    asking = commands.add_parser("why", help="tell why a person has their tier, and what is used and left")
    asking.add_argument("person", type=person, help="discord:ID, slack:TEAM/ID or local:NAME")
    asking.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command="run", only=every)
    return parser


def execute(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run one command; its exit status."""
    match arguments.command:
        case "doctor":
            return asyncio.run(doctor(settings))
        case "migrate":
            return asyncio.run(apply_migrations(settings))
        case "slack-manifest":
            return slack_manifest(settings)
        case "why":
            return asyncio.run(why(settings, arguments.person, as_json=arguments.json))
    asyncio.run(run(settings, arguments.only))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line and the configuration, and do what was asked."""
    arguments = command_line().parse_args(argv)
    try:
        settings = load_settings(os.environ, Path(".env"))
    except ConfigurationError as error:
        print("The configuration needs mending:", *error.problems, sep="\n  - ", file=sys.stderr)
        return 2
    set_up_logging(settings.log_format)
    try:
        return execute(arguments, settings)
    except* (OutsideError, OSError) as group:
        for each in causes(group):
            print(f"Stopped: {in_words(each)}", file=sys.stderr)
    return 1


def in_words(error: BaseException) -> str:
    """What stopped the program, on one line."""
    told, hint = (error.strerror, " Check HOST and PORT.") if isinstance(error, OSError) else (None, "")
    return f"{' '.join((told or str(error)).split()).rstrip('.?')}.{hint}"


def causes(error: BaseException) -> list[BaseException]:
    """The errors in a group, however deep."""
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return [each for one in inner for each in causes(one)] or [error]


if __name__ == "__main__":
    sys.exit(main())
