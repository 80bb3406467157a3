"""The dashboard over a store, and an operator who is in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from aiohttp import ClientSession

from engine.audit import Actor
from engine.config import load_settings
from engine.drafts import Drafts
from engine.entry import Entered, Entrance
from engine.facts import CustomerId, Mode
from engine.members import Members
from engine.panels import Panels
from engine.reports import Reports
from engine.settings import Settings
from engine.steering import Steering
from providers.prices import ListPrices
from storage.store import Store
from tests.engine.conftest import ALICE, CATALOGUE
from tests.fakes.clock import FakeClock
from webhooks.server import serve
from webhooks.site import Admin, Site

HERE = "http://127.0.0.1:8080"
PAGE = {"Accept": "text/html"}
OURS = {"Sec-Fetch-Site": "same-origin"}
MODE = Mode.SIMULATED
SHIPPED = Path(__file__).parents[3] / "config.toml"


def settings_of(path: Path = SHIPPED) -> Settings:
    """The settings of a config.toml."""
    return load_settings({"CONFIG": str(path)})


def desk(entrance: Entrance, store: Store, clock: FakeClock, drafts: Drafts | None = None) -> Admin:
    """What the dashboard is made of."""
    members, reports = Members(store, clock, CATALOGUE, MODE), Reports(store, clock, CATALOGUE, MODE)
    steering, panels = Steering(store, clock, members, reports), Panels(store, clock, CATALOGUE, MODE)
    return Admin(entrance, store, clock, MODE, steering.retry, panels, drafts or drafting(store, clock))


def drafting(
    store: Store, clock: FakeClock, config: Path = SHIPPED, read: Callable[[Path], Settings] = settings_of
) -> Drafts:
    """What compares drafts with the config.toml that is shipped."""
    return Drafts(store, clock, MODE, ListPrices(), settings_of, read, lambda: config)


@dataclass(frozen=True, slots=True)
class Seat:
    """An operator who has entered: where the dashboard is, and what their browser holds."""

    address: str
    entrance: Entrance
    token: str
    client: ClientSession

    async def read(self, path: str, status: int = 200) -> str:
        """A page or a file."""
        async with self.client.get(path, headers=PAGE) as answer:
            text = await answer.text()
            assert answer.status == status, text
            return text


async def give_up(store: Store, clock: FakeClock, customer: str, error: str = "No such customer") -> None:
    """A customer whom Stripe does not let us read."""
    now, name = clock.now(), CustomerId(customer)
    until = now + timedelta(minutes=1)
    await store.transact(lambda tx: tx.mark_dirty(MODE, name, now))
    (dirty,) = await store.transact(lambda tx: tx.claim_dirty(MODE, now, until, "test", 1, name))
    await store.transact(lambda tx: tx.give_up_sync(dirty, error))


@asynccontextmanager
async def seated(store: Store, clock: FakeClock, drafts: Drafts | None = None) -> AsyncIterator[Seat]:
    """Alice in the dashboard of a fresh server."""
    entrance = Entrance(store, clock, (ALICE,), HERE)
    site = Site(HERE, admin=desk(entrance, store, clock, drafts))
    async with serve(site, "127.0.0.1", 0) as port:
        address = f"http://127.0.0.1:{port}"
        link = str(await entrance.link(Actor.in_chat(ALICE)))
        entered = await entrance.enter(link.partition("link=")[2])
        assert isinstance(entered, Entered)
        async with ClientSession(address, cookies={"admin": entered.token}) as client:
            yield Seat(address, entrance, entered.token, client)
