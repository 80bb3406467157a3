"""Routes under /_control for tests that run the fake as a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from tests.fakes.stripe.api import Api
from tests.fakes.stripe.courier import Courier, Plan
from tests.fakes.stripe.driver import Driver
from tests.fakes.stripe.faults import FaultKind, Faults
from tests.fakes.stripe.wire import Json, StripeError

_ACTIONS: dict[str, Callable[..., Json]] = {
    "add-subscription": Driver.add_subscription,
    "advance": Driver.advance,
    "cancel": Driver.cancel_subscription,
    "change-price": Driver.change_price,
    "decline": Driver.decline,
    "delete-customer": Driver.delete_customer,
    "emit": Driver.emit,
    "expire": Driver.expire_session,
    "fail-renewal": Driver.fail_renewal,
    "give-up": Driver.give_up,
    "pay": Driver.pay,
    "recover": Driver.recover,
    "resume": Driver.resume_subscription,
    "roll-secret": Driver.roll_secret,
    "set-status": Driver.set_status,
}


@dataclass(frozen=True, slots=True)
class Control:
    """POST takes the arguments of the driver's method as a JSON object; everything answers JSON."""

    api: Api
    drive: Driver
    courier: Courier
    faults: Faults

    def routes(self) -> list[web.RouteDef]:
        """Where the levers are."""
        return [
            web.get("/_control/log", self.log),
            web.get("/_control/objects/{name}", self.objects),
            web.post("/_control/fault", self.fault),
            web.post("/_control/deliver", self.deliver),
            web.post("/_control/{action}", self.act),
        ]

    async def log(self, _request: web.Request) -> web.Response:
        """Every request, rejection, own mistake and delivery so far."""
        tries = [[one.event, one.kind, one.status] for one in self.courier.deliveries]
        requests = [seen.as_json() for seen in self.api.log]
        complaints: Json = {"rejections": self.api.rejections, "mistakes": self.api.mistakes}
        return web.json_response(complaints | {"requests": requests, "deliveries": tries})

    async def objects(self, request: web.Request) -> web.Response:
        """All objects of a schema, such as `subscription` or `checkout.session`, newest first."""
        return web.json_response(self.drive.world.rows(request.match_info["name"]))

    async def fault(self, request: web.Request) -> web.Response:
        """Lay a fault: `kind`, `route`, `times`, `status`, `delay`; `{}` clears all."""
        wanted = await _arguments(request)
        if not wanted:
            self.faults.clear()
            return web.json_response({})
        delay = wanted.pop("delay", 0.0)
        fault = self.faults.add(FaultKind(wanted.pop("kind")), **wanted)
        fault.delay = delay
        return web.json_response({})

    async def deliver(self, request: web.Request) -> web.Response:
        """`{"hold": true}`, `{"release": {"shuffle": true, "copies": 2}}` or fields of a Plan."""
        wanted = await _arguments(request)
        if wanted.pop("hold", False):
            self.courier.hold()
        if "release" in wanted:
            self.courier.release(**wanted.pop("release"))
        if wanted:
            drop = frozenset(wanted.pop("drop", ()))
            self.courier.plan = Plan(**wanted, drop=drop)
        return web.json_response({})

    async def act(self, request: web.Request) -> web.Response:
        """Call a method of the driver."""
        action = _ACTIONS.get(request.match_info["action"])
        if action is None:
            raise web.HTTPNotFound(text=f"Actions: {', '.join(sorted(_ACTIONS))}")
        try:
            return web.json_response(action(self.drive, **await _arguments(request)))
        except (StripeError, TypeError) as error:
            raise web.HTTPBadRequest(text=str(error)) from error


async def _arguments(request: web.Request) -> Json:
    text = await request.text()
    arguments: Json = json.loads(text) if text else {}
    return arguments
