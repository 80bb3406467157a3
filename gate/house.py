"""The rooms of one process, put together."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from billing.money import Money, open_money
from billing.simulated_clock import SimulatedClock
from billing.till import Till, open_till
from bot.admin.office import Office, open_office
from bot.admin.rereading import rereading
from bot.affairs import open_affairs
from bot.front import Front
from bot.surfaces import open_front
from engine.chat import Chat
from engine.config import config_file
from engine.drafts import Drafts
from engine.jobs import Bell, Jobs, Notices
from engine.opening import SystemClock, desk_of, open_chat
from engine.ports import Clock
from engine.reloading import Reloading
from engine.settings import Settings
from engine.shelves import Shelves, TiersNow
from engine.summarising import Summarising
from gate.configuration import DOTENV, configured
from providers.moderation import OpenAIModerator
from providers.prices import ListPrices
from providers.reading import FileReader
from providers.registry import Models, build_models
from storage.store import Store, open_store
from storage.vault import vault_of
from webhooks.observatory import Observatory, open_observatory


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
        store = await open_store(
            database.url, clock, prepared_statements=database.prepared_statements, forced=database.forced
        )
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
    watch.pulse.ceilings = lambda: chat.desk.ceilings
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


def drafts_of(house: House) -> Drafts:
    """What compares drafts of the configuration with the one in force."""
    mode, read = house.till.billing.mode, partial(configured, setting_up=True)
    where = partial(config_file, os.environ, DOTENV)
    return Drafts(house.store, house.clock, mode, ListPrices(), lambda: house.settings, read, where)
