"""The pages of simulated billing, in place of Stripe's checkout and portal; no money moves here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from aiohttp import web

from engine.domain import Interval, Micros, Tier, TierName
from engine.errors import GoneError
from engine.facts import ENDED, PaymentStatus, Planned, SessionId, SessionStatus, Subscription
from engine.simulated import SimulatedCheckout, SimulatedDeed, SimulatedInvoice, SimulatedPlay, SimulatedStep
from webhooks.access import Gate
from webhooks.boundary import FORM_TARGETS
from webhooks.site import Site
from webhooks.words import page

OFF = "Billing is not simulated here, so there is no such page."
NO_SESSION = "There is no such simulated checkout. Ask for a new one with /upgrade."
NO_INVOICE = "There is no such simulated invoice. Ask for your billing page with /billing."
NO_PORTAL = "There is no such simulated portal. Ask for a new one with /billing."


PLAYS = (
    (SimulatedDeed.FAIL_PAYMENT, "Fail a payment"),
    (SimulatedDeed.RECOVER, "New card"),
    (SimulatedDeed.EXPIRE_CARD, "Expire the card"),
    (SimulatedDeed.REFUND, "Refund"),
    (SimulatedDeed.INQUIRE, "Inquiry"),
    (SimulatedDeed.DISPUTE, "Dispute"),
    (SimulatedDeed.WIN_DISPUTE, "Win dispute"),
    (SimulatedDeed.LOSE_DISPUTE, "Lose dispute"),
    (SimulatedDeed.DELETE_CUSTOMER, "Delete customer"),
)
"""What the portal's page lets everybody try; a subscription is ended by a button of its own."""


MOODS = {
    PaymentStatus.ACTIVE: "on",
    PaymentStatus.TRIALING: "on",
    PaymentStatus.PAST_DUE: "bad",
}
"""How the badge of a status looks."""


def routes(site: Site, gate: Gate) -> list[web.RouteDef]:
    """Checkout and portal with what can be done on them, all behind the gate."""
    if site.simulated is None:
        return [web.route("*", "/simulated/{rest:.*}", gate.guard(_off))]
    checkout = CheckoutPages(site.simulated, site.tiers)
    portal = PortalPages(site.simulated, site.tiers, site.simulation)
    invoice = InvoicePages(site.simulated)
    return [
        web.get("/simulated/checkout/{session}", gate.guard(checkout.show)),
        web.post("/simulated/checkout/{session}/{deed:pay|decline|cancel}", gate.guard(checkout.do)),
        web.get("/simulated/portal/{portal}", gate.guard(portal.show)),
        web.post("/simulated/portal/{portal}/{deed:cancel|resume|end}", gate.guard(portal.do)),
        web.post("/simulated/portal/{portal}/play/{deed}", gate.guard(portal.play)),
        web.get("/simulated/invoice/{invoice}", gate.guard(invoice.show)),
        web.post("/simulated/invoice/{invoice}/{deed:pay|decline}", gate.guard(invoice.do)),
    ]


class CheckoutPages:
    """Pay, have the card declined, or go back."""

    def __init__(self, simulated: SimulatedCheckout, tiers: Mapping[TierName, Tier]) -> None:
        self._simulated = simulated
        self._tiers = tiers

    async def show(self, request: web.Request) -> web.StreamResponse:
        """What is bought, its price, and the three ways on."""
        try:
            found = await self._simulated.session(SessionId(request.match_info["session"]))
        except GoneError:
            raise web.HTTPNotFound(text=NO_SESSION) from None
        response = page(
            "checkout.html",
            session=found.session.id,
            state=found.session.status,
            open=found.session.status is SessionStatus.OPEN,
            tier=found.tier.title(),
            interval=found.interval,
            price=_price(self._tiers, found.tier, found.interval),
            declined="declined" in request.query,
        )
        response[FORM_TARGETS] = (found.success_url, found.cancel_url)
        return response

    async def do(self, request: web.Request) -> web.StreamResponse:
        """Do what was pressed and lead to where that leads."""
        session = SessionId(request.match_info["session"])
        deeds: Mapping[str, Callable[[SessionId], Awaitable[str | None]]] = {
            "pay": self._simulated.pay,
            "decline": self._simulated.decline,
            "cancel": self._simulated.leave,
        }
        try:
            goal = await deeds[request.match_info["deed"]](session)
        except GoneError:
            raise web.HTTPNotFound(text=NO_SESSION) from None
        return _see(goal or f"/simulated/checkout/{session}?declined")


class PortalPages:
    """See subscriptions; cancel, resume or end the live one, and play with it."""

    def __init__(
        self,
        simulated: SimulatedCheckout,
        tiers: Mapping[TierName, Tier],
        simulation: SimulatedPlay | None,
    ) -> None:
        self._simulated = simulated
        self._tiers = tiers
        self._simulation = simulation

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The customer's subscriptions, live ones first, and what can be played with them."""
        portal = request.match_info["portal"]
        try:
            found = await self._simulated.portal(portal)
            scene = await self._simulation.scene(portal) if self._simulation else None
        except GoneError:
            raise web.HTTPNotFound(text=NO_PORTAL) from None
        rows = sorted((self._row(each) for each in found), key=lambda row: not row["live"])
        return page(
            "portal.html",
            portal=portal,
            rows=rows,
            acts=PLAYS,
            steps=list(SimulatedStep),
            said=scene.said if scene else "",
            time=f"{_day(scene.now)}, {scene.now:%H:%M} UTC" if scene else None,
        )

    async def do(self, request: web.Request) -> web.StreamResponse:
        """Do what was pressed and show the page again."""
        portal, deed = request.match_info["portal"], request.match_info["deed"]
        try:
            if deed == "end":
                await self._simulated.end_now(portal)
            else:
                await self._simulated.cancel_at_period_end(portal, pending=deed == "cancel")
        except GoneError:
            raise web.HTTPNotFound(text=NO_PORTAL) from None
        return _see(f"/simulated/portal/{portal}")

    async def play(self, request: web.Request) -> web.StreamResponse:
        """Play what was pressed and show the page again, with what became of it."""
        portal, deed = request.match_info["portal"], request.match_info["deed"]
        known = deed in {*SimulatedDeed, *SimulatedStep}
        if self._simulation is None or not known:
            raise web.HTTPNotFound(text="There is nothing of that name to play.")
        try:
            if deed in set(SimulatedStep):
                await self._simulation.pass_time(portal, SimulatedStep(deed))
            else:
                await self._simulation.play(portal, SimulatedDeed(deed))
        except GoneError:
            raise web.HTTPNotFound(text=NO_PORTAL) from None
        return _see(f"/simulated/portal/{portal}")

    def _row(self, subscription: Subscription) -> dict[str, object]:
        tier, interval, seats = subscription.tier, subscription.interval, subscription.quantity
        return {
            "name": tier.title() if tier else "Another product",
            "price": _price(self._tiers, tier, interval, seats) if tier and interval else None,
            "seats": seats if seats > 1 else None,
            "trial": subscription.status is PaymentStatus.TRIALING,
            "pay": urlsplit(subscription.pay_url).path if subscription.pay_url else None,
            "planned": _planned(subscription.planned) if subscription.planned else None,
            "metered": subscription.metered_item is not None,
            "interval": interval,
            "status": subscription.status.replace("_", " "),
            "live": subscription.status not in ENDED,
            "mood": MOODS.get(subscription.status, "off"),
            "renews": _day(subscription.period_end),
            "ends": _day(subscription.cancel_at),
        }


class InvoicePages:
    """Pay an invoice whose payment failed, or try the card that fails once more."""

    def __init__(self, simulated: SimulatedCheckout) -> None:
        self._simulated = simulated

    async def show(self, request: web.Request) -> web.StreamResponse:
        """What is owed, and the two ways to pay."""
        found = await self._find(request)
        return page(
            "invoice.html",
            invoice=found.id,
            tier=found.tier.title(),
            interval=found.interval,
            price=dollars(found.amount),
            open=found.open,
            paid=found.paid,
            declined="declined" in request.query,
        )

    async def do(self, request: web.Request) -> web.StreamResponse:
        """Do what was pressed and show the page again."""
        found = await self._find(request)
        if request.match_info["deed"] == "decline":
            return _see(f"/simulated/invoice/{found.id}?declined")
        try:
            await self._simulated.pay_invoice(found.id)
        except GoneError:
            raise web.HTTPNotFound(text=NO_INVOICE) from None
        return _see(f"/simulated/invoice/{found.id}")

    async def _find(self, request: web.Request) -> SimulatedInvoice:
        try:
            return await self._simulated.invoice(request.match_info["invoice"])
        except GoneError:
            raise web.HTTPNotFound(text=NO_INVOICE) from None


def dollars(amount: Micros) -> str:
    """Micro-dollars as members read them: $8.99, or $89 when there are no cents."""
    cents = round(amount / 10_000)
    return f"${cents // 100:,}" if cents % 100 == 0 else f"${cents / 100:,.2f}"


def _price(tiers: Mapping[TierName, Tier], tier: TierName, interval: Interval, seats: int = 1) -> str | None:
    if tier not in tiers:
        return None
    extra = max(0, seats - tiers[tier].seats) * (tiers[tier].extra_seat(interval) or 0)
    return dollars(Micros(tiers[tier].price(interval) + extra))


def _planned(planned: Planned) -> str:
    name = planned.tier.title() if planned.tier else "Another product"
    seats = f" with {planned.quantity} seats" if planned.quantity > 1 else ""
    return f"{name} by the {planned.interval}{seats}"


def _day(moment: datetime | None) -> str | None:
    return f"{moment:%d %B %Y}".lstrip("0") if moment else None


def _see(address: str) -> web.Response:
    return web.Response(status=303, headers={"Location": address})


async def _off(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound(text=OFF)
