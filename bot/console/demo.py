"""The command that fills an empty database with a month of made-up life."""

from __future__ import annotations

import logging
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from bot.admin.office import Office
from bot.front import Front
from engine.demo.clock import PlayedClock
from engine.demo.life import Life, Plot, Tally
from engine.demo.operator import Tools
from engine.demo.stage import Stage, StagedBilling
from engine.dispatch import Dispatch
from engine.duties import Duties
from engine.ports import Clock, Store
from engine.settings import DatabaseSettings, Settings
from engine.subscriptions import Subscriptions

REAL = (
    "Payments are real here: STRIPE_SECRET_KEY is set. Run `demo-data` without it; "
    "made-up members must never meet Stripe."
)
FULL = "{url} has accounts in it. Demo data goes into an empty database: name another with --database."


def settings_of_demo(arguments: Namespace, settings: Settings) -> Settings:
    """The configuration with every real model on sale and the demo's own database; no vendor is asked."""
    shelf = tuple(spec for spec in settings.shelf if spec.provider != "demo") or settings.shelf
    database = DatabaseSettings(arguments.database, settings.database.prepared_statements, forced=False)
    return replace(settings, database=database, models=shelf, discord=None, slack=None, admins=())


class MoneyParts(Protocol):
    """What keeps facts about money true."""

    @property
    def subscriptions(self) -> Subscriptions:
        """What Stripe says."""
        ...

    @property
    def duties(self) -> Duties:
        """What is owed to it."""
        ...

    @property
    def dispatch(self) -> Dispatch:
        """Metered use on its way to it."""
        ...


class TillParts(Protocol):
    """Where money is taken, in play."""

    def staged(self) -> StagedBilling:
        """The simulation for a story that is told with it."""
        ...


class HouseParts(Protocol):
    """Everything put together, and nothing running."""

    @property
    def store(self) -> Store:
        """The database."""
        ...

    @property
    def front(self) -> Front:
        """What members meet."""
        ...

    @property
    def money(self) -> MoneyParts:
        """What keeps facts about money true."""
        ...

    @property
    def office(self) -> Office:
        """Where operators sit."""
        ...

    @property
    def till(self) -> TillParts:
        """Where it is taken."""
        ...


Opened = Callable[[Settings, Clock], AbstractAsyncContextManager[HouseParts]]
"""Puts everything together over a clock."""


async def demo_data(arguments: Namespace, settings: Settings, now: datetime, opened: Opened) -> int:
    """Fill an empty database with a story that ends now; 2 where that must not be."""
    if settings.stripe:
        print(REAL, file=sys.stderr)
        return 2
    plot = Plot(arguments.days, arguments.members, arguments.seed, now)
    clock = PlayedClock(plot.first)
    async with opened(settings_of_demo(arguments, settings), clock) as house:
        if await house.store.read(lambda tx: tx.count_accounts()):
            print(FULL.format(url=arguments.database), file=sys.stderr)
            return 2
        with silenced(logging.getLogger()):
            tally = await Life(stage_of(house, clock), plot, shown(sys.stdout.isatty())).run()
    print("\n".join(ended(arguments, plot, tally)))
    return 0


@contextmanager
def silenced(log: logging.Logger) -> Iterator[None]:
    """What fails in the story is no news; what fails after it is."""
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)


def stage_of(house: HouseParts, clock: PlayedClock) -> Stage:
    """What the story is told with."""
    front, money, office = house.front, house.money, house.office
    affairs = front.affairs
    return Stage(
        store=house.store,
        clock=clock,
        chat=front.chat,
        checkout=affairs.checkout,
        changes=affairs.changes,
        meter=affairs.meter,
        teams=front.members.teams,
        subscriptions=money.subscriptions,
        duties=money.duties,
        dispatch=money.dispatch,
        world=house.till.staged(),
        tools=Tools(affairs.giving, affairs.gifts, office.halting, office.announcing, office.steering),
        deliveries=office.deliveries,
    )


def shown(terminal: bool) -> Callable[[int, int, int], None]:  # noqa: FBT001 - asked of the terminal in one place
    """Tells how far the story is: on one line of a terminal, elsewhere now and then."""

    def tell(day: int, days: int, turns: int) -> None:
        told = f"day {day + 1} of {days}, {turns:,} turns"
        if terminal:
            print(f"\r{told}", end="\n" if day + 1 == days else "", flush=True)
        elif day % 10 == 0:
            print(told, flush=True)

    return tell


def ended(arguments: Namespace, plot: Plot, tally: Tally) -> list[str]:
    """What is there now, and how to look at it."""
    bought = f"{tally.opened:,} checkouts opened, {len(tally.bought):,} members who bought"
    return [
        f"{plot.days} days of {plot.members} made-up members are in {arguments.database}:",
        f"  {tally.turns:,} turns, {tally.refused:,} refusals, {bought}.",
        "Look at it:",
        f"  export DATABASE_URL={arguments.database} ADMIN_IDS=local:alice",
        "  make run",
        "  .venv/bin/python main.py dashboard",
        "No vendor, Stripe or chat platform was asked anything, and nobody in it is real.",
    ]
