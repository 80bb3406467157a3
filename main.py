"""The gate: the command line, and the only place where the rooms are put together."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from billing.checkup import check_money
from billing.money import Money, open_money
from billing.simulated_clock import SimulatedClock
from billing.till import Till, open_till
from bot import words
from bot.admin.office import Office, open_office
from bot.admin.rereading import rereading
from bot.affairs import open_affairs
from bot.console import care, demo, orders, wizard
from bot.console.arguments import command_line
from bot.console.checkup import check_chat, check_clock, check_configuration, check_mailbox, check_pauses
from bot.console.diagnosis import diagnose
from bot.console.dotenv import keep_secrets
from bot.console.household import Household
from bot.console.listening import on_signals, open_many
from bot.console.logs import set_up_logging
from bot.console.parts import switches
from bot.console.words import announcement, causes, in_words, part_lines
from bot.front import Front
from bot.surfaces import Surfaces, open_front, open_surfaces
from engine.chat import Chat
from engine.config import ConfigurationError, config_file, load_settings, problems_with
from engine.drafts import Drafts
from engine.errors import OutsideError
from engine.jobs import Bell, Jobs, Notices
from engine.opening import SystemClock, desk_of, open_chat
from engine.ports import Clock
from engine.pricing import price_at
from engine.reloading import Reloading
from engine.settings import Settings
from engine.shelves import Shelves, TiersNow
from engine.summarising import Summarising
from providers.checkup import check_vendors
from providers.moderation import OpenAIModerator
from providers.prices import ListPrices
from providers.reading import FileReader
from providers.registry import Models, build_models
from storage.backup import Backups
from storage.checkup import opened
from storage.store import Store, migrate, open_store
from storage.vault import vault_of
from webhooks.checkup import check_address
from webhooks.observatory import Observatory, open_observatory
from webhooks.server import serve, serve_signals
from webhooks.site import Admin, Part, Site, StripeInbox

GRACE_SECONDS = 10.0
DOTENV = Path(".env")
NEAR = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}  # noqa: S104 - looked up, not bound
"""How this machine reaches a server that listens there."""
log = logging.getLogger("main")


@dataclass(frozen=True, slots=True)
class House:
    """The rooms of one process, put together, before anybody is let in."""

    clock: Clock
    store: Store
    till: Till
    models: Models
    chat: Chat
    money: Money
    notices: Notices
    jobs: Jobs
    front: Front
    bell: Bell
    wares: Shelves
    reloading: Reloading
    office: Office
    watch: Observatory

    @property
    def settings(self) -> Settings:
        """Those in force."""
        return self.reloading.settings

    def moved(self) -> None:
        """The simulated clock was moved: look at everything now."""
        if self.till.simulated:
            self.till.simulated.wake()
        self.bell.ring()


@asynccontextmanager
async def open_house(settings: Settings, time: Clock | None = None) -> AsyncIterator[House]:
    """Open the database and put everything together; closes what it opened. `time`: not the real one."""
    clock = SystemClock() if settings.stripe else SimulatedClock(time or SystemClock())
    async with AsyncExitStack() as stack:
        database = settings.database
        store = await open_store(database.url, clock, prepared_statements=database.prepared_statements)
        stack.push_async_callback(store.close)
        if isinstance(clock, SimulatedClock):
            await clock.refresh(store)
        wares = Shelves(settings.tiers, settings.models, ListPrices(), clock)
        till = open_till(settings, store, clock, TiersNow(wares))
        stack.push_async_callback(till.billing.aclose)
        models = build_models(settings.providers)
        stack.push_async_callback(models.close)
        yield furnish(settings, clock, store, wares, till, models)


def furnish(
    settings: Settings, clock: Clock, store: Store, wares: Shelves, till: Till, models: Models
) -> House:
    """The house over what is open to the outside."""
    mode, bell = till.billing.mode, Bell()
    notices, reloading = Notices(store, clock, mode), Reloading(store, clock, settings, configured)
    money = open_money(settings.billing, store, clock, till, bell.ring)
    moderator = OpenAIModerator(models, settings.screening.model)
    vault = vault_of(settings.prompt_secrets)
    chat = open_chat(settings, store, clock, mode, models, wares, vault, moderator)
    watch = open_observatory(settings.metrics, store, clock)
    store.meter = chat.signals.meter = watch.meter
    flush = money.dispatch.flush
    affairs = open_affairs(settings, store, clock, till.billing, wares, money.subscriptions, flush)
    reader, simulated = FileReader(settings.attachments), till.simulated is not None
    front = open_front(settings, store, clock, wares, chat, affairs, reader, simulated=simulated)
    office = open_office(settings, store, clock, front, mode)
    office.operators.orders.update(rereading(reloading))
    office.queues.append(Summarising(store, clock, models, lambda: chat.desk).work)
    jobs = open_jobs(store, clock, chat, money, notices, bell, office)
    house = House(
        clock, store, till, models, chat, money, notices, jobs, front, bell, wares, reloading, office, watch
    )
    reloading.refits.append(lambda fresh: refit(house, fresh))
    reloading.afterwards.append(models.warm)
    return house


def open_jobs(
    store: Store, clock: Clock, chat: Chat, money: Money, notices: Notices, bell: Bell, office: Office
) -> Jobs:
    """All work that falls due."""
    queues = (money.duties.work, money.dispatch.work, *office.queues)
    rounds = (money.dispatch.seal, *money.reconcile.rounds, chat.keeping.sweep, *office.rounds)
    jobs = Jobs(store, clock, chat, money.subscriptions, notices, bell, queues=queues, rounds=rounds)
    jobs.everywhere += office.everywhere
    return jobs


def refit(house: House, settings: Settings) -> None:
    """Decide about the next question by other settings, as far as these may change; see `LASTING`."""
    house.models.restock(settings.providers)
    house.wares.restock(settings.tiers, settings.models)
    chat, front = house.chat, house.front
    chat.refit(desk_of(settings, house.wares, house.till.billing.mode, chat.desk.owner))
    chat.moderating.refit(settings.screening, OpenAIModerator(house.models, settings.screening.model))
    front.intake.refit(FileReader(settings.attachments), settings.attachments)
    front.welcomes = settings.welcome
    house.office.refit(settings)


def open_doors(house: House, roles: frozenset[str]) -> Surfaces:
    """The chat platforms that are on, by which people can also be told and shown things unasked."""
    surfaces = open_surfaces(
        house.settings, house.front, house.store, house.clock, roles, vault_of(house.settings.slack_secrets)
    )
    house.notices.messengers.update(surfaces.speakers)
    house.office.alarms.heralds.update(surfaces.speakers)
    house.office.announcing.criers.update(surfaces.speakers)
    house.jobs.mending.menders.update(surfaces.speakers)
    house.watch.gateways.update(surfaces.gateways)
    return surfaces


def site_of(house: House, surfaces: Surfaces, parts: tuple[Part, ...]) -> Site:
    """What the web server serves."""
    key, office, mode = house.settings.playground.key, house.office, house.till.billing.mode
    return Site(
        app_url=house.settings.server.app_url,
        parts=parts,
        pauses=house.office.halting.pauses,
        stripe=StripeInbox(
            house.till.billing.parse_webhook_event,
            house.money.subscriptions.receive,
            house.office.deliveries.untaken,
        ),
        slack=surfaces.slack.endpoint if surfaces.slack else None,
        slack_install=surfaces.slack_install,
        knocked=office.knocks.heard,
        checkout_status=house.money.subscriptions.purchase,
        simulated=house.till.simulated,
        simulation=house.till.simulation,
        tiers=TiersNow(house.wares),
        playground=surfaces.local,
        playground_key=key.get_secret_value() if key else None,
        observatory=house.watch,
        admin=Admin(
            office.entrance,
            house.store,
            house.clock,
            mode,
            office.steering.retry,
            office.panels,
            drafts_of(house),
        ),
    )


def parts_of(settings: Settings) -> tuple[Part, ...]:
    """What is on, what is off, and how to switch it on."""
    return tuple(Part(*each) for each in switches(settings))


async def run(settings: Settings, roles: frozenset[str]) -> int:
    """Serve until SIGTERM or Ctrl-C, then end in good order."""
    open_many()
    stop, anew = asyncio.Event(), asyncio.Event()
    on_signals({"SIGTERM": stop.set, "SIGINT": stop.set, "SIGHUP": anew.set})
    async with open_house(settings) as house, AsyncExitStack() as stack:
        surfaces, parts = open_doors(house, roles), parts_of(settings)
        host, port = settings.server.host, settings.server.port
        if "web" in roles:
            site = site_of(house, surfaces, parts)
            port = await stack.enter_async_context(serve(site, host, port))
        await stack.enter_async_context(serve_signals(house.watch, host))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in duties(house, surfaces, roles, port)]
            others = (house.models.warm(), words.warm(), house.reloading.run(anew))
            tasks += (group.create_task(each) for each in others)
            print(announcement(settings, port, part_lines(parts)), flush=True)
            await stop.wait()
            log.info("stopping")
            await house.chat.close(GRACE_SECONDS)
            for task in tasks:
                task.cancel()
    return 0


def duties(
    house: House, surfaces: Surfaces, roles: frozenset[str], port: int
) -> list[Coroutine[object, object, None]]:
    """Everything that runs until it is cancelled."""
    adapters = (surfaces.discord, surfaces.slack, surfaces.local)
    running = [house.jobs.run(worker="worker" in roles), *(each.run() for each in adapters if each)]
    running += house.watch.duties()
    if isinstance(house.clock, SimulatedClock):
        running.append(house.clock.follow(house.store, house.moved))
    if house.till.simulated and "web" in roles:
        host = house.settings.server.host
        running.append(house.till.simulated.run(f"http://{NEAR.get(host, host)}:{port}/stripe/webhook"))
    return running


async def doctor(settings: Settings, *, as_json: bool) -> int:
    """Check everything that can be checked and say what to mend; 1 if something has to be."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        store, database = await opened(settings.database, clock, stack)
        wares = Shelves(settings.tiers, settings.models, ListPrices(), clock)
        till, models = open_till(settings, store, clock, TiersNow(wares)), build_models(settings.providers)
        stack.push_async_callback(till.billing.aclose)
        stack.push_async_callback(models.close)
        checks = (
            check_configuration(settings),
            database,
            check_clock(settings, clock),
            check_pauses(store, clock),
            check_vendors(models, settings.shelf, settings.vendor_keys),
            check_chat(settings, store, vault_of(settings.slack_secrets)),
            check_money(settings, till),
            check_mailbox(settings),
            check_address(settings.server),
        )
        return await diagnose(checks, as_json=as_json)


async def apply_migrations(settings: Settings) -> int:
    """Bring the database to today's schema."""
    applied = await migrate(settings.database.url, SystemClock())
    print("\n".join(f"applied {name}" for name in applied) or "The database is up to date.")
    return 0


async def stripe_setup(settings: Settings, *, dry_run: bool = False, save: bool = False) -> int:
    """Make or update in Stripe all that config.toml sells."""
    if settings.stripe is None:
        print("Set STRIPE_SECRET_KEY first; docs/billing.md tells where to find it.", file=sys.stderr)
        return 2
    from billing.catalogue_setup import set_up  # noqa: PLC0415 - the SDK is for those who use it

    keep = keep_secrets if save else None
    return await set_up(settings, SystemClock(), dry_run=dry_run, say=print, keep=keep)


async def models(arguments: argparse.Namespace, settings: Settings) -> int:
    """List the models, or ask them; no database is opened."""
    vendors = build_models(settings.providers)
    try:
        return await orders.models(arguments, settings, vendors, ListPrices(), SystemClock().now())
    finally:
        await vendors.close()


async def in_house(settings: Settings, work: Callable[[House], Awaitable[int]]) -> int:
    """Do a piece of work with everything put together, and nothing running."""
    async with open_house(settings) as house:
        return await work(house)


def household(house: House) -> Household:
    """What the commands of the console work with."""
    return Household(
        settings=house.settings,
        store=house.store,
        clock=house.clock,
        members=house.front.members,
        subscriptions=house.money.subscriptions,
        reconcile=house.money.reconcile,
        duties=house.money.duties,
        chat=house.chat,
        office=house.office,
        simulation=house.till.simulation,
        drafts=drafts_of(house),
    )


def drafts_of(house: House) -> Drafts:
    """What compares drafts of the configuration with the one in force."""
    mode, read = house.till.billing.mode, partial(configured, setting_up=True)
    where = partial(config_file, os.environ, DOTENV)
    return Drafts(house.store, house.clock, mode, ListPrices(), lambda: house.settings, read, where)


def execute(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run one command; its exit status."""
    alone: dict[str, Callable[[], Coroutine[object, object, int]]] = {
        "doctor": lambda: doctor(settings, as_json=arguments.json),
        "backup": lambda: care.backup(arguments, backups(settings)),
        "restore": lambda: care.restore(arguments, backups(settings)),
        "migrate": lambda: apply_migrations(settings),
        "run": lambda: run(settings, arguments.only),
        "models": lambda: models(arguments, settings),
        "stripe-setup": lambda: stripe_setup(settings, dry_run=arguments.dry_run, save=arguments.save),
        "demo-data": lambda: demo.demo_data(arguments, settings, SystemClock().now(), open_house),
    }
    if arguments.command == "slack-manifest":
        return orders.slack_manifest(settings)
    if within := orders.WITHIN.get(arguments.command):
        return asyncio.run(in_house(settings, lambda house: within(arguments, household(house))))
    return asyncio.run(alone[arguments.command]())


def backups(settings: Settings) -> Backups:
    """Copies of the database, which is left at the schema that it has."""
    database = settings.database
    return Backups(database.url, SystemClock(), prepared_statements=database.prepared_statements)


def configured(config: Path | None = None, *, setting_up: bool = False) -> Settings:
    """The settings as they are written down now, with that file or the one that CONFIG names."""
    book, now = ListPrices(), SystemClock().now()
    return load_settings(
        {**os.environ, "CONFIG": str(config)} if config else os.environ,
        DOTENV,
        setting_up=setting_up,
        price_now=lambda spec: price_at(spec, book, now),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line and the configuration, and do what was asked."""
    gc.freeze()  # what was imported stays: no collection has to go through it, the last one least of all
    arguments = command_line().parse_args(argv)
    if arguments.command == "init":
        return wizard.run(problems_with, os.environ, DOTENV, Path(".env.example")) or main(["doctor"])
    try:
        settings = configured(setting_up=arguments.command in {"stripe-setup", "doctor"})
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


if __name__ == "__main__":
    sys.exit(main())
