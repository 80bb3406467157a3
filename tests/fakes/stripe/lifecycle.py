"""How a subscription lives: it starts, renews, fails to be paid, recovers, pauses and ends."""

from __future__ import annotations

from collections.abc import Sequence

from tests.fakes.stripe import bills, discounts, lines, payments
from tests.fakes.stripe.amounts import is_metered
from tests.fakes.stripe.periods import next_end, period_end
from tests.fakes.stripe.wire import Json
from tests.fakes.stripe.world import World, list_of, new_id

ENDED = frozenset({"canceled", "incomplete_expired"})
_DAY = 86_400
_OWING = frozenset({"past_due", "unpaid", "incomplete", "paused"})


def make_item(world: World, subscription: str, price: Json, quantity: int | None, end: int) -> Json:
    """One item of a subscription, not yet kept, with a period from now until then."""
    values = {
        "id": new_id("si"),
        "created": world.now(),
        "current_period_start": world.now(),
        "current_period_end": end,
        "metadata": {},
        "price": price,
        "subscription": subscription,
    }
    licensed = {} if quantity is None or is_metered(price) else {"quantity": quantity}
    return world.shapes.make("subscription_item", values | licensed)


def keep_items(world: World, subscription: Json, items: list[Json]) -> None:
    """Make these the items of a subscription."""
    for gone in subscription["items"]["data"]:
        world.tables["subscription_item"].pop(gone["id"], None)
    world.tables["subscription_item"] |= {item["id"]: item for item in items}
    subscription["items"]["data"] = items


def start(
    world: World,
    customer: str,
    sold: Sequence[tuple[Json, int | None]],
    metadata: Json,
    trial_days: int = 0,
    extra: Json | None = None,
) -> Json:
    """Start a subscription in flexible billing mode, with its first invoice.

    `extra` may hold `card` (a payment method's id; None starts without one), `discounts` as `chosen` gives
    them, `trial_end` in Unix seconds, and further fields of the subscription under `fields`.
    """
    wanted, more = new_id("sub"), extra or {}
    card = more["card"] if "card" in more else payments.add_card(world, customer)["id"]
    subscription = _born(world, wanted, customer, sold, trial_days, more)
    subscription |= {"default_payment_method": card, "metadata": metadata}
    subscription["discounts"] = discounts.redeem(world, customer, wanted, more.get("discounts", []))
    items = subscription["items"]["data"]
    trying = subscription["status"] == "trialing"
    first = lines.trial(world, subscription, items) if trying else lines.whole(world, subscription, items)
    will = (
        "paid" if trying else payments.verdict(world, customer, card or payments.card_of(world, subscription))
    )
    if will != "paid":
        subscription["status"] = "incomplete"
    world.emit("customer.subscription.created", subscription)
    invoice = bills.finalize(world, bills.draft(world, subscription, first, "subscription_create"))
    if bills.attempt(world, invoice, payments.card_of(world, subscription)) == "paid":
        invoice_paid(world, invoice)
    return subscription


def _born(
    world: World,
    wanted: str,
    customer: str,
    sold: Sequence[tuple[Json, int | None]],
    trial_days: int,
    more: Json,
) -> Json:
    now = world.now()
    trial_end = more.get("trial_end") or (now + trial_days * _DAY if trial_days else None)
    items = [
        make_item(world, wanted, price, quantity, trial_end or period_end(now, price["recurring"]))
        for price, quantity in sold
    ]
    values = {
        "id": wanted,
        "billing_cycle_anchor": trial_end or now,
        "billing_mode": {"type": "flexible"},
        "cancellation_details": {},
        "collection_method": "charge_automatically",
        "currency": sold[0][0]["currency"],
        "customer": customer,
        "items": list_of([], f"/v1/subscription_items?subscription={wanted}"),
        "metadata": {},
        "start_date": now,
        "status": "trialing" if trial_end else "active",
        "trial_end": trial_end,
        "trial_start": now if trial_end else None,
    }
    subscription = world.make("subscription", "sub", values | more.get("fields", {}))
    keep_items(world, subscription, items)
    return subscription


def updated(world: World, subscription: Json) -> Json:
    """Tell the world that a subscription changed."""
    world.emit("customer.subscription.updated", subscription)
    return subscription


def cancel(world: World, subscription: Json, reason: str = "cancellation_requested") -> Json:
    """End a subscription now; nothing that it owes is tried again."""
    drop_proposal(world, subscription)
    subscription |= {"status": "canceled", "ended_at": world.now()}
    subscription["canceled_at"] = subscription["canceled_at"] or world.now()
    subscription["cancellation_details"]["reason"] = reason
    for invoice in bills.open_ones(world, subscription):
        invoice |= {"auto_advance": False, "next_payment_attempt": None}
    if subscription["schedule"]:
        schedule = world.get("subscription_schedule", subscription["schedule"], "schedule")
        schedule |= {"status": "canceled", "canceled_at": world.now(), "current_phase": None}
        world.emit("subscription_schedule.canceled", schedule)
    world.emit("customer.subscription.deleted", subscription)
    return subscription


def bill_usage(world: World, subscription: Json) -> None:
    """The last invoice of a subscription that ends: what was used, and prorations that still waited."""
    if subscription["status"] == "trialing":
        return
    usage = lines.used(world, subscription, subscription["items"]["data"])
    billed = world.pending_lines.pop(subscription["id"], []) + [one for one in usage if one["amount"]]
    if billed:
        collect(world, bills.draft(world, subscription, billed, "subscription_cycle"))


def drop_proposal(world: World, subscription: Json) -> Json | None:
    """Forget a change that waits for its payment; the invoice that would have paid it, still open."""
    proposal = world.proposals.pop(subscription["id"], None)
    subscription["pending_update"] = None
    if proposal is None:
        return None
    invoice = world.get("invoice", proposal["invoice"], "invoice")
    return invoice if invoice["status"] == "open" else None


def ends_at(subscription: Json) -> int:
    """When the period that is paid ends: the latest end of the items."""
    ends: list[int] = [item["current_period_end"] for item in subscription["items"]["data"]]
    return max(ends)


def renews_at(subscription: Json) -> int:
    """When the next item has to be paid: the earliest end of the items."""
    ends: list[int] = [item["current_period_end"] for item in subscription["items"]["data"]]
    return min(ends)


def renew(world: World, subscription: Json) -> None:
    """Begin the next period of the items whose time is over, and bill them."""
    now = world.now()
    if subscription["status"] == "trialing" and not _may_go_on(world, subscription):
        return
    due = [item for item in subscription["items"]["data"] if item["current_period_end"] <= now]
    period = (min(item["current_period_start"] for item in due), due[0]["current_period_end"])
    trying = subscription["status"] == "trialing"
    usage = [] if trying else lines.used(world, subscription, due)
    roll(subscription, due)
    if trying:
        subscription["status"] = "active"
    waiting = world.pending_lines.pop(subscription["id"], [])
    billed = waiting + usage + lines.whole(world, subscription, due)
    invoice = bills.draft(world, subscription, billed, "subscription_cycle", period)
    if world.draft_seconds:
        invoice["automatically_finalizes_at"] = now + world.draft_seconds
        updated(world, subscription)
    else:
        collect(world, invoice)


def roll(subscription: Json, items: list[Json]) -> None:
    """Move items into the period after their current one."""
    anchor = subscription["billing_cycle_anchor"]
    for item in items:
        item["current_period_start"] = item["current_period_end"]
        recurring = item["price"]["recurring"]
        item["current_period_end"] = period_end(item["current_period_start"], recurring, anchor)


def joining_end(world: World, subscription: Json, price: Json) -> int:
    """When the first period of an item that is added now ends: in the rhythm of the subscription."""
    if subscription["status"] == "trialing":
        return int(subscription["trial_end"])
    return next_end(subscription["billing_cycle_anchor"], price["recurring"], world.now())


def _may_go_on(world: World, subscription: Json) -> bool:
    """Whether a trial turns into a period to pay; without a card its settings say what else."""
    behavior = (subscription["trial_settings"] or {}).get("end_behavior", {}).get("missing_payment_method")
    if payments.card_of(world, subscription) is not None or behavior in (None, "create_invoice"):
        return True
    if behavior == "cancel":
        cancel(world, subscription)
    else:
        pause(world, subscription, "trial_end_without_payment_method")
    return False


def pause(world: World, subscription: Json, reason: str) -> Json:
    """Stop a subscription: nothing is billed until it is resumed."""
    details = {"subscription": {"type": reason}, "transitioned_at": world.now(), "type": "subscription"}
    subscription |= {"status": "paused", "status_details": {"paused": details}}
    world.emit("customer.subscription.paused", subscription)
    return updated(world, subscription)


def collect(world: World, invoice: Json) -> None:
    """Finalize a renewal's invoice and charge it, unless the subscription's collection is paused."""
    subscription = bills.subscription_of(world, invoice)
    paused = (subscription["pause_collection"] or {}).get("behavior")
    if paused == "keep_as_draft" or subscription["status"] == "unpaid":
        invoice |= {"auto_advance": False, "automatically_finalizes_at": None}
        updated(world, subscription)
        return
    bills.finalize(world, invoice)
    if paused:
        (bills.void if paused == "void" else bills.give_up)(world, invoice)
        updated(world, subscription)
    else:
        retry(world, invoice)


def retry(world: World, invoice: Json, *, forced: bool = False) -> str:
    """Try to collect an open invoice and let its subscription feel it; what became of the payment."""
    subscription = bills.subscription_of(world, invoice)
    outcome = bills.attempt(world, invoice, payments.card_of(world, subscription), forced=forced)
    if outcome == "paid":
        invoice_paid(world, invoice)
    elif subscription["status"] in {"active", "trialing", "past_due"} and not _is_proposed(world, invoice):
        subscription["status"] = "past_due"
        updated(world, subscription)
    if outcome != "paid" and invoice["attempt_count"] > 1 and invoice["next_payment_attempt"] is None:
        end_dunning(world, subscription)
    return outcome


def _is_proposed(world: World, invoice: Json) -> bool:
    return any(proposal["invoice"] == invoice["id"] for proposal in world.proposals.values())


def end_dunning(world: World, subscription: Json) -> None:
    """Do what the account's settings say about a renewal that no retry could collect."""
    if subscription["status"] != "past_due" or world.after_dunning == "past_due":
        return
    if world.after_dunning == "cancel":
        cancel(world, subscription, "payment_failed")
    elif world.after_dunning == "paused":
        pause(world, subscription, "final_payment_failure")
    else:
        subscription["status"] = "unpaid"
        updated(world, subscription)


def invoice_paid(world: World, invoice: Json) -> None:
    """What a payment does to the subscription: the change it was for happens, debts are forgotten."""
    subscription = bills.subscription_of(world, invoice)
    proposal = world.proposals.get(subscription["id"])
    if proposal is not None and proposal["invoice"] == invoice["id"]:
        drop_proposal(world, subscription)
        keep_items(world, subscription, proposal["items"])
        subscription |= proposal["fields"]
        world.emit("customer.subscription.pending_update_applied", subscription)
    owing = subscription["status"] in _OWING and subscription["latest_invoice"] == invoice["id"]
    if owing:
        subscription |= {"status": "active", "status_details": None}
    if owing or proposal is not None or invoice["billing_reason"] == "subscription_cycle":
        updated(world, subscription)


def fail(world: World, subscription: Json) -> None:
    """Bill the current period again with a card that declines."""
    world.declining.add(subscription["customer"])
    billed = lines.whole(world, subscription, subscription["items"]["data"])
    collect(world, bills.draft(world, subscription, billed, "subscription_cycle"))


def recover(world: World, subscription: Json) -> None:
    """Pay all that is open after all."""
    world.declining.discard(subscription["customer"])
    world.authenticating.discard(subscription["customer"])
    for invoice in bills.open_ones(world, subscription):
        retry(world, invoice, forced=True)
    if subscription["status"] in _OWING:
        subscription |= {"status": "active", "status_details": None}
        updated(world, subscription)
