"""What cards, banks and members do with money: fail, ask, pay, refund, dispute, expire."""

from __future__ import annotations

from dataclasses import dataclass

from tests.fakes.stripe import bills, changes, lifecycle, moneyback, payments
from tests.fakes.stripe.wire import Json
from tests.fakes.stripe.world import World, new_id


@dataclass(frozen=True, slots=True)
class MoneyMoves:
    """The money side of the driver; every method returns the object it changed and emits Stripe's events."""

    world: World

    def refuse_cards(self, customer: str, *, refuse: bool = True) -> Json:
        """Have every charge to a customer declined from now on, or accepted again."""
        (self.world.declining.add if refuse else self.world.declining.discard)(customer)
        return self.world.get("customer", customer, "customer")

    def authenticate_needed(self, customer: str, *, needed: bool = True) -> Json:
        """Have a customer's bank ask for authentication at every charge, or no more."""
        (self.world.authenticating.add if needed else self.world.authenticating.discard)(customer)
        return self.world.get("customer", customer, "customer")

    def pay_invoice(self, invoice: str) -> Json:
        """Pay an open invoice on its hosted page, with a card that works from now on."""
        found = self._invoice(invoice)
        self.world.declining.discard(found["customer"])
        self.world.authenticating.discard(found["customer"])
        lifecycle.retry(self.world, found, forced=True)
        return found

    def retry_fails(self, subscription: str) -> Json:
        """Have the next retry of the oldest open invoice fail too: the invoice, with one attempt more."""
        found = self._held(subscription)
        self.world.declining.add(found["customer"])
        invoice = bills.open_ones(self.world, found)[0]
        lifecycle.retry(self.world, invoice)
        return invoice

    def fail_renewal(self, subscription: str) -> Json:
        """Have the renewal's payment fail: past due, until `recover` or `give_up`."""
        found = self._held(subscription)
        lifecycle.fail(self.world, found)
        return found

    def recover(self, subscription: str) -> Json:
        """Have the failed payments succeed after all."""
        found = self._held(subscription)
        lifecycle.recover(self.world, found)
        return found

    def give_up(self, subscription: str) -> Json:
        """End the dunning of a past-due subscription: Stripe cancels it."""
        return lifecycle.cancel(self.world, self._held(subscription), "payment_failed")

    def mark_unpaid(self, subscription: str) -> Json:
        """End the dunning as accounts may choose: unpaid, and no more tries."""
        found = self._held(subscription)
        for invoice in bills.open_ones(self.world, found):
            invoice |= {"auto_advance": False, "next_payment_attempt": None}
        found["status"] = "unpaid"
        return lifecycle.updated(self.world, found)

    def pause(self, subscription: str, reason: str = "pause_requested") -> Json:
        """Pause a subscription for one of Stripe's reasons: status `paused`."""
        return lifecycle.pause(self.world, self._held(subscription), reason)

    def unpause(self, subscription: str) -> Json:
        """Take a pause back without a bill."""
        found = self._held(subscription)
        found |= {"status": "active", "status_details": None}
        self.world.emit("customer.subscription.resumed", found)
        return lifecycle.updated(self.world, found)

    def pause_collection(
        self, subscription: str, behavior: str = "void", resumes_at: int | None = None
    ) -> Json:
        """Stop collecting; an empty behavior collects again."""
        found = self._held(subscription)
        found["pause_collection"] = {"behavior": behavior, "resumes_at": resumes_at} if behavior else None
        return lifecycle.updated(self.world, found)

    def dunning_ends_with(self, outcome: str) -> Json:
        """What the last failed retry does: cancel, unpaid, paused or past_due."""
        self.world.after_dunning = outcome
        return {"after_dunning": outcome}

    def drafts_last(self, seconds: int) -> Json:
        """How long the invoice of a renewal stays a draft (Stripe: about an hour; here nothing at first)."""
        self.world.draft_seconds = seconds
        return {"draft_seconds": seconds}

    def charge_of(self, subscription: str) -> Json:
        """The newest charge that paid an invoice of a subscription."""
        found = self._held(subscription)
        for charge in self.world.rows("charge"):
            link = next(
                one
                for one in self.world.rows("invoice_payment")
                if one["payment"]["payment_intent"] == charge["payment_intent"]
            )
            invoice = self._invoice(link["invoice"])
            if charge["paid"] and bills.subscription_of(self.world, invoice)["id"] == found["id"]:
                return charge
        return self.world.get("charge", f"ch_of_{subscription}", "subscription")

    def refund(self, charge: str, amount: int | None = None, reason: str | None = None) -> Json:
        """Refund a charge in the dashboard, in cents; all that is left without an amount."""
        return moneyback.refund(self.world, self.world.get("charge", charge, "charge"), amount, reason)

    def fail_refund(self, refund: str) -> Json:
        """Have the bank send a refund back."""
        return moneyback.fail_refund(self.world, self.world.get("refund", refund, "refund"))

    def dispute(
        self,
        charge: str,
        status: str = "needs_response",
        reason: str = "fraudulent",
        amount: int | None = None,
    ) -> Json:
        """Have the bank dispute a charge."""
        found = self.world.get("charge", charge, "charge")
        return moneyback.dispute(self.world, found, status, reason, amount)

    def inquiry(self, charge: str, reason: str = "general") -> Json:
        """Have the bank ask about a charge without taking money: `warning_needs_response`."""
        return self.dispute(charge, "warning_needs_response", reason)

    def change_dispute(self, dispute: str, status: str) -> Json:
        """Bring a dispute to any status, such as `under_review`; an inquiry can become a dispute."""
        return moneyback.change_dispute(self.world, self.world.get("dispute", dispute, "dispute"), status)

    def close_dispute(self, dispute: str, outcome: str = "") -> Json:
        """Close a dispute as `won` or `lost`, an inquiry as `warning_closed`."""
        found = self.world.get("dispute", dispute, "dispute")
        inquiry = found["status"].startswith("warning")
        return moneyback.change_dispute(
            self.world, found, outcome or ("warning_closed" if inquiry else "won")
        )

    def warn_of_fraud(self, charge: str) -> Json:
        """Have the card's network send an early fraud warning."""
        return moneyback.warn(self.world, self.world.get("charge", charge, "charge"))

    def expire_card(self, customer: str, month: int, year: int) -> Json:
        """Set the expiry of a customer's newest card."""
        card = self._card(customer)
        card["card"] |= {"exp_month": month, "exp_year": year}
        self.world.emit("payment_method.automatically_updated", card)
        return card

    def replace_card(self, customer: str, last4: str = "4444") -> Json:
        """Put a new card in the place of the old one, as the portal does; charges go through again."""
        card = payments.add_card(self.world, customer, last4)
        self.world.emit("payment_method.attached", card)
        self.world.declining.discard(customer)
        for row in self.world.rows("subscription"):
            if row["customer"] == customer and row["status"] not in lifecycle.ENDED:
                row["default_payment_method"] = card["id"]
                lifecycle.updated(self.world, row)
        found = self.world.get("customer", customer, "customer")
        found["invoice_settings"] = found["invoice_settings"] | {"default_payment_method": card["id"]}
        self.world.emit("customer.updated", found)
        return card

    def remove_card(self, customer: str) -> Json:
        """Leave a customer without any card."""
        for row in self.world.rows("subscription"):
            if row["customer"] == customer:
                row["default_payment_method"] = None
        found = self.world.get("customer", customer, "customer")
        found["invoice_settings"] = found["invoice_settings"] | {"default_payment_method": None}
        self.world.emit("customer.updated", found)
        return found

    def coupon(self, duration: str = "once", **terms: float) -> Json:
        """Make a coupon: `percent_off` or `amount_off` in cents, `duration_in_months` for a repeating one."""
        currency = {"currency": "usd"} if "amount_off" in terms else {}
        values = {"id": new_id("")[1:9], "duration": duration, "metadata": {}, "valid": True}
        return self.world.make("coupon", "coupon", values | terms | currency)

    def promotion_code(self, coupon: str, code: str) -> Json:
        """Make a code that members can type at Checkout."""
        values = {"active": True, "code": code, "metadata": {}}
        values |= {"promotion": {"type": "coupon", "coupon": coupon}}
        return self.world.make("promotion_code", "promo", values)

    def bill_seats(self, subscription: str, quantity: int) -> Json:
        """Change the first item's quantity in the dashboard; prorations wait for the next invoice."""
        found = self._held(subscription)
        change = {"id": found["items"]["data"][0]["id"], "quantity": quantity}
        made = changes.plan(self.world, found, {"items": [change]})
        changes.carry_out(self.world, found, made, "create_prorations", "allow_incomplete")
        return lifecycle.updated(self.world, found)

    def _invoice(self, wanted: str) -> Json:
        return self.world.get("invoice", wanted, "invoice")

    def _held(self, wanted: str) -> Json:
        return self.world.get("subscription", wanted, "subscription")

    def _card(self, customer: str) -> Json:
        for card in self.world.rows("payment_method"):
            if card["customer"] == customer:
                return card
        return self.world.get("payment_method", f"pm_of_{customer}", "customer")
