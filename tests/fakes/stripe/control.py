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
    "authenticate-needed": Driver.authenticate_needed,
    "bill-seats": Driver.bill_seats,
    "cancel": Driver.cancel_subscription,
    "change-dispute": Driver.change_dispute,
    "change-price": Driver.change_price,
    "charge-of": Driver.charge_of,
    "close-dispute": Driver.close_dispute,
    "coupon": Driver.coupon,
    "decline": Driver.decline,
    "delete-customer": Driver.delete_customer,
    "dispute": Driver.dispute,
    "drafts-last": Driver.drafts_last,
    "dunning-ends-with": Driver.dunning_ends_with,
    "emit": Driver.emit,
    "expire": Driver.expire_session,
    "expire-card": Driver.expire_card,
    "fail-refund": Driver.fail_refund,
    "fail-renewal": Driver.fail_renewal,
    "flatten": Driver.flatten,
    "give-up": Driver.give_up,
    "go-live": Driver.go_live,
    "inquiry": Driver.inquiry,
    "mark-unpaid": Driver.mark_unpaid,
    "pause": Driver.pause,
    "pause-collection": Driver.pause_collection,
    "pay": Driver.pay,
    "pay-invoice": Driver.pay_invoice,
    "promotion-code": Driver.promotion_code,
    "recover": Driver.recover,
    "refund": Driver.refund,
    "refuse-cards": Driver.refuse_cards,
    "remove-card": Driver.remove_card,
    "replace-card": Driver.replace_card,
    "report-meter-errors": Driver.report_meter_errors,
    "report-no-meter": Driver.report_no_meter,
    "resume": Driver.resume_subscription,
    "retry-fails": Driver.retry_fails,
    "roll-secret": Driver.roll_secret,
    "set-status": Driver.set_status,
    "unpause": Driver.unpause,
    "warn-of-fraud": Driver.warn_of_fraud,
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
        """Every request, rejection, own mistake and delivery so far, and the most reads in a second."""
        tries = [[one.event, one.kind, one.status] for one in self.courier.deliveries]
        requests = [seen.as_json() for seen in self.api.log]
        complaints: Json = {"rejections": self.api.rejections, "mistakes": self.api.mistakes}
        seen: Json = {"requests": requests, "deliveries": tries, "busiest": self.api.busiest()}
        return web.json_response(complaints | seen)

    async def objects(self, request: web.Request) -> web.Response:
        """All objects of a schema, such as `subscription` or `checkout.session`, newest first."""
        return web.json_response(self.drive.world.rows(request.match_info["name"]))

    async def fault(self, request: web.Request) -> web.Response:
        """Lay a fault: `kind`, `route`, `times` (null: until cleared), `status`, `delay`; `{}` clears all."""
        wanted = await _arguments(request)
        if not wanted:
            self.faults.clear()
            return web.json_response({})
        delay = wanted.pop("delay", 0.0)
        fault = self.faults.add(FaultKind(wanted.pop("kind")), **wanted)
        fault.delay = delay
        return web.json_response({})

    async def deliver(self, request: web.Request) -> web.Response:
        """`{"hold": true}`, `{"release": {"shuffle": true, "copies": 2}}` or fields of a Plan.

        Also `{"stop": true}`, `{"resume": true}`, `{"redeliver": "evt_..."}` and `{"redeliver_lost": {...}}`.
        """
        wanted = await _arguments(request)
        self._interrupt(wanted)
        if wanted.pop("hold", False):
            self.courier.hold()
        if "release" in wanted:
            self.courier.release(**wanted.pop("release"))
        if wanted:
            drop = frozenset(wanted.pop("drop", ()))
            self.courier.plan = Plan(**wanted, drop=drop)
        return web.json_response({})

    def _interrupt(self, wanted: Json) -> None:
        if wanted.pop("stop", False):
            self.courier.stop()
        if wanted.pop("resume", False):
            self.courier.resume()
        if "redeliver" in wanted:
            self.courier.redeliver(wanted.pop("redeliver"))
        if "redeliver_lost" in wanted:
            self.courier.redeliver_lost(**wanted.pop("redeliver_lost"))

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
