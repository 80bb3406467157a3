"""Serving: the doors that are open, and all that runs behind them until it is stopped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import AsyncExitStack

from billing.simulated_clock import SimulatedClock
from bot import words
from bot.console.listening import on_signals, open_many
from bot.console.parts import switches
from bot.console.words import announcement, part_lines
from bot.surfaces import Surfaces, open_surfaces
from engine.settings import Settings
from engine.shelves import TiersNow
from gate.house import House, drafts_of, open_house
from storage.vault import vault_of
from webhooks.server import serve, serve_signals
from webhooks.site import Admin, Part, Site, StripeInbox

GRACE_SECONDS = 10.0
NEAR = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}  # noqa: S104 - looked up, not bound
"""How this machine reaches a server that listens there."""
log = logging.getLogger(__name__)


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
