"""The account that the API key belongs to."""

from __future__ import annotations

from tests.fakes.stripe.calls import Call, Routes, route
from tests.fakes.stripe.keys import ACCOUNT
from tests.fakes.stripe.wire import Json
from tests.fakes.stripe.world import World


def _current(world: World, _call: Call) -> Json:
    values = {
        "id": ACCOUNT,
        "charges_enabled": True,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "payouts_enabled": True,
        "type": "standard",
    }
    return world.shapes.make("account", values)


ROUTES: Routes = {"GET /v1/account": route(_current)}
