"""Changes a running subscription as a member wishes, once, however often it is told to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import stripe

from billing import orders, schedules
from billing.client import StripeCaller
from billing.monthly import MICROS_A_CENT, discounted, interval_cents, micros
from billing.prices import Prices, is_tiered
from billing.reading import Reading
from billing.schedules import Schedules
from billing.snapshots import Fields, awaited_invoice, plain
from billing.timing import timing_of
from engine.domain import Micros, Tier, TierName
from engine.errors import GoneError, TellOperatorError
from engine.facts import PaymentStatus, Subscription
from engine.terms import (
    ChangeKind,
    ChangeOrder,
    ChangeResult,
    ChangeState,
    Policy,
    Preview,
    Timing,
    Wish,
)

Update = stripe.params.SubscriptionUpdateParams

DONE, PLANNED = ChangeResult(ChangeState.DONE), ChangeResult(ChangeState.PLANNED)
OUTDATED = ChangeResult(ChangeState.OUTDATED)
FOR_ITEMS = frozenset({ChangeKind.SWITCH, ChangeKind.SEATS})


class Changing:
    """Previews and carries out changes."""

    def __init__(
        self,
        caller: StripeCaller,
        reading: Reading,
        prices: Prices,
        tiers: Mapping[TierName, Tier],
        policy: Policy,
    ) -> None:
        self._caller = caller
        self._api = caller.sdk.v1
        self._reading = reading
        self._prices = prices
        self._tiers = tiers
        self._policy = policy
        self._schedules = Schedules(caller)

    async def preview(self, subscription: Subscription, wish: Wish, now: datetime) -> Preview:
        """What a change costs and when it takes effect, as Stripe reckons it."""
        fields = await self._reading.fields(subscription.id)
        live = await self._reading.snapshot(fields)
        if orders.is_over(live):
            raise GoneError(f"The subscription {live.id} is over")
        timing = timing_of(live, wish, self._tiers)
        at = max(now.astimezone(UTC).replace(microsecond=0), orders.period_start(fields, live.item))
        price = await self._price(live, wish)
        quantity = orders.quantity_of(price, wish.quantity if wish.kind in FOR_ITEMS else live.quantity)
        due = Micros(0)
        if timing is Timing.NOW and wish.kind in FOR_ITEMS and live.status is not PaymentStatus.TRIALING:
            due = await self._due_now(live, fields, self._swap(live, wish, price, quantity), at)
        each = discounted(interval_cents(price, quantity), fields.get("discounts") or (), now)
        effective = at if timing is Timing.NOW else live.period_end or at
        return Preview(timing, effective, due, micros(each), live.currency)

    async def carry_out(self, order: ChangeOrder) -> ChangeResult:
        """Do what is not done yet of an order."""
        fields = await self._reading.fields(order.subscription.id)
        live = await self._reading.snapshot(fields)
        if orders.is_over(live):
            return OUTDATED
        if order.wish.kind in FOR_ITEMS:
            return await self._change_items(order, live, fields)
        if orders.is_as_wished(live, order.wish, live.quantity):
            return PLANNED if order.wish.kind is ChangeKind.CANCEL else DONE
        if order.wish.kind is ChangeKind.METER:
            return await self._meter(order, live, fields)
        if order.wish.kind is ChangeKind.CANCEL:
            return await self._cancel(order, fields)
        return await self._resume(order, fields)

    async def _price(self, live: Subscription, wish: Wish) -> Fields:
        """The price that is on sale for a switch; whoever stays keeps the one they have."""
        if wish.kind is ChangeKind.SWITCH and (live.tier, live.interval) != (wish.tier, wish.interval):
            return await self._prices.sold((wish.tier, wish.interval))
        price = await self._prices.retrieve(live.price)
        if wish.kind is ChangeKind.METER and wish.quantity and not self._policy.metered_markup:
            raise TellOperatorError("Metered use is off: [billing] metered_markup is 0")
        if wish.kind is ChangeKind.SEATS and not is_tiered(price):
            raise TellOperatorError(f"The price {live.price} is not tiered, so no seats are sold beside it")
        return price

    def _swap(self, live: Subscription, wish: Wish, price: Fields, quantity: int) -> orders.Items:
        return orders.swap(live, price["id"], quantity, keeps_meter=live.tier is wish.tier)

    async def _due_now(self, live: Subscription, fields: Fields, items: orders.Items, at: datetime) -> Micros:
        """What Stripe would charge for the rest of the period; below 0 if it would be credited."""
        params: stripe.params.InvoiceCreatePreviewParams
        if live.schedule is None:
            details: Any = {"items": items, "proration_behavior": "always_invoice"}
            details["proration_date"] = int(at.timestamp())
            params = {"subscription": live.id, "subscription_details": details}
        else:
            params = schedules.preview_of(fields, items)
        shown = plain(await self._caller.call(lambda: self._api.invoices.create_preview_async(params)))
        cents: int = shown["amount_due"] if shown["total"] >= 0 else shown["total"]
        return Micros(cents * MICROS_A_CENT)

    async def _change_items(self, order: ChangeOrder, live: Subscription, fields: Fields) -> ChangeResult:
        price = await self._price(live, order.wish)
        quantity = orders.quantity_of(price, order.wish.quantity)
        later = order.timing is Timing.PERIOD_END
        if later and orders.is_planned(live, order.wish, quantity):
            return PLANNED
        if orders.is_as_wished(live, order.wish, quantity):
            return DONE
        if orders.is_outdated(order, live, fields):
            return OUTDATED
        if later:
            return await self._plan(order, live, fields, price, quantity)
        await self._schedules.release(fields, order.key)
        params: Update = {
            "items": self._swap(live, order.wish, price, quantity),
            "proration_behavior": "always_invoice",
            "proration_date": int(order.effective_at.timestamp()),
            "payment_behavior": "pending_if_incomplete",
            "expand": ["latest_invoice"],
        }
        return await self._update(order, params)

    async def _plan(
        self, order: ChangeOrder, live: Subscription, fields: Fields, price: Fields, quantity: int
    ) -> ChangeResult:
        """Plan a change for the end of the period, which takes a pending cancellation back."""
        await self._keep(order, fields)
        items: list[schedules.PhaseItem] = [{"price": price["id"], "quantity": quantity}]
        if live.metered_item is not None and live.tier is order.wish.tier:
            items += [item for item in schedules.held_items(fields) if "quantity" not in item]
        await self._schedules.plan(fields, items, order.wish.interval, order.key)
        return PLANNED

    async def _cancel(self, order: ChangeOrder, fields: Fields) -> ChangeResult:
        await self._schedules.release(fields, order.key)
        mixed = orders.has_mixed_intervals(fields)
        params: Update = {"cancel_at": "max_period_end"} if mixed else {"cancel_at_period_end": True}
        await self._update(order, params)
        return PLANNED

    async def _resume(self, order: ChangeOrder, fields: Fields) -> ChangeResult:
        await self._schedules.release(fields, order.key)
        await self._keep(order, fields)
        return DONE

    async def _keep(self, order: ChangeOrder, fields: Fields) -> None:
        """Take a pending cancellation back, whichever way it was made."""
        if fields.get("cancel_at_period_end"):
            await self._update(order, {"cancel_at_period_end": False}, "keep")
        elif fields.get("cancel_at"):
            await self._update(order, {"cancel_at": ""}, "keep")

    async def _meter(self, order: ChangeOrder, live: Subscription, fields: Fields) -> ChangeResult:
        """Add the metered item, which has no quantity, or take it off with what was used so far billed.

        The same order may come again all day, with another price meanwhile, so both make the key.
        """
        price = await self._prices.usage() if order.wish.quantity else ""
        if live.schedule is not None:
            return await self._meter_in_phases(order, live, fields, price)
        items: orders.Items = (
            [{"price": price}] if price else [{"id": live.metered_item or "", "deleted": True}]
        )
        params: Update = {"items": items, "proration_behavior": "create_prorations"}
        return await self._update(order, params, f"meter-{price}" if price else "update")

    async def _meter_in_phases(
        self, order: ChangeOrder, live: Subscription, fields: Fields, price: str
    ) -> ChangeResult:
        """What a schedule manages is changed through it, in every phase that keeps the tier."""
        metered: list[schedules.PhaseItem] = [{"price": price}] if price else []
        licensed = [item for item in schedules.held_items(fields) if "quantity" in item]
        phases = [schedules.current_phase(fields["schedule"], fields, licensed + metered)]
        if live.planned is not None:
            then = [item for item in schedules.planned_items(fields) if "quantity" in item]
            keeps = live.planned.tier is live.tier
            phases.append(schedules.planned_phase(fields, then + metered if keeps else then))
        key = f"{order.key}-phases"
        await self._schedules.rewrite(fields["schedule"]["id"], phases, key, "create_prorations")
        return DONE

    async def _update(self, order: ChangeOrder, params: Update, what: str = "update") -> ChangeResult:
        options: stripe.RequestOptions = {"idempotency_key": f"{order.key}-{what}"}
        wanted = order.subscription.id
        updated = await self._caller.call(
            lambda: self._api.subscriptions.update_async(wanted, params, options)
        )
        fields = plain(updated)
        if fields.get("pending_update") is None:
            return DONE
        url = (awaited_invoice(fields) or {}).get("hosted_invoice_url")
        return ChangeResult(ChangeState.PAYMENT_NEEDED, url)
