"""The pages that Stripe sends a member back to, which wait for the tier by themselves."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from engine.domain import Platform
from webhooks.checkouts import Checkouts
from webhooks.site import Site
from webhooks.words import answer, page

_PLACES: Mapping[Platform | None, str] = {
    Platform.DISCORD: "Discord",
    Platform.SLACK: "Slack",
    Platform.LOCAL: "the playground",
}


def routes(site: Site) -> list[web.RouteDef]:
    """`/billing/success`, `/billing/cancel` and the status that the first one polls."""
    pages = BillingPages(site)
    return [
        web.get("/billing/success", pages.success),
        web.get("/billing/cancel", pages.cancel),
        web.get("/billing/status", pages.status),
    ]


class BillingPages:
    """Says whether a payment has arrived, without a reload where scripts run and with one where not."""

    def __init__(self, site: Site) -> None:
        self._simulated = site.simulated is not None
        self._checkouts = Checkouts(site.checkout_status)

    async def success(self, request: web.Request) -> web.StreamResponse:
        """The page after paying, as things stand at this moment."""
        session = request.query.get("session_id", "")
        found = await self._checkouts.status(session)
        return page(
            "success.html",
            session=session,
            state=found.state,
            tier=found.tier.title() if found.tier else None,
            place=_PLACES.get(found.place, "the chat where you asked"),
            local=found.place is Platform.LOCAL,
            simulated=self._simulated,
        )

    async def cancel(self, _request: web.Request) -> web.StreamResponse:
        """The page after leaving the checkout."""
        return page("cancel.html", simulated=self._simulated)

    async def status(self, request: web.Request) -> web.StreamResponse:
        """`{"state", "tier"}` for the session; the engine looks at Stripe when that is due."""
        session = request.query.get("session_id", "")
        if not session:
            raise web.HTTPBadRequest(text="Name the checkout: /billing/status?session_id=...")
        found = await self._checkouts.status(session)
        return answer({"state": found.state, "tier": found.tier})
