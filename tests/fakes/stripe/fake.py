"""The fake Stripe as one thing to start, drive and ask."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.fakes.stripe import destinations, events, portal
from tests.fakes.stripe.api import Api, Seen
from tests.fakes.stripe.control import Control
from tests.fakes.stripe.courier import Courier
from tests.fakes.stripe.driver import Driver
from tests.fakes.stripe.faults import Faults
from tests.fakes.stripe.pages import Pages
from tests.fakes.stripe.server import ApiServer
from tests.fakes.stripe.spec import load_spec
from tests.fakes.stripe.world import Wall, World

SECRET = "whsec_fake"
_DEFAULT_PORTAL = {
    "business_profile": {},
    "features": {"subscription_cancel": {"enabled": True, "mode": "at_period_end"}},
}


class FakeStripe:
    """An async context manager; on a free loopback port unless told otherwise.

    `stocked` makes the catalogue that the product looks up: three tiers, each a month and a year, and with
    `usage_cents` (what a metered unit costs, as a decimal string) the meter and its price. `wall` is the time
    that Stripe lives in; give it the app's clock if that does not show the real time. A world in `livemode`
    takes sk_live_ and rk_live_ keys only, any other all but those.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        stocked: bool = True,
        wall: Wall = time.time,
        livemode: bool = False,
        usage_cents: str | None = None,
    ) -> None:
        spec = load_spec()
        self.world = World(spec.shapes, wall, livemode)
        self.api = Api(self.world, spec)
        self.faults = Faults()
        self.courier = Courier(self.world)
        self.drive = Driver(self.world)
        self.prices = self.drive.stock(usage_cents=usage_cents) if stocked else {}
        portal.add_configuration(self.world, dict(_DEFAULT_PORTAL), default=True)
        self.world.listeners.append(self.courier.hear)
        self._port = port
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes(Pages(self.drive).routes())
        app.add_routes(Control(self.api, self.drive, self.courier, self.faults).routes())
        app.router.add_route("*", "/{path:v[12]/.*}", ApiServer(self.api, self.faults).handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.world.base_url = f"http://127.0.0.1:{self._port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.courier.close()
        if self._runner is not None:
            await self._runner.cleanup()
        if error is None:
            assert not self.api.mistakes, self.api.mistakes

    @property
    def base_url(self) -> str:
        """What STRIPE_API_BASE has to be."""
        return self.world.base_url

    @property
    def log(self) -> list[Seen]:
        """Every API request so far."""
        return self.api.log

    @property
    def rejections(self) -> list[str]:
        """Every request that Stripe would have refused for its shape, or that had no idempotency key."""
        return self.api.rejections

    def count(self, route: str) -> int:
        """How many requests a route got, such as `POST /v1/customers`."""
        return self.api.count(route)

    def busiest(self, method: str = "GET", seconds: float = 1.0) -> int:
        """The most requests of a method in any window of that many seconds."""
        return self.api.busiest(method, seconds)

    def restrict(self, key: str, *missing: str) -> None:
        """Take rights from a key such as rk_test_fake: each the beginning of routes that it may not use."""
        self.api.rights.restrict(key, *missing)

    def deliver_to(self, url: str, secret: str = SECRET) -> str:
        """Send all events from now on to a webhook address; the endpoint's id."""
        endpoint: str = events.add_endpoint(self.world, url, secret, ["*"])["id"]
        return endpoint

    def deliver_thin_to(self, url: str, secret: str = SECRET, *kinds: str) -> str:
        """Send thin events (of these types, else all) to a webhook address; the destination's id."""
        made: str = destinations.add_destination(self.world, url, secret, [*kinds] or ["*"], {})["id"]
        return made
