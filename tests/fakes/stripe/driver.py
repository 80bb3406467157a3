"""What people and time do to the fake Stripe: pay, decline, cancel, miss a payment, grow older."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.fakes.stripe import (
    agenda,
    catalogue,
    changes,
    checkout,
    customers,
    destinations,
    lifecycle,
    meters,
    portal,
    portal_sessions,
    prices,
)
from tests.fakes.stripe.api import ROUTES
from tests.fakes.stripe.calls import Call
from tests.fakes.stripe.money_moves import MoneyMoves
from tests.fakes.stripe.wire import Json

PRICES = {"premium": (899, 8900), "team": (2999, 29900), "pro": (4999, 49900)}
"""US cents by tier, a month and a year."""
EXTRA_SEAT = (500, 5000)
"""US cents for each seat above those that team includes, a month and a year."""
SEATS = 5
METER = "multi_llm_chat_usage"


@dataclass(frozen=True, slots=True)
class Driver(MoneyMoves):
    """Every method returns the object it changed, and emits the events that Stripe would."""

    def stock(
        self,
        prices: Mapping[str, tuple[int, int]] = PRICES,
        version: str = "v1",
        *,
        usage_cents: str | None = None,
    ) -> dict[str, str]:
        """Make a product for each tier, with a monthly and a yearly price; price ids by lookup key.

        Team costs so much up to five seats and more for each further one. With `usage_cents` there is a meter
        too, and pro's metered price of that decimal number of cents a unit.
        """
        made = {}
        for tier, amounts in prices.items():
            product = self._product(tier)
            for interval, amount, seat in zip(("month", "year"), amounts, EXTRA_SEAT, strict=True):
                key = f"{tier}_{interval}ly_{version}"
                made[key] = self._price(product, interval, amount, key, seat if tier == "team" else None)
        if usage_cents is not None:
            made[f"pro_usage_{version}"] = self._usage_price(usage_cents, f"pro_usage_{version}")
        return made

    def flatten(self, price: str) -> Json:
        """Make a tiered price one that costs its first tier's flat amount a unit."""
        found = self.world.get("price", price, "price")
        amount = found["tiers"][0]["flat_amount"]
        flat: Json = {"billing_scheme": "per_unit", "tiers": [], "tiers_mode": None}
        found |= flat | {"unit_amount": amount, "unit_amount_decimal": str(amount)}
        return found

    def go_live(self) -> Json:
        """Change to live mode: all objects stay behind, and who asks for one is told where it is."""
        self.world.elsewhere |= {wanted for table in self.world.tables.values() for wanted in table}
        self.world.tables.clear()
        self.world.livemode = True
        portal.add_configuration(self.world, {"business_profile": {}, "features": {}}, default=True)
        return {"livemode": True}

    def report_meter_errors(
        self, code: str = "meter_event_customer_not_found", identifiers: list[str] | None = None
    ) -> Json:
        """Send the thin event about usage that is not billed: the events named, else unknown customers'."""
        return destinations.report_meter_errors(self.world, code, identifiers)

    def report_no_meter(self, identifiers: list[str]) -> Json:
        """Send the thin event about usage that no meter counts."""
        return destinations.report_no_meter(self.world, identifiers)

    def metered(self, customer: str) -> int:
        """All usage that the meters hold for a customer, whenever it was."""
        rows = self.world.rows("billing.meter")
        return sum(meters.total(self.world, meter, customer, 0, 1 << 40) for meter in rows)

    def pay(self, session: str, code: str | None = None, *, card: bool = True) -> Json:
        """Pay an open Checkout session, with a promotion code, or without a card if it asks for none."""
        found = self.world.get("checkout.session", session, "session")
        return checkout.complete(self.world, found, code, card=card)

    def decline(self, session: str) -> Json:
        """Have the card declined at Checkout: the session stays open and no subscription is made."""
        return self.world.get("checkout.session", session, "session")

    def expire_session(self, session: str) -> Json:
        """Let a Checkout session run out."""
        route = ROUTES["POST /v1/checkout/sessions/{session}/expire"]
        return route.serve(self.world, Call({}, {"session": session}))

    def add_subscription(self, customer: str, price: str, quantity: int = 1, trial_days: int = 0) -> Json:
        """Start a subscription past Checkout, as an operator does in the dashboard."""
        line = (self.world.get("price", price, "price"), quantity)
        return lifecycle.start(self.world, customer, [line], {}, trial_days)

    def cancel_subscription(self, subscription: str, *, at_period_end: bool = False) -> Json:
        """Cancel now, or as the portal does it at the end of the period."""
        found = self._subscription(subscription)
        if at_period_end:
            return portal.schedule_end(self.world, found, pending=True)
        return lifecycle.cancel(self.world, found)

    def resume_subscription(self, subscription: str) -> Json:
        """Take a pending cancellation back."""
        return portal.schedule_end(self.world, self._subscription(subscription), pending=False)

    def change_price(self, subscription: str, price: str, quantity: int | None = None) -> Json:
        """Move the first item to another price; its quantity becomes 1 unless one is given."""
        found = self._subscription(subscription)
        change = {"id": found["items"]["data"][0]["id"], "price": price}
        change |= {} if quantity is None else {"quantity": quantity}
        made = changes.plan(self.world, found, {"items": [change]})
        changes.carry_out(self.world, found, made, "create_prorations", "allow_incomplete")
        return lifecycle.updated(self.world, found)

    def switch_in_portal(self, session: str, price: str) -> Json:
        """Press another plan on the page of a portal session, if that is there."""
        found = self.world.get("billing_portal.session", session, "session")
        live = next(row for row in self.world.rows("subscription") if row["customer"] == found["customer"])
        portal_sessions.check_switch(self.world, found, live, price)
        return self.change_price(live["id"], price)

    def set_status(self, subscription: str, status: str) -> Json:
        """Put a subscription into any status."""
        found = self._subscription(subscription)
        found["status"] = status
        return lifecycle.updated(self.world, found)

    def delete_customer(self, customer: str) -> Json:
        """Delete a customer in the dashboard."""
        route = customers.ROUTES["DELETE /v1/customers/{customer}"]
        return route.serve(self.world, Call({}, {"customer": customer}))

    def advance(self, seconds: int) -> Json:
        """Move the fake's clock on and do all that falls due."""
        self.world.offset += seconds
        agenda.catch_up(self.world)
        return {"now": self.world.now()}

    def roll_secret(self, secret: str, *, keep_old: bool = True, endpoint: str | None = None) -> Json:
        """Give an endpoint, else each, a new signing secret; the old ones sign on too unless dropped."""
        for name, held in self.world.endpoint_secrets.items():
            if endpoint in (None, name):
                held[:] = [secret, *held] if keep_old else [secret]
        return {"secrets": len(self.world.endpoint_secrets)}

    def emit(self, kind: str, subject: Json) -> Json:
        """Send an event of any type about any object."""
        return self.world.emit(kind, subject)

    def _product(self, tier: str) -> str:
        wanted = f"bot_{tier}"
        if wanted not in self.world.tables["product"]:
            catalogue.add_product(self.world, tier.title(), {"tier": tier}, wanted)
        return wanted

    def _price(self, product: str, interval: str, amount: int, key: str, seat: int | None) -> str:
        extra: Json = {"lookup_key": key}
        if seat is not None:
            above = {"up_to": "inf", "unit_amount": seat}
            extra |= prices.graduated([{"up_to": SEATS, "flat_amount": amount, "unit_amount": 0}, above])
        flat = amount if seat is None else None
        made: str = prices.add_price(self.world, product, flat, {"interval": interval}, extra)["id"]
        return made

    def _usage_price(self, cents: str, key: str) -> str:
        known = [row for row in self.world.rows("billing.meter") if row["event_name"] == METER]
        meter = known[0] if known else meters.add_meter(self.world, METER)
        recurring = {"interval": "month", "usage_type": "metered", "meter": meter["id"]}
        extra = {"lookup_key": key, "unit_amount_decimal": cents}
        made: str = prices.add_price(self.world, self._product("pro"), None, recurring, extra)["id"]
        return made

    def _subscription(self, wanted: str) -> Json:
        return self.world.get("subscription", wanted, "subscription")
