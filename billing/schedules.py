"""Changes at the end of a period, by Stripe's subscription schedules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import stripe

from billing.client import StripeCaller
from billing.snapshots import Fields, items_of, name_of, next_phase, plain
from engine.domain import Interval

PhaseItem = stripe.params.SubscriptionScheduleUpdateParamsPhaseItem
Phase = stripe.params.SubscriptionScheduleUpdateParamsPhase


class Schedules:
    """Makes, changes and releases the schedule of a subscription.

    Keys are made of the order's, so that a repeated order repeats the same calls.
    """

    def __init__(self, caller: StripeCaller) -> None:
        self._caller = caller
        self._api = caller.sdk.v1.subscription_schedules

    async def plan(self, fields: Fields, items: Sequence[PhaseItem], interval: Interval, key: str) -> None:
        """Have a subscription keep its items until its period ends, then take these, then go free.

        A schedule that is there is used, and what it had planned is replaced.
        """
        schedule = fields.get("schedule")
        if not isinstance(schedule, dict) or schedule.get("status") != "active":
            schedule = await self._create(fields["id"], f"{key}-schedule")
        first = current_phase(schedule, fields, held_items(fields))
        then: Phase = {
            "items": list(items),
            "duration": {"interval": interval.value, "interval_count": 1},
            "proration_behavior": "none",
        }
        await self.rewrite(schedule["id"], [first, _as_sold(then, fields)], f"{key}-phases", "none")

    async def rewrite(self, schedule: str, phases: list[Phase], key: str, prorations: str) -> None:
        """Give a schedule other phases; the first is the current one."""
        params: stripe.params.SubscriptionScheduleUpdateParams = {
            "phases": phases,
            "end_behavior": "release",
            "proration_behavior": prorations,
        }
        await self._caller.call(lambda: self._api.update_async(schedule, params, {"idempotency_key": key}))

    async def release(self, fields: Fields, key: str) -> None:
        """Let a subscription go from its schedule, if it has one."""
        schedule = name_of(fields.get("schedule"))
        if schedule is not None:
            options: stripe.RequestOptions = {"idempotency_key": f"{key}-release"}
            await self._caller.call(lambda: self._api.release_async(schedule, {}, options))

    async def _create(self, subscription: str, key: str) -> Fields:
        params: stripe.params.SubscriptionScheduleCreateParams = {"from_subscription": subscription}
        options: stripe.RequestOptions = {"idempotency_key": key}
        return plain(await self._caller.call(lambda: self._api.create_async(params, options)))


def current_phase(schedule: Fields, fields: Fields, items: list[PhaseItem]) -> Phase:
    """The phase that runs, with these items until the period ends; a trial goes on in it."""
    running: Fields = schedule["current_phase"]
    phase: Phase = {
        "items": items,
        "start_date": running["start_date"],
        "end_date": max(item["current_period_end"] for item in items_of(fields)),
        "proration_behavior": "none",
    }
    if fields["status"] == "trialing" and fields.get("trial_end"):
        phase["trial_end"] = fields["trial_end"]
    return _as_sold(phase, fields)


def preview_of(
    fields: Fields, items: Sequence[stripe.params.SubscriptionUpdateParamsItem]
) -> stripe.params.InvoiceCreatePreviewParams:
    """How to ask what other items would cost now, of a subscription that a schedule manages."""
    held = [item for item in held_items(fields) if "quantity" not in item]
    leaves = any(item.get("deleted") for item in items)
    swapped = [_phase_item(item["price"], item["quantity"]) for item in items if not item.get("deleted")]
    phase = current_phase(fields["schedule"], fields, swapped + ([] if leaves else held))
    details: Any = {"phases": [phase], "proration_behavior": "always_invoice"}
    return {"schedule": fields["schedule"]["id"], "schedule_details": details}


def planned_phase(fields: Fields, items: list[PhaseItem]) -> Phase:
    """The phase that comes next, with these items for as long as it was planned."""
    phase = next_phase(fields) or {}
    made: Phase = {"items": items, "end_date": phase["end_date"], "proration_behavior": "none"}
    return _as_sold(made, fields)


def held_items(fields: Fields) -> list[PhaseItem]:
    """A subscription's items as a phase takes them."""
    return [_phase_item(item["price"]["id"], item.get("quantity")) for item in items_of(fields)]


def planned_items(fields: Fields) -> list[PhaseItem]:
    """The items of the next phase, as a phase takes them."""
    phase = next_phase(fields) or {"items": ()}
    return [_phase_item(name_of(item["price"]) or "", item.get("quantity")) for item in phase["items"]]


def _phase_item(price: str, quantity: int | None) -> PhaseItem:
    return {"price": price} if quantity is None else {"price": price, "quantity": quantity}


def _as_sold(phase: Phase, fields: Fields) -> Phase:
    """A phase with the subscription's discounts, which it takes away if it names none, and its tax."""
    if (fields.get("automatic_tax") or {}).get("enabled"):
        phase["automatic_tax"] = {"enabled": True}
    held = [name_of(each) or "" for each in fields.get("discounts") or ()]
    if held:
        phase["discounts"] = [{"discount": each} for each in held]
    return phase
