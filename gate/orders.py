"""What can be asked on the command line, each with as much put together as it needs."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack

from billing.checkup import check_money
from billing.till import open_till
from bot.console import care, demo, orders
from bot.console.checkup import check_chat, check_clock, check_configuration, check_mailbox, check_pauses
from bot.console.diagnosis import diagnose
from bot.console.dotenv import keep_secrets
from bot.console.household import Household
from engine.opening import SystemClock
from engine.settings import Settings
from engine.shelves import Shelves, TiersNow
from gate.house import House, drafts_of, open_house
from gate.running import run
from providers.checkup import check_vendors
from providers.prices import ListPrices
from providers.registry import build_models
from storage.backup import Backups
from storage.checkup import opened
from storage.store import migrate
from storage.vault import vault_of
from webhooks.checkup import check_address


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


def backups(settings: Settings) -> Backups:
    """Copies of the database, which is left at the schema that it has."""
    database = settings.database
    return Backups(database.url, SystemClock(), prepared_statements=database.prepared_statements)
