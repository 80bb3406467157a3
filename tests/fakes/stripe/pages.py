"""The hosted pages that a member's browser meets: paying, and the customer portal."""

from __future__ import annotations

import html
from dataclasses import dataclass

from aiohttp import web

from tests.fakes.stripe.driver import Driver
from tests.fakes.stripe.lifecycle import ENDED
from tests.fakes.stripe.portal_sessions import offers
from tests.fakes.stripe.wire import Json, StripeError

_PAGE = "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><h1>{title}</h1>{body}</html>"
_BUTTON = "<form method=post action='{action}'><button id='{name}'>{label}</button></form>"


@dataclass(frozen=True, slots=True)
class Pages:
    """Checkout at a session's `url`, the portal at a portal session's, and `hosted_invoice_url`."""

    drive: Driver

    def routes(self) -> list[web.RouteDef]:
        """Where the pages are."""
        return [
            web.get("/c/pay/{session}", self.checkout),
            web.post("/c/pay/{session}", self.pay),
            web.post("/c/pay/{session}/decline", self.decline),
            web.get("/i/{invoice}", self.invoice),
            web.post("/i/{invoice}", self.pay_invoice),
            web.get("/p/session/{session}", self.portal),
            web.post("/p/session/{session}/{action:cancel|resume}", self.change),
        ]

    async def checkout(self, request: web.Request) -> web.Response:
        """Show an open session with its two buttons."""
        session = self._session(request)
        if session["status"] != "open":
            return _page("This session is closed", f"<p>{session['status']}</p>", status=410)
        where = f"/c/pay/{session['id']}"
        amount = f"<p>{session['amount_total'] / 100:.2f} {session['currency']}</p>"
        buttons = _button(where, "pay", "Pay") + _button(
            f"{where}/decline", "decline", "Have the card declined"
        )
        back = f"<a id=back href='{html.escape(session['cancel_url'] or '#')}'>Back</a>"
        return _page("Checkout", amount + buttons + back)

    async def pay(self, request: web.Request) -> web.Response:
        """Pay and go where the session says."""
        try:
            session = self.drive.pay(self._session(request)["id"])
        except StripeError as error:
            return _page("This session is closed", html.escape(error.message), status=410)
        where = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
        return web.Response(status=303, headers={"Location": where})

    async def decline(self, request: web.Request) -> web.Response:
        """Say no and leave the session open."""
        session = self.drive.decline(self._session(request)["id"])
        retry = _button(f"/c/pay/{session['id']}", "pay", "Pay with another card")
        return _page("Your card was declined", retry, status=402)

    async def invoice(self, request: web.Request) -> web.Response:
        """Show an invoice, with a button while it is open."""
        invoice = self._invoice(request)
        amount = f"<p>{invoice['amount_due'] / 100:.2f} {invoice['currency']}, {invoice['status']}</p>"
        button = _button(f"/i/{invoice['id']}", "pay", "Pay") if invoice["status"] == "open" else ""
        return _page("Invoice", amount + button)

    async def pay_invoice(self, request: web.Request) -> web.Response:
        """Pay an open invoice with a card that works."""
        invoice = self._invoice(request)
        if invoice["status"] != "open":
            return _page("This invoice is closed", f"<p>{invoice['status']}</p>", status=410)
        self.drive.pay_invoice(invoice["id"])
        return _page("Invoice", "<p>Paid</p>")

    async def portal(self, request: web.Request) -> web.Response:
        """Show the customer's subscriptions, and what the session's configuration has on offer."""
        session = self._portal(request)
        rows = "".join(f"<li>{held['id']} {held['status']}" for held in self._live(session))
        where = f"/p/session/{session['id']}"
        buttons = ""
        if offers(self.drive.world, session, "subscription_cancel"):
            buttons += _button(f"{where}/cancel", "cancel", "Cancel plan")
            buttons += _button(f"{where}/resume", "resume", "Keep plan")
        if offers(self.drive.world, session, "subscription_update"):
            buttons += "<a id=update href='#'>Update plan</a>"
        return _page("Customer portal", f"<ul>{rows}</ul>{buttons}")

    async def change(self, request: web.Request) -> web.Response:
        """Cancel at the end of the period, or resume."""
        session = self._portal(request)
        if not offers(self.drive.world, session, "subscription_cancel"):
            raise web.HTTPNotFound(text="The subscription_cancel feature is disabled.")
        for held in self._live(session):
            if request.match_info["action"] == "cancel":
                self.drive.cancel_subscription(held["id"], at_period_end=True)
            else:
                self.drive.resume_subscription(held["id"])
        return web.Response(status=303, headers={"Location": session["return_url"] or session["url"]})

    def _live(self, session: Json) -> list[Json]:
        rows = self.drive.world.rows("subscription")
        return [row for row in rows if row["customer"] == session["customer"] and row["status"] not in ENDED]

    def _session(self, request: web.Request) -> Json:
        return self._named("checkout.session", request)

    def _invoice(self, request: web.Request) -> Json:
        return self._named("invoice", request, "invoice")

    def _portal(self, request: web.Request) -> Json:
        return self._named("billing_portal.session", request)

    def _named(self, name: str, request: web.Request, param: str = "session") -> Json:
        try:
            return self.drive.world.get(name, request.match_info[param], param)
        except StripeError as error:
            raise web.HTTPNotFound(text=error.message) from error


def _page(title: str, body: str, *, status: int = 200) -> web.Response:
    text = _PAGE.format(title=title, body=body)
    return web.Response(text=text, status=status, content_type="text/html")


def _button(action: str, name: str, label: str) -> str:
    return _BUTTON.format(action=action, name=name, label=label)
