"""The pages of simulated billing, in place of Stripe's checkout and portal; no money moves here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from aiohttp import web

from engine.domain import Interval, Micros, Tier, TierName
from engine.errors import GoneError
from engine.facts import ENDED, SessionId, SessionStatus, Subscription
from engine.ports import SimulatedCheckout
from webhooks.access import Gate
from webhooks.boundary import FORM_TARGETS
from webhooks.site import Site
from webhooks.words import page

OFF = "Billing is not simulated here, so there is no such page."
NO_SESSION = "There is no such simulated checkout. Ask for a new one with /upgrade."
NO_PORTAL = "There is no such simulated portal. Ask for a new one with /billing."


def routes(site: Site, gate: Gate) -> list[web.RouteDef]:
    """Checkout and portal with what can be done on them, all behind the gate."""
    if site.simulated is None:
        return [web.route("*", "/simulated/{rest:.*}", gate.guard(_off))]
    checkout = CheckoutPages(site.simulated, site.tiers)
    portal = PortalPages(site.simulated, site.tiers)
    return [
        web.get("/simulated/checkout/{session}", gate.guard(checkout.show)),
        web.post("/simulated/checkout/{session}/{deed:pay|decline|cancel}", gate.guard(checkout.do)),
        web.get("/simulated/portal/{portal}", gate.guard(portal.show)),
        web.post("/simulated/portal/{portal}/{deed:cancel|resume|end}", gate.guard(portal.do)),
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
    """See subscriptions; cancel, resume or end the live one."""

    def __init__(self, simulated: SimulatedCheckout, tiers: Mapping[TierName, Tier]) -> None:
        self._simulated = simulated
        self._tiers = tiers

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The customer's subscriptions, live ones first."""
        portal = request.match_info["portal"]
        try:
            found = await self._simulated.portal(portal)
        except GoneError:
            raise web.HTTPNotFound(text=NO_PORTAL) from None
        rows = sorted((self._row(each) for each in found), key=lambda row: not row["live"])
        return page("portal.html", portal=portal, rows=rows)

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

    def _row(self, subscription: Subscription) -> dict[str, object]:
        tier, interval = subscription.tier, subscription.interval
        return {
            "name": tier.title() if tier else "Another product",
            "price": _price(self._tiers, tier, interval) if tier and interval else None,
            "interval": interval,
            "status": subscription.status.replace("_", " "),
            "live": subscription.status not in ENDED,
            "renews": _day(subscription.period_end),
            "ends": _day(subscription.cancel_at),
        }


def dollars(amount: Micros) -> str:
    """Micro-dollars as members read them: $8.99, or $89 when there are no cents."""
    cents = round(amount / 10_000)
    return f"${cents // 100:,}" if cents % 100 == 0 else f"${cents / 100:,.2f}"


def _price(tiers: Mapping[TierName, Tier], tier: TierName, interval: Interval) -> str | None:
    return dollars(tiers[tier].price(interval)) if tier in tiers else None


def _day(moment: datetime | None) -> str | None:
    return f"{moment:%d %B %Y}".lstrip("0") if moment else None


def _see(address: str) -> web.Response:
    return web.Response(status=303, headers={"Location": address})


async def _off(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound(text=OFF)
